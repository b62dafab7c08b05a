//! The words of the Monday message.

use meshline_core::checklist::Answer;
use meshline_core::report::Late;
use meshline_core::time::Span;

use crate::message::Notice;

/// What was answered so, a sentence each; `None` where nothing was.
pub(super) fn answered(notice: &Notice, status: Answer) -> Option<String> {
    let such = notice.checks.iter().filter(|check| check.status == status);
    let sentences: Vec<&str> = such.map(|check| check.sentence.as_str()).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

/// What took longer than it may.
pub(super) fn late(late: &Late) -> String {
    let span = |seconds: i64| Span::from_ms(seconds.saturating_mul(1000));
    let outcomes = late.outcomes.iter().map(|it| {
        format!(
            "`{}` took {} where {} are allowed ({} cases)",
            it.id,
            span(it.mean_s),
            span(it.sla_s),
            it.cases
        )
    });
    format!("from {} to {}: {}", late.from.day(), late.to.day(), outcomes.collect::<Vec<_>>().join("; "))
}
