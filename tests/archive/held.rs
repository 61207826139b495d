//! One pass at a time: the marker of a running pass, of a dead one, and a clock that is wrong.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{backed_up, state_of};
use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::run::Job;
use crate::support::worlds;

/// More than any Linux gives.
const NOBODY: u32 = u32::MAX - 7;

fn this_host() -> String {
    gethostname::gethostname().into_string().expect("text")
}

/// Leaves the marker that a pass of this host would.
fn mark(job: &Job, stamp: &str, process: u32) -> PathBuf {
    sign(job, &format!("{stamp}.json"), stamp, process)
}

/// A marker or a claim, by its name.
fn sign(job: &Job, name: &str, stamp: &str, process: u32) -> PathBuf {
    let sign = json!({"stamp": stamp, "host": this_host(), "process": process,
                      "started_at": "2026-01-01T00:00:00Z", "program": "agol-backup 0.1.0"});
    leave(job, name, &sign.to_string())
}

fn leave(job: &Job, name: &str, text: &str) -> PathBuf {
    let folder = job.destination().join("passes");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

/// Nobody has written this for ten minutes.
fn silence(path: &Path) {
    let long_ago = SystemTime::now() - Duration::from_mins(10);
    let file = std::fs::File::options().write(true).open(path);
    let file = file.expect("a file");
    file.set_modified(long_ago).expect("a time");
}

fn error_of(job: &Job, code: i32) -> String {
    let run = job.run();
    run.ended(code);
    run.summary()["error"]
        .as_str()
        .expect("an error")
        .to_owned()
}

#[test]
fn no_marker_is_left_by_a_pass_that_ended() {
    let (portal, job) = backed_up(worlds::city());
    assert!(job.archive().names("passes").is_empty());
    portal.add_fault(Fault::on("user_content", FaultKind::Html(404)).forever());
    job.run().ended(12);
    assert!(job.archive().names("passes").is_empty());
}

#[test]
#[cfg(target_os = "linux")] // elsewhere nobody tells that a process has gone, so two silent minutes do
fn a_killed_pass_leaves_its_marker_and_nothing_that_counts() {
    let portal = FakePortal::start_blocking(worlds::city());
    portal.add_fault(Fault::on("query", FaultKind::Hang).forever());
    let job = Job::against(&portal);
    let begun = Begun::of(&job).until("rows are asked for", |_| portal.count("query") > 0);
    let markers = job.archive().names("passes");
    assert_eq!(markers.len(), 1);
    let marker = job.archive().json(&format!("passes/{}", markers[0]));
    assert_eq!(marker["host"], this_host());
    assert_eq!(begun.told("KILL").code, -1);
    assert!(job.archive().stamps().is_empty());
    portal.clear_faults();
    job.run().ended(0);
    job.archive().assert_whole();
    let files = job.archive().files();
    let hidden = files.iter().filter(|path| path.starts_with(['.', 'p']));
    assert_eq!(
        hidden.count(),
        0,
        "neither markers nor unfinished files are left: {files:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn the_marker_of_a_dead_pass_locks_nobody_out_and_goes() {
    let (_portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
    let marker = mark(&job, "20260101T000000Z", NOBODY);
    job.run().ended(0);
    assert!(!marker.exists());
}

#[test]
fn a_living_pass_is_left_alone() {
    let (portal, job) = backed_up(worlds::city());
    let marker = mark(&job, "20260101T000000Z", std::process::id());
    let before = state_of(&job.archive());
    portal.reset_log();
    let error = error_of(&job, 11);
    assert!(error.contains(&std::process::id().to_string()), "{error}");
    assert!(
        state_of(&job.archive()) == before && marker.exists(),
        "nothing is touched"
    );
    let changing = |method: &str, route| method != "GET" && route != "token";
    let requests = portal.requests();
    assert!(
        requests
            .iter()
            .all(|seen| !changing(&seen.method, seen.route))
    );
}

#[test]
fn who_claims_the_destination_is_left_alone_too() {
    let (_portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
    let stamp = "20260101T000000Z";
    sign(
        &job,
        &format!("{stamp}-1-0123.claim"),
        stamp,
        std::process::id(),
    );
    let before = state_of(&job.archive());
    error_of(&job, 11);
    assert!(state_of(&job.archive()) == before, "nothing is touched");
}

#[test]
#[cfg(target_os = "linux")]
fn a_dead_claim_locks_nobody_out_and_goes() {
    let (_portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
    let stamp = "20260101T000000Z";
    let claim = sign(&job, &format!("{stamp}-1-0123.claim"), stamp, NOBODY);
    job.run().ended(0);
    assert!(!claim.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_of_a_container_whose_host_has_our_name_is_not_looked_for_here() {
    let (_portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
    let stamp = "20260101T000000Z";
    let sign = json!({"stamp": stamp, "host": this_host(), "process": NOBODY, "namespace": "pid:[1]",
                      "started_at": "2026-01-01T00:00:00Z", "program": "agol-backup 0.1.0"});
    leave(&job, &format!("{stamp}.json"), &sign.to_string());
    error_of(&job, 11);
}

#[test]
fn a_sign_that_cannot_be_read_is_somebodys_until_it_has_been_silent() {
    let (_portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
    for name in ["20260101T000000Z.json", "20260101T000000Z-1-0123.claim"] {
        for text in ["", "{\"stamp\": \"2026", "null"] {
            let sign = leave(&job, name, text);
            let before = state_of(&job.archive());
            let error = error_of(&job, 11);
            assert!(error.contains(name), "{error}");
            assert!(state_of(&job.archive()) == before, "nothing is touched");
            silence(&sign);
            job.run().ended(0);
            assert!(!sign.exists());
        }
    }
}

#[test]
fn a_pass_from_the_future_means_that_a_clock_is_wrong() {
    let (_portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
    let archive = job.archive();
    let mut future: Value = archive.snapshot();
    future["stamp"] = json!("20991231T000000Z");
    let path = archive.root.join("snapshots/20991231T000000Z.json");
    std::fs::write(path, future.to_string()).expect("written");
    let before = state_of(&archive);
    let error = error_of(&job, 13);
    assert!(error.contains("clock") && error.contains("2099"), "{error}");
    assert!(state_of(&archive) == before);
}

#[test]
fn a_pass_that_dies_in_the_middle_commits_nothing() {
    let portal = FakePortal::start_blocking(worlds::city());
    let refusal = json!({"code": 498, "message": "Invalid refresh_token"});
    portal.add_fault(Fault::on("query", FaultKind::ExpireTokens));
    portal.add_fault(
        Fault::on("token", FaultKind::ErrorInBody(refusal))
            .skip(1)
            .forever(),
    );
    let job = Job::against(&portal);
    let run = job.run();
    run.ended(10);
    let archive = job.archive();
    assert!(archive.stamps().is_empty());
    assert!(archive.names("passes").is_empty());
    assert_eq!(archive.history()["outcome"], "sign-in");
    portal.clear_faults();
    job.run().ended(0);
    archive.assert_whole();
}

#[test]
fn two_passes_of_the_same_second_have_names_of_their_own() {
    let (_portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
    for _ in 0..3 {
        job.run().ended(0);
    }
    let stamps = job.archive().stamps();
    assert_eq!(stamps.len(), 4, "{stamps:?}");
    for stamp in &stamps {
        assert_eq!(
            job.archive().json(&format!("snapshots/{stamp}.json"))["stamp"],
            **stamp
        );
    }
}

#[test]
fn a_store_that_fails_in_the_middle_commits_nothing() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal);
    std::fs::create_dir_all(job.destination()).expect("a folder");
    std::fs::write(job.destination().join("items"), "not a folder").expect("written");
    let error = error_of(&job, 13);
    assert!(
        error.contains("BACKUP_DESTINATION") && error.contains("items"),
        "{error}"
    );
    let archive = job.archive();
    assert!(archive.stamps().is_empty() && archive.names("passes").is_empty());
    assert_eq!(archive.history()["outcome"], "sink");
}
