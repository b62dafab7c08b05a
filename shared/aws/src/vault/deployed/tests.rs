//! What is asked of S3 and KMS, and how their answers are taken.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use aws_config::{BehaviorVersion, Region};
use base64::Engine;
use meshline_core::checkpoint::Tally;
use serde_json::{Value, json};

use super::*;
use crate::clients::Endpoints;

/// Answers one request for each answer, and says what the requests were: head and body.
fn serve(answers: Vec<(&'static str, String)>) -> (String, JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let one = |(status, body): (&str, String)| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim_end();
                if line.is_empty() {
                    break;
                }
                if let Some(n) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = n.parse().unwrap();
                }
                head += &format!("{line}\n");
            }
            let mut sent = vec![0; length];
            reader.read_exact(&mut sent).unwrap();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
            (head, String::from_utf8(sent).unwrap())
        };
        answers.into_iter().map(one).collect()
    });
    (url, serving)
}

async fn vault(url: &str) -> DeployedVault {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .test_credentials()
        .region(Region::new("eu-west-1"))
        .endpoint_url(url);
    let clients = Clients::new(config.load().await, Endpoints::default());
    let settings = Settings {
        checkpoints_bucket: "bucket".to_owned(),
        checkpoints_key: "alias/checkpoints".to_owned(),
        checkpoints_retention_days: 400,
        ..Settings::default()
    };
    DeployedVault::new(&Arc::new(clients), &settings)
}

fn checkpoint() -> Checkpoint {
    let (day, made_at) = ("2026-11-23".parse().unwrap(), "2026-11-24T00:20:00Z".parse().unwrap());
    Checkpoint::new(day, Tally::default(), None, made_at)
}

fn refusal(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>no</Message></Error>")
}

#[tokio::test]
async fn a_checkpoint_is_kept_once_and_cannot_be_removed_before_its_time() {
    let answers = vec![
        ("200 OK", String::new()),
        ("412 Precondition Failed", refusal("PreconditionFailed")),
        ("403 Forbidden", refusal("AccessDenied")),
    ];
    let (url, serving) = serve(answers);
    let (vault, envelope) = (vault(&url).await, Envelope::new(checkpoint(), "k".to_owned(), b"signature"));
    assert!(vault.keep(&envelope).await.unwrap());
    assert!(!vault.keep(&envelope).await.unwrap());
    assert!(matches!(vault.keep(&envelope).await, Err(StoreError::Refused { .. })));

    let (head, body) = serving.join().unwrap().remove(0);
    assert!(head.starts_with("PUT /bucket/checkpoints/2026/11/2026-11-23.json"), "{head}");
    for line in [
        "if-none-match: *",
        "x-amz-object-lock-mode: COMPLIANCE",
        "x-amz-object-lock-retain-until-date: 2027-12-29T00:20:00Z",
    ] {
        assert!(head.lines().any(|found| found == line), "{line}: {head}");
    }
    assert!(head.contains("x-amz-checksum-"), "S3 takes no locked object without one: {head}");
    assert_eq!(body, envelope.text());
}

#[tokio::test]
async fn days_are_listed_over_all_pages_and_an_absent_one_is_none() {
    let page = |key: &str, more: &str| {
        format!("<ListBucketResult><Contents><Key>{key}</Key></Contents>{more}</ListBucketResult>")
    };
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    let answers = vec![
        ("200 OK", page("checkpoints/2026/11/2026-11-22.json", more)),
        (
            "200 OK",
            page(
                "checkpoints/2026/11/2026-11-23.json",
                "<Contents><Key>checkpoints/note.txt</Key></Contents>",
            ),
        ),
        ("200 OK", "{}".to_owned()),
        ("404 Not Found", refusal("NoSuchKey")),
    ];
    let (url, serving) = serve(answers);
    let vault = vault(&url).await;
    let days = vault.days().await.unwrap();
    assert_eq!(days.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2026-11-22", "2026-11-23"]);
    assert_eq!(vault.read(days[0]).await.unwrap().as_deref(), Some("{}"));
    assert_eq!(vault.read(days[1]).await.unwrap(), None);
    let heads: Vec<String> = serving.join().unwrap().into_iter().map(|(head, _)| head).collect();
    assert!(heads[1].contains("continuation-token=t"), "{}", heads[1]);
    assert!(heads[2].starts_with("GET /bucket/checkpoints/2026/11/2026-11-22.json"), "{}", heads[2]);
}

#[tokio::test]
async fn kms_signs_the_digest_and_hands_out_the_public_key() {
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let arn = "arn:aws:kms:eu-west-1:123456789012:key/1";
    let answers = vec![
        ("200 OK", json!({"KeyId": arn, "Signature": base64(b"signature")}).to_string()),
        ("200 OK", json!({"KeyId": arn, "PublicKey": base64(&[7; 91])}).to_string()),
        ("400 Bad Request", json!({"__type": "DisabledException", "message": "no"}).to_string()),
    ];
    let (url, serving) = serve(answers);
    let vault = vault(&url).await;
    let signed = vault.sign(&checkpoint()).await.unwrap();
    assert_eq!(signed, Signed { key: arn.to_owned(), signature: b"signature".to_vec() });
    let key = vault.public_key().await.unwrap();
    assert_eq!((key.key.as_str(), key.algorithm.as_str()), (arn, "ECDSA_SHA_256"));
    let lines: Vec<&str> = key.public_key_pem.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[1].len()), (4, "-----BEGIN PUBLIC KEY-----", 64));
    assert!(matches!(vault.sign(&checkpoint()).await, Err(StoreError::Refused { .. })));

    let asked: Value = serde_json::from_str(&serving.join().unwrap()[0].1).unwrap();
    let expected = json!({
        "KeyId": "alias/checkpoints", "Message": base64(&checkpoint().digest()), "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    });
    assert_eq!(asked, expected);
}
