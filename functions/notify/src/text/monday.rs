//! The words of the Monday message.

use meshline_core::checklist::Answer;
use meshline_core::report::Late;
use meshline_core::time::Span;

use crate::message::Notice;

/// What was answered so, question by question; `None` where nothing was.
pub(super) fn answered(notice: &Notice, status: Answer) -> Option<String> {
    let such = notice.checks.iter().filter(|check| check.status == status);
    let answers = such.map(|it| format!("{}: {}", it.check.as_str().replace('_', " "), it.sentence));
    let answers: Vec<String> = answers.collect();
    (!answers.is_empty()).then(|| answers.join(". "))
}

/// What took longer than it may.
pub(super) fn late(late: &Late) -> String {
    let span = |seconds: i64| Span::from_ms(seconds.saturating_mul(1000));
    let outcomes = late.outcomes.iter().map(|it| {
        format!(
            "`{}` took {} on average of {}, and {} are allowed",
            it.id,
            span(it.mean_s),
            it.cases,
            span(it.sla_s)
        )
    });
    format!("from {} to {}: {}", late.from.day(), late.to.day(), outcomes.collect::<Vec<_>>().join("; "))
}
