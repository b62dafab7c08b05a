//! `webhook check`: judges the adapters by signature vectors.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use meshline_sources::vectors::{self, Vector, Verdict};
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show;

/// `webhook …`
#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Check that signed requests with known answers get those answers
    Check(Check),
}

/// Arguments of `webhook check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The vectors, in the format of tests/fixtures/vectors.json
    file: PathBuf,
    /// Only of this provider, whether or not it has an adapter
    #[arg(long, value_name = "P")]
    provider: Option<String>,
    /// Every vector: also of providers without an adapter, and those that are not normative
    #[arg(long)]
    all: bool,
}

/// A vector, and what our adapter makes of it.
struct Judged<'a> {
    vector: &'a Vector,
    verdict: Verdict,
}

/// Checks the vectors. Offline.
pub(crate) fn run(webhook: &Webhook, screen: &Screen) -> Result<Exit, Failure> {
    let Webhook::Check(args) = webhook;
    let file = args.file.display();
    let json =
        fs::read(&args.file).map_err(|error| Failure::Usage(format!("cannot read `{file}`: {error}")))?;
    let vectors = vectors::read(&json)
        .map_err(|error| Failure::Usage(format!("`{file}` is not a file of vectors: {error}")))?;
    let is_named = |vector: &Vector| args.provider.as_ref().is_none_or(|wanted| *wanted == vector.provider);
    let named: Vec<Judged<'_>> = vectors.iter().filter(|vector| is_named(vector)).map(Judged::of).collect();
    if named.is_empty() {
        let provider = args.provider.as_deref().unwrap_or("any provider");
        return Err(Failure::Usage(format!("`{file}` has no vectors of {provider}")));
    }
    let is_wanted =
        |it: &Judged<'_>| args.all || (it.vector.normative && (args.provider.is_some() || it.has_adapter()));
    let (judged, left_out): (Vec<_>, Vec<_>) = named.into_iter().partition(is_wanted);
    let agreed = judged.iter().filter(|it| it.agrees()).count();
    let exit = match judged.iter().all(|it| it.agrees() || !it.vector.normative) {
        true => Exit::Done,
        false => Exit::Refused,
    };
    if screen.is_json() {
        let items: Vec<_> = judged
            .iter()
            .map(|it| {
                let Vector { id, provider, case, normative, valid, .. } = it.vector;
                json!({"id": id, "provider": provider, "case": case, "normative": normative, "valid": valid,
                       "agrees": it.agrees(), "explanation": it.explanation()})
            })
            .collect();
        let (of, left_out) = (judged.len(), left_out.len());
        screen.document(&json!({"agreed": agreed, "of": of, "left_out": left_out, "items": items}))?;
        return Ok(exit);
    }
    let mut lines: Vec<String> = judged.iter().map(Judged::line).collect();
    lines.extend(left_out_lines(&left_out));
    lines.push(format!("{agreed} of {} agree", judged.len()));
    screen.text(&lines.iter().map(|line| show::clean(line) + "\n").collect::<String>())?;
    Ok(exit)
}

impl<'a> Judged<'a> {
    /// Judges a request as it was sent and, where that agrees, as API Gateway hands it on.
    fn of(vector: &'a Vector) -> Self {
        let verdict = match vector.judge() {
            Verdict::Agree => vector.judge_apigw(),
            other @ (Verdict::Disagree { .. }
            | Verdict::Answered { .. }
            | Verdict::NoAdapter(_)
            | Verdict::Broken(_)) => other,
        };
        Self { vector, verdict }
    }

    fn has_adapter(&self) -> bool {
        !matches!(self.verdict, Verdict::NoAdapter(_))
    }

    fn agrees(&self) -> bool {
        self.verdict == Verdict::Agree
    }

    /// `ok|DIFFERS provider case: explanation`
    fn line(&self) -> String {
        let mark = if self.agrees() { "ok" } else { "DIFFERS" };
        let Vector { provider, case, .. } = self.vector;
        format!("{mark} {provider} {case}: {}", self.explanation())
    }

    fn explanation(&self) -> String {
        let Vector { id, valid, reason, why, normative, .. } = self.vector;
        let choice = |accepts: bool| if accepts { "accepted" } else { "refused" };
        let is = match (&self.verdict, normative) {
            (Verdict::Agree, true) => format!("{}, as it should be: {why}", choice(*valid)),
            (Verdict::Agree, false) => {
                format!("not normative; {} here as there: {reason}, {why}", choice(*valid))
            }
            (Verdict::Disagree { .. }, false) => {
                format!("not normative; {} here, {} there: {reason}, {why}", choice(!valid), choice(*valid))
            }
            (verdict @ (Verdict::Disagree { .. } | Verdict::Answered { .. }), _) => {
                format!("{verdict}: {reason}, {why}")
            }
            (verdict @ (Verdict::NoAdapter(_) | Verdict::Broken(_)), _) => verdict.to_string(),
        };
        format!("{is} ({id})")
    }
}

/// What was not judged, and why.
fn left_out_lines(left_out: &[Judged<'_>]) -> Vec<String> {
    let mut providers: BTreeMap<&str, usize> = BTreeMap::new();
    let (without, with): (Vec<_>, Vec<_>) = left_out.iter().partition(|it| !it.has_adapter());
    for it in &without {
        *providers.entry(&it.vector.provider).or_default() += 1;
    }
    let mut lines = Vec::new();
    if !without.is_empty() {
        let list: Vec<String> = providers.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let (n, of) = (without.len(), providers.len());
        lines.push(format!("left out: {n} of {of} providers without an adapter ({})", list.join(", ")));
    }
    if !with.is_empty() {
        lines.push(format!("left out: {} that are not normative; --all shows them", with.len()));
    }
    lines
}
