//! Standard output is one JSON object a line under names that never vary; the last one is the summary.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// Every event that a line may be about.
const EVENTS: [&str; 28] = [
    "clock differs from the portal's",
    "discovered",
    "item failed",
    "item skipped",
    "item stored",
    "logging was started twice",
    "marker not rewritten",
    "panicked",
    "pass finished",
    "pass not closed",
    "pass started",
    "plan ready",
    "progress",
    "pruned",
    "record altered",
    "record missing",
    "refresh token ends soon",
    "request retried",
    "signed in",
    "slowed down",
    "snapshot committed",
    "snapshot not readable",
    "summary file not written",
    "temporary export not removed",
    "temporary export removed",
    "temporary exports left",
    "traces of a dead pass removed",
    "unknown variable",
];

/// What the closing line tells of every run.
const SUMMARY: [&str; 13] = [
    "exit",
    "outcome",
    "stored",
    "unchanged",
    "kept",
    "missing",
    "skipped",
    "rows",
    "bytes",
    "requests",
    "retries",
    "elapsed_ms",
    "token_days_left",
];

/// A pass in which something of everything happens, with one item that fails.
fn eventful() -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(worlds::city());
    portal.edit(|world| world.settings.export_polls = 0);
    let report = portal.edit(|world| world.titled("Annual report").id.clone());
    let forbidden = FaultKind::TextPlainError(403, "You do not have permissions.");
    portal.add_fault(Fault::on("data", forbidden).only(&report).forever());
    portal.add_fault(Fault::on("layers", FaultKind::Reset));
    portal.add_fault(Fault::on("query", FaultKind::Throttle429InBody(1)));
    portal.add_fault(Fault::on("delete", FaultKind::DeleteFails));
    let job = Job::against(&portal)
        .with("BACKUP_FORMATS", "geojson,csv")
        .with("BACKUP_PORT", "tcp://10.0.0.1:80");
    (portal, job)
}

#[test]
fn every_line_is_an_event_of_a_known_name() {
    let (_portal, job) = eventful();
    let run = job.run();
    let lines = run.ended(3).lines();
    for line in &lines {
        let moment = line["timestamp"].as_str().expect("a timestamp");
        assert!(moment.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(
            matches!(line["level"].as_str(), Some("INFO" | "WARN" | "ERROR")),
            "{line}"
        );
    }
    let names = lines
        .iter()
        .map(|line| line["message"].as_str().expect("a name"));
    let names: BTreeSet<&str> = names.collect();
    let unknown: Vec<_> = names.iter().filter(|name| !EVENTS.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(names.len() >= 13, "hardly anything happened: {names:?}");
    assert_eq!(lines[0]["message"], "pass started");
    assert_eq!(lines[lines.len() - 1]["message"], "pass finished");
}

#[test]
fn what_varies_is_a_field_and_never_the_name() {
    let (portal, job) = eventful();
    let run = job.run();
    let one = |name: &str| run.events(name).remove(0);
    assert_eq!(one("signed in")["username"], "gis_backup");
    let plan = one("plan ready");
    assert_eq!(
        (&plan["unchanged"], &plan["skipped"]),
        (&0.into(), &1.into())
    );
    assert_eq!(
        one("discovered")["items"],
        portal.edit(|world| world.items.len())
    );
    let failed = one("item failed");
    assert_eq!(
        (&failed["title"], &failed["stage"]),
        (&"Annual report".into(), &"data".into())
    );
    assert!(
        failed["reason"]
            .as_str()
            .expect("a reason")
            .contains("permissions"),
        "{failed}"
    );
    let retried = one("request retried");
    assert!(
        retried["subject"].is_string() && retried["reason"].is_string(),
        "{retried}"
    );
    assert!(
        retried["attempt"].is_u64() && retried["wait_ms"].is_u64(),
        "{retried}"
    );
    assert_eq!(one("snapshot committed")["complete"], false);
    assert_eq!(
        run.events("temporary export removed").len(),
        portal.exports_created().len()
    );
}

#[track_caller]
fn whole_summary(summary: &Value) {
    for name in SUMMARY {
        assert!(!summary[name].is_null(), "no {name} in {summary}");
    }
    for name in SUMMARY
        .iter()
        .filter(|name| !matches!(**name, "outcome" | "token_days_left"))
    {
        assert!(summary[*name].is_u64(), "{name} is a number in {summary}");
    }
}

#[test]
fn the_summary_is_the_same_wherever_it_is_written() {
    let (_portal, job) = eventful();
    let path = job.folder().join("summary.json");
    let job = job.with("BACKUP_SUMMARY_FILE", &path);
    let line = job.run().ended(3).summary();
    whole_summary(&line);
    let file: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    let history = job.archive().history();
    for name in SUMMARY {
        let told = (&file[name], &history[name]);
        assert_eq!(told, (&line[name], &line[name]), "{name}");
    }
    assert_eq!(file["stamp"], line["stamp"]);
    assert_eq!(history["failed"][0]["title"], "Annual report");
    assert_eq!(history["failed"][0]["error"]["stage"], "data");
}

#[cfg(unix)]
#[test]
fn the_summary_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let portal = FakePortal::start_blocking(worlds::large_listing(1));
    let job = Job::against(&portal);
    let path = job.folder().join("summary.json");
    let job = job.with("BACKUP_SUMMARY_FILE", &path);
    job.run().ended(0);
    let mode = std::fs::metadata(&path)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_summary_counts_what_was_done() {
    let (portal, job) = eventful();
    let summary = job.run().ended(3).summary();
    let items = job.archive().snapshot()["items"].clone();
    let of = |state: &str| {
        let items = items.as_array().expect("items").iter();
        items.filter(|item| item["state"] == state).count()
    };
    for state in ["stored", "unchanged", "kept", "missing", "skipped"] {
        assert_eq!(summary[state], of(state), "{state}");
    }
    assert_eq!(summary["requests"], portal.count("*"));
    let rows = items
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["rows"].as_u64());
    assert_eq!(summary["rows"].as_u64(), rows.sum::<Option<u64>>());
}

#[test]
fn requests_are_counted_though_the_sign_in_failed() {
    let portal = FakePortal::start_blocking(worlds::empty());
    portal.revoke_refresh();
    let summary = Job::against(&portal).run().ended(10).summary();
    assert_eq!(summary["requests"], portal.count("*"));
}

#[test]
fn a_summary_that_cannot_be_written_changes_no_end() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let job = Job::against(&portal).with("BACKUP_SUMMARY_FILE", "/no/such/folder/summary.json");
    let run = job.run();
    assert_eq!(run.ended(0).events("summary file not written").len(), 1);
    whole_summary(&run.summary());
}

/// A small pass that speaks as these two variables say.
fn speaking(log: &str, filter: &str) -> Run {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let job = Job::against(&portal);
    let run = job.with("BACKUP_LOG", log).with("RUST_LOG", filter).run();
    run.ended(0);
    run
}

#[test]
fn people_get_text() {
    let run = speaking("text", "info");
    assert!(
        run.stdout.lines().all(|line| !line.starts_with('{')),
        "{}",
        run.stdout
    );
    assert!(
        !run.stdout.contains('\u{1b}'),
        "no colours in a file: {}",
        run.stdout
    );
    assert_eq!(run.stdout.matches("pass finished").count(), 1);
    assert_eq!(run.stdout.matches("item stored").count(), 2);
    assert_eq!(run.stderr, "", "no bar without a terminal");
}

#[test]
fn machines_get_json_without_asking() {
    let asked = speaking("json", "info").lines().len();
    assert_eq!(speaking("auto", "info").lines().len(), asked);
}

#[test]
fn a_blank_filter_silences_nothing() {
    assert_eq!(speaking("json", " ").events("item stored").len(), 2);
    assert_eq!(speaking("", "").events("item stored").len(), 2);
}

#[test]
fn one_line_closes_the_run_whatever_is_filtered() {
    for filter in [
        "warn",
        "error",
        "off",
        "agol_backup=off",
        "agol_backup::telemetry=off",
    ] {
        let run = speaking("json", filter);
        assert_eq!(run.lines().len(), 1, "{filter}: {}", run.stdout);
        whole_summary(&run.summary());
    }
}
