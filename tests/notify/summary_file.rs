//! The summary file: written for every end, a wrong setting included, and small enough for Kubernetes.

use serde_json::Value;

use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::run::Job;
use crate::support::worlds;

/// Kubernetes keeps this much of a termination message.
const LIMIT: usize = 4096;

fn summary(job: &Job) -> Value {
    let bytes = std::fs::read(job.folder().join("summary.json")).expect("a file");
    assert!(bytes.len() < LIMIT, "{} bytes", bytes.len());
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
    let portal = FakePortal::start_blocking(worlds::empty());
    let long = "\"é\\\n".repeat(2_000).leak();
    let fault = Fault::on("user_content", FaultKind::TextPlainError(400, long));
    portal.add_fault(fault.forever());
    let job = with_file(Job::against(&portal));
    job.run().ended(12);
    assert!(
        summary(&job)["error"]
            .as_str()
            .expect("a reason")
            .contains("\"é\\")
    );
}
