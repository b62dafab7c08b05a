//! What is wrong with a source document that only the adapter knows.

use meshline_core::config::source::{Provider, Scheme, Source, Verify};
use meshline_core::template::Template;

/// One thing that is wrong with a source document, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// The field, as in the document: `verify.header`.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub mend: String,
}

/// Everything that is wrong with `source`, in the order of its fields; empty when it can be used.
pub fn problems(source: &Source) -> Vec<SourceProblem> {
    let mut found = Found(Vec::new());
    if source.secrets.is_empty() {
        found.add(
            "secrets",
            "without a secret no delivery can be verified",
            "name at least one secret of the secret store",
        );
    } else if source.secrets.iter().any(String::is_empty) {
        found.add(
            "secrets",
            "the name of a secret is empty",
            "write its name in the secret store, or take it out",
        );
    }
    match (source.provider == Provider::Generic, &source.verify) {
        (true, None) => {
            let mend = "add `verify: {scheme: hmac-sha256, header: …}`, or another scheme";
            found.add("verify", "a generic source must say how it is verified", mend);
        }
        (true, Some(verify)) => scheme(verify, &mut found),
        (false, Some(_)) => {
            let mend = "take `verify` out, or write `provider: generic`";
            found.add("verify", "the provider's own scheme is always used", mend);
        }
        (false, None) => {}
    }
    if source.provider == Provider::Generic && source.subject.is_none() {
        let mend = "write how the asset is found, like `subject: \"cms:${data.id}\"`";
        found.add("subject", "a generic source has no default", mend);
    }
    templates(source, &mut found);
    aliases(source, &mut found);
    found.0
}

struct Found(Vec<SourceProblem>);

impl Found {
    fn add(&mut self, field: &'static str, reason: impl Into<String>, mend: impl Into<String>) {
        self.0.push(SourceProblem { field, reason: reason.into(), mend: mend.into() });
    }
}

fn scheme(verify: &Verify, found: &mut Found) {
    let (name, is_hmac, has_header, has_prefix) = match verify.scheme {
        Scheme::HmacSha256 => ("hmac-sha256", true, true, true),
        Scheme::HmacSha1 => ("hmac-sha1", true, true, true),
        Scheme::Token => ("token", false, true, true),
        Scheme::Basic => ("basic", false, true, false),
        Scheme::StandardWebhooks => ("standard-webhooks", false, false, false),
    };
    match verify.header.as_deref() {
        None if is_hmac => {
            let mend = "name the header that carries the signature, like `header: x-signature`";
            found.add("verify.header", format!("`{name}` needs a header"), mend);
        }
        Some(_) if !has_header => {
            found.add("verify.header", format!("`{name}` has its own headers"), "take it out");
        }
        Some(header) if !is_header_name(header) => {
            let mend = "write the header's name alone, like `x-signature`";
            found.add("verify.header", format!("`{header}` is not the name of a header"), mend);
        }
        Some(_) | None => {}
    }
    if verify.encoding.is_some() && !is_hmac {
        found.add("verify.encoding", format!("`{name}` has no encoding to choose"), "take it out");
    }
    match verify.prefix.as_deref() {
        Some(_) if !has_prefix => {
            found.add("verify.prefix", format!("`{name}` has no prefix to choose"), "take it out");
        }
        Some(prefix) if prefix.trim_start() != prefix => {
            let reason = "the value of a header never starts with white space";
            found.add("verify.prefix", reason, "take the white space out");
        }
        Some(_) | None => {}
    }
}

/// A token as RFC 9110 section 5.6.2 has it.
fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// What templates can name: the attributes of an event, but for `subject`, which is made last.
const ATTRIBUTES: [&str; 9] =
    ["id", "source", "type", "occurred_at", "received_at", "actor", "title", "url", "data"];

fn templates(source: &Source, found: &mut Found) {
    let templates: [(&'static str, &Option<Template>); 7] = [
        ("event_id", &source.event_id),
        ("type", &source.kind),
        ("occurred_at", &source.occurred_at),
        ("actor", &source.actor),
        ("title", &source.title),
        ("url", &source.url),
        ("subject", &source.subject),
    ];
    for (field, template) in templates {
        places(field, template.iter(), &ATTRIBUTES, found);
        if template.as_ref().is_some_and(|template| template.as_str().is_empty()) {
            found.add(field, "it is empty", "write a template, or take it out");
        }
    }
}

/// Every place must name an attribute that is known by then.
fn places<'t>(
    field: &'static str,
    templates: impl Iterator<Item = &'t Template>,
    attributes: &[&str],
    found: &mut Found,
) {
    for path in templates.flat_map(Template::paths) {
        let path = path.as_str();
        let first = path.split(['.', '[']).next().unwrap_or(path);
        if !attributes.contains(&first) {
            let mend = format!("the body is under `data`: write `${{data.{path}}}`");
            found.add(field, format!("an event has no attribute `{first}`"), mend);
        }
    }
}

/// Aliases that one source may teach: each is a write and a look at what was said about it.
const MAX_ALIASES: usize = 5;

fn aliases(source: &Source, found: &mut Found) {
    let known = [ATTRIBUTES.as_slice(), &["subject"]].concat();
    places("aliases", source.aliases.iter(), &known, found);
    if source.aliases.len() > MAX_ALIASES {
        found.add("aliases", format!("there are more than {MAX_ALIASES}"), "keep those that are needed");
    }
    for alias in &source.aliases {
        if alias.paths().next().is_none() {
            let mend = "write a place: `hubspot:contact:${data.contact_id}`";
            found.add("aliases", format!("`{}` is the same name for every asset", alias.as_str()), mend);
        } else if alias.beginning().is_empty() {
            let mend = "begin it as that system's subjects do, like `hubspot:contact:${data.contact_id}`";
            found.add("aliases", format!("`{}` could be any name", alias.as_str()), mend);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn fields(document: Value) -> Vec<&'static str> {
        problems(&serde_json::from_value(document).unwrap())
            .into_iter()
            .map(|problem| problem.field)
            .collect()
    }

    #[test]
    fn a_source_that_can_be_used_has_no_problem() {
        for document in [
            json!({"id": "a", "provider": "contentful", "secrets": ["s"]}),
            json!({"id": "a", "provider": "hubspot", "secrets": ["s", "t"], "subject": "contentful:${data.asset_id}"}),
            json!({"id": "a", "provider": "generic", "secrets": ["s"], "subject": "x:${data['odd.name']}",
                "verify": {"scheme": "hmac-sha256", "header": "x-signature", "encoding": "hex", "prefix": "sha256="}}),
            json!({"id": "a", "provider": "generic", "secrets": ["s"], "subject": "x:${data.id}", "verify": {"scheme": "basic"}}),
        ] {
            assert_eq!(fields(document), Vec::<&str>::new());
        }
    }

    #[test]
    fn every_problem_is_found_at_once() {
        assert_eq!(fields(json!({"id": "a", "provider": "generic"})), ["secrets", "verify", "subject"]);
        let document =
            json!({"id": "a", "provider": "contentful", "secrets": [""], "verify": {"scheme": "token"}});
        assert_eq!(fields(document), ["secrets", "verify"]);
        let generic = |verify: Value| {
            fields(
                json!({"id": "a", "provider": "generic", "secrets": ["s"], "subject": "x", "verify": verify}),
            )
        };
        assert_eq!(generic(json!({"scheme": "hmac-sha1"})), ["verify.header"]);
        assert_eq!(
            generic(json!({"scheme": "token", "header": "x: y", "encoding": "hex"})),
            ["verify.header", "verify.encoding"]
        );
        assert_eq!(generic(json!({"scheme": "basic", "prefix": "Basic "})), ["verify.prefix"]);
        assert_eq!(
            generic(json!({"scheme": "hmac-sha256", "header": "x", "prefix": " v0="})),
            ["verify.prefix"]
        );
        let all = json!({"scheme": "standard-webhooks", "header": "x", "encoding": "hex", "prefix": "y"});
        assert_eq!(generic(all), ["verify.header", "verify.encoding", "verify.prefix"]);
    }

    #[test]
    fn an_alias_is_a_name_of_its_own_in_a_system() {
        let source = |aliases: Value| {
            fields(json!({"id": "a", "provider": "hubspot", "secrets": ["s"], "aliases": aliases}))
        };
        assert!(source(json!(["crm:${data.id}", "mail:${subject}"])).is_empty());
        for bad in ["crm:everyone", "${data.id}", "crm:${id2}", ""] {
            assert_eq!(source(json!([bad])), ["aliases"], "{bad}");
        }
        assert_eq!(
            source(json!(["a:${id}", "b:${id}", "c:${id}", "d:${id}", "e:${id}", "f:${id}"])),
            ["aliases"]
        );
    }

    #[test]
    fn a_template_that_forgets_data_is_told_so() {
        let document = json!({"id": "a", "provider": "hubspot", "secrets": ["s"], "subject": "x:${asset_id}", "type": ""});
        let problems = problems(&serde_json::from_value(document).unwrap());
        assert_eq!(problems[0].field, "type");
        assert_eq!(problems[1].reason, "an event has no attribute `asset_id`");
        assert_eq!(problems[1].mend, "the body is under `data`: write `${data.asset_id}`");
    }
}
