//! Reading a scenario's file.

use meshline_core::time::Span;

use super::{Action, Away, Expectation, Noun, Scenario, Step, Verb, What};

/// The post that a line is about when it names none.
const POST: &str = "A";

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The first line that is not understood, and why.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let (mut promise, mut only_local, mut steps) = (None, None, Vec::new());
        let (mut flow, mut beside) = (String::new(), String::new());
        let (mut block, mut midnight, mut at) = (None::<&mut String>, Span::ZERO, None);
        for (n, line) in text.lines().enumerate() {
            let problem = |why: &str| format!("tests/scenarios/{name}.txt:{}: {why}: `{line}`", n + 1);
            if let Some(comment) = line.strip_prefix('#') {
                promise.get_or_insert_with(|| comment.trim().to_owned());
            } else if let Some(why) = line.strip_prefix("only local: ") {
                only_local = Some(why.to_owned());
            } else if line == "flow" {
                block = Some(&mut flow);
            } else if let Some(head) = document(line) {
                beside += &head;
                block = Some(&mut beside);
            } else if let Some(day) = line.strip_prefix("day ") {
                let day: i64 = day.parse().map_err(|_| problem("a day has a number"))?;
                (block, midnight, at) = (None, Span::days(day - 1), None);
            } else if let (Some(text), Some(more)) = (block.as_deref_mut(), line.strip_prefix("  ")) {
                *text += &format!("{more}\n");
            } else if !line.trim().is_empty() {
                block = None;
                let (time, sentence) = line.split_at_checked(5).ok_or_else(|| problem("too short"))?;
                if !time.trim().is_empty() {
                    at = Some(time_of_day(time).ok_or_else(|| problem("a step begins with a time"))?);
                }
                let at = at.ok_or_else(|| problem("the first step of a day has no time"))?;
                let what = what(sentence.trim()).ok_or_else(|| problem("not understood"))?;
                steps.push(Step { line: n + 1, midnight, at, what });
            }
        }
        let missing = |what: &str| format!("tests/scenarios/{name}.txt: {what}");
        let promise = promise.ok_or_else(|| missing("the first line must be `# ` and the promise"))?;
        if flow.is_empty() || steps.is_empty() {
            return Err(missing("it has no flow, or no steps"));
        }
        Ok(Self { name: name.to_owned(), promise, only_local, flow, beside, steps })
    }
}

/// The head of a document that stands beside the flow: of `source leads`, `calendar office`.
fn document(line: &str) -> Option<String> {
    let (kind, id) = match line.split_once(' ')? {
        ("source", id) => ("Source", id),
        ("calendar", id) => ("Calendar", id),
        _ => return None,
    };
    Some(format!("---\nkind: {kind}\nid: {id}\n"))
}

/// `13:30`, as the time since midnight.
pub(super) fn time_of_day(text: &str) -> Option<Span> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<i64>().ok())?;
    Some(Span::minutes(two(hours)? * 60 + two(minutes)?))
}

fn what(sentence: &str) -> Option<What> {
    match sentence.strip_prefix("expect ") {
        Some(rest) => expectation(rest).map(What::Expect),
        None => action(sentence).map(What::Do),
    }
}

fn action(sentence: &str) -> Option<Action> {
    let (head, text) = sentence.split_once(": ").unwrap_or((sentence, ""));
    let words: Vec<&str> = head.split(' ').collect();
    let text = text.trim().to_owned();
    let owned = |word: &str| word.to_owned();
    let cms = |topic, post: &str| Action::Cms { topic, post: owned(post) };
    let person = |person: &str, verb| Action::Person { person: owned(person), verb };
    Some(match words.as_slice() {
        ["a", "post", "is", "published"] | ["the", "post", "is", "published", "again"] => {
            cms("publish", POST)
        }
        ["post", post, "is", "published"] => cms("publish", post),
        ["the", "post", "is", "unpublished"] => cms("unpublish", POST),
        ["the", "same", "webhook", "arrives", "again"] => Action::Redeliver,
        ["a", "forged", "publish", "arrives"] => Action::Forge,
        ["garbage", "is", "put", "on", queue] => Action::Garbage { queue: owned(queue) },
        [posts, "posts", "are", "published", "while", function, "is", "killed"] => {
            Action::Killed { function: owned(function), posts: posts.parse().ok()? }
        }
        [source, "reports", kind, rest @ ..] => {
            let (post, fields) = match rest {
                ["about", "lead", lead] => (None, vec![lead_id(lead)]),
                ["about", post, rest @ ..] => (Some(owned(post)), members(rest)?),
                fields => (Some(owned(POST)), members(fields)?),
            };
            Action::Crm { source: owned(source), kind: owned(kind), post, fields }
        }
        [source, "ties", "lead", lead, "to", "the", "post"] => {
            let (kind, post) = (owned("lead.associated"), Some(owned(POST)));
            Action::Crm { source: owned(source), kind, post, fields: vec![lead_id(lead)] }
        }
        [who, "changes", from, "to", to, "in", "the", "flow"] => {
            Action::Change { person: owned(who), from: owned(from), to: owned(to) }
        }
        [who @ .., "is" | "are", "away", "on", "day", day] => {
            let day = day.parse().ok()?;
            let who = who.iter().filter(|word| **word != "and");
            Action::Away(who.map(|person| Away { person: owned(person), day }).collect())
        }
        [who, "accepts", "the", "turn", "of", role] => {
            Action::Accept { person: owned(who), role: owned(role) }
        }
        ["the", "run", "of", "the", "post", "is", "damaged"] => Action::Damage,
        [who, "acknowledges"] => person(who, Verb::Acknowledge),
        [who, "reassigns", "to", to] => person(who, Verb::Reassign { to: owned(to), reason: text }),
        [who, "completes", outcome] => {
            person(who, Verb::Complete { outcome: owned(outcome), evidence: text })
        }
        [who, "fails", what] => person(who, Verb::Fail { what: owned(what), reason: text }),
        [who, "passes", check] => person(who, Verb::Pass { check: owned(check), evidence: text }),
        [who, "raises", "an", "exception"] => person(who, Verb::Raise(text)),
        [who, "resolves", kind] => {
            Action::Resolve { person: owned(who), kind: owned(kind), resolution: text }
        }
        [who, "cancels"] => person(who, Verb::Cancel(text)),
        [who, "closes"] => person(who, Verb::Close(text)),
        [who, "pauses"] => person(who, Verb::Pause(text)),
        [who, "resumes"] => person(who, Verb::Resume),
        [who, "notes"] => person(who, Verb::Note(text)),
        _ => return None,
    })
}

fn expectation(text: &str) -> Option<Expectation> {
    let mut words: Vec<&str> = text.split(' ').collect();
    let count = match words.as_slice() {
        [.., "once"] => Some((1, 1)),
        [.., "never"] => Some((0, 1)),
        [.., n, "times"] => Some((n.parse().ok()?, 2)),
        _ => None,
    };
    words.truncate(words.len() - count.map_or(0, |(_, used)| used));
    let owned = |word: &str| word.to_owned();
    let (noun, rest) = match words.as_slice() {
        ["answer", rest @ ..] => (Noun::Answer, rest),
        ["run", rest @ ..] => (Noun::Run, rest),
        ["outcome", id, rest @ ..] => (Noun::Outcome(owned(id)), rest),
        ["check", id, rest @ ..] => (Noun::Check(owned(id)), rest),
        ["record", kind, rest @ ..] => (Noun::Record(owned(kind)), rest),
        ["flow", "record", kind, rest @ ..] => (Noun::FlowRecord(owned(kind)), rest),
        ["trail", rest @ ..] => (Noun::Trail, rest),
        ["exception", kind, rest @ ..] => (Noun::Exception(owned(kind)), rest),
        ["message", "on", queue, rest @ ..] => (Noun::Message(owned(queue)), rest),
        ["bus", kind, rest @ ..] => (Noun::Bus(owned(kind)), rest),
        ["dead", "letter", "on", queue, rest @ ..] => (Noun::DeadLetter(owned(queue)), rest),
        ["timeline", rest @ ..] => (Noun::Timeline, rest),
        _ => return None,
    };
    Some(Expectation { noun, members: members(rest)?, count: count.map(|(n, _)| n) })
}

fn lead_id(lead: &str) -> (String, String) {
    ("lead_id".to_owned(), lead.to_owned())
}

fn members(words: &[&str]) -> Option<Vec<(String, String)>> {
    let pair = |word: &&str| word.split_once('=').map(|(path, value)| (path.to_owned(), value.to_owned()));
    words.iter().map(pair).collect()
}
