//! The summary file: written for every end, a wrong setting included, and small enough for Kubernetes.

use agol_backup::exit::Exit;
use agol_backup::snapshot::{Stamp, now};
use agol_backup::summary::Summary;
use serde_json::Value;

use crate::support::portal::FakePortal;
use crate::support::run::Job;
use crate::support::worlds;

/// Kubernetes keeps this much of a termination message.
const LIMIT: usize = 4096;

fn summary(job: &Job) -> Value {
    let bytes = std::fs::read(job.folder().join("summary.json")).expect("a file");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn with_file(job: Job) -> Job {
    let path = job.folder().join("summary.json");
    job.with("BACKUP_SUMMARY_FILE", path)
}

#[test]
fn a_run_with_a_wrong_setting_writes_it_too() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = with_file(Job::against(&portal)).with("BACKUP_CONCURRENCY", "many");
    let run = job.run();
    let line = run.ended(2).summary();
    let file = summary(&job);
    for name in ["exit", "outcome", "error", "elapsed_ms"] {
        assert_eq!(file[name], line[name], "{name}");
    }
    assert!(
        file["error"]
            .as_str()
            .expect("a reason")
            .contains("BACKUP_CONCURRENCY")
    );
    assert_eq!(portal.count("*"), 0, "nobody is contacted");
    job.run_with(&["--frequency"]).ended(2);
    assert_eq!(summary(&job)["outcome"], "config");
}

#[test]
fn however_long_the_reason_it_stays_small() {
    let mut summary = Summary::begun(now());
    summary.stamp = Some(Stamp::of(now()));
    summary.close(Exit::Portal, Some("\"é\\\n".repeat(2_000)));
    (summary.bytes, summary.rows, summary.requests) = (u64::MAX, u64::MAX, u64::MAX);
    let file = serde_json::to_vec_pretty(&summary).expect("JSON");
    assert!(file.len() < LIMIT, "{} bytes", file.len());
    let reason = summary.error.expect("a reason");
    assert!(
        reason.starts_with("\"é\\\n\"é") && reason.ends_with('…'),
        "{reason}"
    );
    let mut short = Summary::begun(now());
    short.close(Exit::Portal, Some("short".to_owned()));
    assert_eq!(short.error.as_deref(), Some("short"));
}
