//! A stack with a data folder goes on where it was, whatever had not been moved yet.

use std::path::PathBuf;

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local};
use serde_json::json;

/// A new empty folder, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("meshline-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn an_accepted_webhook_and_a_deadline_survive_a_restart() {
    let folder = Folder::new("restart");
    let local = Local::start_with(Some(folder.0.clone())).await;
    assert_eq!(local.apply(&EXAMPLES).await.0, 200);
    let open = local.opened("first").await;
    // Accepted, and not moved on: what a crash right after the 202 leaves behind.
    assert_eq!(local.publish("second").await.0, 202);
    drop(local);

    let local = Local::start_with(Some(folder.0.clone())).await;
    local.settle().await;
    assert_eq!(local.runs("blog-launch").await.len(), 2);
    local.advance(Span::hours(2)).await;
    let run = local.get(&format!("/v1/runs/{open}")).await;
    assert_eq!(run["outcomes"][0]["breached_at"], json!("2026-11-23T11:00:00.000Z"));
    let trail = local.trail(&open).await;
    assert_eq!(trail.iter().filter(|kind| *kind == "sla_breached").count(), 1);
}
