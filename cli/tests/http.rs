//! The tool against a server that answers what it is told: what is sent, what is shown, how it ends.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails is a test that fails")]

mod tool;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use tool::{meshline, text};

/// A request as the server saw it.
struct Seen {
    /// `GET /v1/runs HTTP/1.1`
    line: String,
    /// `name: value`, the name in lower case.
    headers: Vec<String>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// A server on a free port. It answers one connection for each answer; an empty one hangs up instead.
struct Server {
    url: String,
    thread: JoinHandle<Vec<Seen>>,
}

impl Server {
    fn answering(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            let serve = |answer: String| {
                let (mut stream, _) = listener.accept().unwrap();
                let seen = read(&stream);
                stream.write_all(answer.as_bytes()).unwrap();
                seen
            };
            answers.into_iter().map(serve).collect()
        });
        Self { url, thread }
    }

    fn seen(self) -> Vec<Seen> {
        self.thread.join().unwrap()
    }
}

fn read(stream: &TcpStream) -> Seen {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let lower =
        |line: &String| line.split_once(": ").map(|(n, value)| format!("{}: {value}", n.to_lowercase()));
    let headers: Vec<String> = lines.iter().skip(1).filter_map(lower).collect();
    let length = headers.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Seen { line: lines[0].clone(), headers, body: String::from_utf8(body).unwrap() }
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
         meshline-now: 2026-11-23T12:00:00.000Z\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn problem(status: &str, body: &str) -> String {
    answer(status, "application/problem+json", body)
}

const RUN: &str = r#"{"run":"mzxw6ytboi2a-01K","flow":"blog-launch","flow_version":3,"client":null,
    "subject":"contentful:5K","title":"Spring","url":null,"status":"active","overdue":false,"paused":false,
    "suppressed":false,"met":null,"version":8,"opened_at":"2026-11-23T09:00:00.000Z","closed_at":null,
    "next_due_at":"2026-11-23T14:00:00.000Z","owner":{"id":"ben","since":"2026-11-23T09:00:00.000Z","as":"assigned"},
    "acknowledgement":null,"outcomes":[],"checks":[],"exceptions":[],"escalations":[]}"#;

#[test]
fn a_command_says_who_asks_and_shows_the_run_afterwards() {
    let server = Server::answering(vec![answer("200 OK", "application/json", RUN)]);
    let args = ["--as", "ana", "reassign", "mzxw6ytboi2a-01K", "--to", "ben", "--reason", "leave"];
    let output = meshline(&server.url, &[&args[..], &["--if-version", "7"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "reassigned: mzxw6ytboi2a-01K (blog-launch): active, owner ben, version 8, \
         next due 2026-11-23T14:00Z (in 2h)\n"
    );
    let seen = server.seen();
    assert_eq!(seen[0].line, "POST /v1/runs/mzxw6ytboi2a-01K/reassign HTTP/1.1");
    assert_eq!(seen[0].header("authorization"), Some("Local ana"));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert!(seen[0].header("idempotency-key").is_some());
    assert_eq!(seen[0].body, r#"{"if_version":7,"reason":"leave","to":"person:ben"}"#);
}

#[test]
fn nobody_in_particular_sends_no_authorization() {
    let server = Server::answering(vec![answer("200 OK", "application/json", RUN)]);
    let output = meshline(&server.url, &["--json", "ack", "mzxw6ytboi2a-01K"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document, serde_json::from_str::<serde_json::Value>(RUN).unwrap());
    assert_eq!(server.seen()[0].header("authorization"), None);
}

#[test]
fn a_problem_is_shown_and_ends_with_1() {
    let body = r#"{"type":"urn:meshline:problem:run-over","title":"the run is over","status":409,"detail":"the run is closed"}"#;
    let server = Server::answering(vec![problem("409 Conflict", body), problem("409 Conflict", body)]);
    let output = meshline(&server.url, &["ack", "a-1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "meshline: 409 run-over: the run is over: the run is closed\n");
    assert_eq!(text(&output.stdout), "");
    let output = meshline(&server.url, &["ack", "a-1", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["type"], "urn:meshline:problem:run-over");
    server.seen();
}

#[test]
fn a_stale_version_shows_what_changed() {
    let body = r#"{"type":"urn:meshline:problem:stale-version","title":"the run has changed since you saw it","status":409,
        "detail":"you saw version 1, it is at version 2","seen":1,"current":2,"changes":[{"run":"a-1","seq":2,
        "at":"2026-11-23T11:30:00.000Z","actor":{"type":"person","id":"ben"},"flow":"f","flow_version":1,"subject":"s",
        "config_hash":"c","kind":"note_added","detail":{"text":"on it"},"prev":"p","hash":"h"}]}"#;
    let server = Server::answering(vec![problem("409 Conflict", body)]);
    let output = meshline(&server.url, &["ack", "a-1", "--if-version", "1"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output.stderr), @r#"
    meshline: 409 stale-version: the run has changed since you saw it: you saw version 1, it is at version 2
    since then:
    SEQ  AT                           BY   KIND        WHAT
    2    2026-11-23T11:30Z (30m ago)  ben  note_added  on it
    "#);
    server.seen();
}

#[test]
fn every_problem_of_a_configuration_is_a_line() {
    let body = r#"{"type":"urn:meshline:problem:bad-configuration","title":"the configuration has problems","status":422,
        "detail":"2 to mend; nothing was applied","problems":[
        {"file":"a.yaml","line":3,"field":"owner","reason":"there is no role `x`","mend":"add it to the directory"},
        {"file":"a.yaml","line":9,"field":"outcomes[0].sla","reason":"`2x` is not a duration","mend":"write `2h`"}]}"#;
    let server = Server::answering(vec![problem("422 Unprocessable Entity", body)]);
    let output = meshline(&server.url, &["plan", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output.stderr), @r#"
    a.yaml:3: owner: there is no role `x` (add it to the directory)
    a.yaml:9: outcomes[0].sla: `2x` is not a duration (write `2h`)
    meshline: 422 bad-configuration: the configuration has problems: 2 to mend; nothing was applied
    "#);
    let seen = server.seen();
    assert_eq!(seen[0].line, "PUT /v1/config?dry_run=true HTTP/1.1");
    assert!(seen[0].body.starts_with(r#"{"files":[{"name":"#), "{}", seen[0].body);
}

#[test]
fn all_pages_of_a_list_are_one_document() {
    let page = |cursor: &str| format!(r#"{{"items":[{RUN}],"cursor":{cursor}}}"#);
    let pages = [page(r#""next one""#), page("null")];
    let answers = pages.iter().map(|page| answer("200 OK", "application/json", page)).collect();
    let server = Server::answering(answers);
    let output = meshline(&server.url, &["runs", "--all", "--json", "--overdue", "--owner", "person:ben"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["items"].as_array().unwrap().len(), 2);
    assert_eq!(document["cursor"], serde_json::Value::Null);
    let lines: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/runs?owner=ben&overdue=true HTTP/1.1",
            "GET /v1/runs?owner=ben&overdue=true&cursor=next%20one HTTP/1.1"
        ]
    );
}

#[test]
fn a_broken_trail_ends_with_1() {
    let body =
        r#"{"valid":false,"records":7,"fault":{"seq":4,"reason":"its content is not what was hashed"}}"#;
    let server = Server::answering(vec![answer("200 OK", "application/json", body)]);
    let output = meshline(&server.url, &["audit", "verify", "a-1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stdout),
        "BROKEN at record 4: a-1, 7 records: its content is not what was hashed\n"
    );
    server.seen();
}

#[test]
fn a_connection_that_breaks_is_tried_again_with_the_same_key() {
    let server = Server::answering(vec![String::new(), answer("200 OK", "application/json", RUN)]);
    let output = meshline(&server.url, &["ack", "a-1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let seen = server.seen();
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
}

#[test]
fn a_server_that_fails_or_is_none_ends_with_3() {
    let unavailable = r#"{"type":"urn:meshline:problem:unavailable","title":"try again","status":503}"#;
    let answers = vec![
        problem("503 Service Unavailable", unavailable),
        answer("200 OK", "text/html", "<h1>hello</h1>"),
    ];
    let server = Server::answering(answers);
    for _ in 0..2 {
        let output = meshline(&server.url, &["runs"]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    }
    server.seen();
}

#[test]
fn without_a_server_it_says_how_to_start_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = meshline(&url, &["runs"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        text(&output.stderr),
        format!("meshline: no Meshline at {url}: start one with `meshline up`\n")
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    let here = "http://127.0.0.1:1";
    for args in [
        &["runs", "--status", "asleep"][..],
        &["reassign", "a-1", "--to", "team:x", "--reason", "y"],
        &["apply", "/no/such/folder"],
        &["audit", "verify", "--file", "/no/such/file"],
        &["--url", "ftp://x", "runs"],
        &["--url", "https://api.example.com", "--as", "ana", "runs"],
    ] {
        assert_eq!(meshline(here, args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_replay_asks_first_and_goes_on_to_the_end() {
    let window = ["replay", "--source", "contentful", "--from", "2026-11-23", "--to", "2026-11-23T11:00:00Z"];
    let page = |body: &str| answer("200 OK", "application/json", body);

    let server = Server::answering(vec![page(r#"{"replayed":3,"cursor":null}"#)]);
    let output = meshline(&server.url, &window);
    assert_eq!(output.status.code(), Some(2), "nobody is there to say yes");
    let said = text(&output.stderr);
    assert!(
        said.contains("events of `contentful`")
            && said.contains(": 3\n")
            && said.contains("breaches and escalates"),
        "{said}"
    );
    assert!(said.contains("--yes"), "{said}");
    assert!(server.seen()[0].body.contains(r#""dry_run":true"#));

    let server = Server::answering(vec![
        page(r#"{"replayed":200,"cursor":"c-1"}"#),
        page(r#"{"replayed":3,"cursor":null}"#),
    ]);
    let output = meshline(&server.url, &[&window[..], &["--yes"]].concat());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "events replayed: 203\n".to_owned()));
    let seen = server.seen();
    assert!(seen[0].line.starts_with("POST /v1/replay "), "{}", seen[0].line);
    let body = r#""dry_run":false,"from":"2026-11-23T00:00:00.000Z","source":"contentful","to":"2026-11-23T11:00:00.000Z""#;
    assert_eq!(seen[0].body, format!(r#"{{"cursor":null,{body}}}"#));
    assert_eq!(seen[1].body, format!(r#"{{"cursor":"c-1",{body}}}"#));
}

#[test]
fn an_exception_of_a_flow_is_resolved_at_the_flow() {
    let server = Server::answering(vec![answer("200 OK", "application/json", "{}")]);
    let args = ["resolve", "flow:blog-launch", "mzxw6ytboi2a-01K", "--resolution", "mended"];
    let output = meshline(&server.url, &args);
    let done = "resolved mzxw6ytboi2a-01K of flow:blog-launch\n";
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), done));
    let line = &server.seen()[0].line;
    assert!(line.starts_with("POST /v1/flows/blog-launch/exceptions/mzxw6ytboi2a-01K/resolve "), "{line}");
}

#[test]
fn an_exception_is_opened_by_hand_and_named_so_that_it_can_be_resolved() {
    let exception = r#""exceptions":[{"id":"x9","kind":"manual","status":"open","run":"mzxw6ytboi2a-01K","flow":"blog-launch",
        "subject":"contentful:5Ks","outcome":"sales-deck","check":null,"owner":"ben","opened_at":"2026-11-23T11:00:00.000Z",
        "recovery_due_at":"2026-11-24T11:00:00.000Z","resolved_at":null,"resolution":null,"evidence":null,"group":"g"}]"#;
    assert!(RUN.contains(r#""exceptions":[]"#));
    let run = RUN.replace(r#""exceptions":[]"#, exception);
    let server = Server::answering(vec![answer("200 OK", "application/json", &run)]);
    let args =
        ["exception", "open", "mzxw6ytboi2a-01K", "--outcome", "sales-deck", "--reason", "of last year"];
    let output = meshline(&server.url, &args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("opened x9: mzxw6ytboi2a-01K (blog-launch): "));
    let seen = server.seen();
    assert_eq!(seen[0].line, "POST /v1/runs/mzxw6ytboi2a-01K/exceptions HTTP/1.1");
    assert_eq!(seen[0].body, r#"{"kind":null,"outcome":"sales-deck","reason":"of last year"}"#);
}

#[test]
fn a_flow_is_printed_as_apply_takes_it() {
    let flow = r#"{"id":"lead-form","version":1,"hash":"h","definition":{"id":"lead-form"}}"#;
    let server = Server::answering(vec![answer("200 OK", "application/json", flow)]);
    let output = meshline(&server.url, &["flows", "lead-form", "--version", "1"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document, serde_json::json!({"kind": "Flow", "id": "lead-form"}));
    assert_eq!(server.seen()[0].line, "GET /v1/flows/lead-form?version=1 HTTP/1.1");
}
