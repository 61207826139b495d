//! Whoever stops a pass, and whenever: what was there stays whole, nothing half-done is named, nothing is
//! left in the organisation, and the next pass goes on from there.
#![cfg(unix)]

mod adopted;
mod exporting;
mod late;
mod silent_store;
mod time_limit;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// A job over the city by that method.
fn city(method: &str) -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal).with("BACKUP_METHOD", method);
    (portal, job)
}

/// The run ended with this code, and its last line says so.
#[track_caller]
fn ended(run: &Run, code: i32) -> Value {
    let last = run.ended(code).lines().pop().expect("lines");
    assert_eq!(last["message"], "pass finished");
    assert_eq!(last["exit"], code);
    last
}

/// It did so in order, by a signal: told, remembered, and with nothing begun left standing.
#[track_caller]
fn ended_in_order(run: &Run, code: i32, portal: &FakePortal, job: &Job) {
    let summary = ended(run, code);
    assert_eq!(summary["outcome"], "interrupted");
    assert_eq!(
        portal.exports_left(),
        [""; 0],
        "temporary items are removed"
    );
    assert_eq!(portal.recycle_bin(), [""; 0], "for good");
    let archive = job.archive();
    assert_eq!(archive.names("passes"), [""; 0], "its mark is gone");
    let history = archive.history();
    assert_eq!(
        (&history["exit"], &history["stamp"]),
        (&json!(code), &summary["stamp"])
    );
    let partial = archive
        .files()
        .into_iter()
        .filter(|path| path.contains("partial"));
    assert_eq!(partial.collect::<Vec<_>>(), [""; 0], "no unfinished file");
}

/// Waits for exports to be under way, all of them stuck.
fn exporting(portal: &FakePortal, job: &Job) -> Begun {
    portal.add_fault(Fault::on("export", FaultKind::ExportStuck).forever());
    Begun::of(job).until("exports run", |_| portal.exports_created().len() >= 5)
}

#[test]
fn sigterm_removes_the_exports_that_are_under_way() {
    let (portal, job) = city("export");
    let run = exporting(&portal, &job).told("TERM");
    ended_in_order(&run, 143, &portal, &job);
    assert!(job.archive().stamps().is_empty(), "no snapshot");
}

#[test]
fn sigint_does_the_same_under_its_own_code() {
    let (portal, job) = city("export");
    let run = exporting(&portal, &job).told("INT");
    ended_in_order(&run, 130, &portal, &job);
    assert!(job.archive().stamps().is_empty(), "no snapshot");
}

#[test]
fn an_export_whose_answer_is_still_to_come_is_found_and_removed() {
    let portal = FakePortal::start_blocking(worlds::one_layer(worlds::notes(5)));
    let acts_and_dawdles = FaultKind::alter(|_, reply| {
        std::thread::sleep(std::time::Duration::from_secs(2));
        reply
    });
    portal.add_fault(Fault::on("export", acts_and_dawdles));
    let job = Job::against(&portal).with("BACKUP_METHOD", "export");
    let begun = Begun::of(&job).until("it acts", |_| !portal.exports_created().is_empty());
    let run = begun.told("TERM");
    ended_in_order(&run, 143, &portal, &job);
    assert_eq!(portal.deleted(), portal.exports_created());
}

#[test]
fn sigterm_while_rows_are_read_leaves_no_snapshot() {
    let (portal, job) = city("query");
    portal.add_fault(Fault::on("query", FaultKind::Slow(5000)).forever());
    let begun = Begun::of(&job).until("rows are asked for", |_| portal.count("query") >= 3);
    ended_in_order(&begun.told("TERM"), 143, &portal, &job);
    assert!(job.archive().stamps().is_empty(), "no snapshot");
}

#[test]
fn sigterm_is_heard_while_a_server_says_nothing() {
    for (route, has_archive) in [
        ("data", true),
        ("user_content", true),
        ("self", false),
        ("token", false),
    ] {
        let (portal, job) = city("query");
        portal.add_fault(Fault::on(route, FaultKind::Hang).forever());
        let begun = Begun::of(&job).until("it hangs", |_| portal.count(route) > 0);
        let run = begun.told("TERM");
        if has_archive {
            ended_in_order(&run, 143, &portal, &job);
        }
        assert_eq!(
            run.ended(143).summary()["outcome"],
            "interrupted",
            "{route}"
        );
        assert!(job.archive().stamps().is_empty(), "no snapshot");
    }
}

#[test]
fn sigterm_is_heard_while_a_question_waits_to_be_asked_again() {
    let (portal, job) = city("query");
    portal.add_fault(Fault::on("user_content", FaultKind::Throttle429InBody(600)).forever());
    let begun = Begun::of(&job).until("it waits", |begun| {
        begun.heard().contains("request retried")
    });
    ended_in_order(&begun.told("TERM"), 143, &portal, &job);
}

/// Somebody changes a few rows, so that the next pass has something to do.
fn edit(portal: &FakePortal) {
    portal.edit(|world| {
        world.delete_feature("Hydrants", 0, 3);
        world.delete_feature("Parks", 0, 2);
    });
}

/// Everything below `snapshots` and what it names, byte for byte.
fn committed(job: &Job) -> (Vec<String>, BTreeMap<String, String>, Value) {
    let archive = job.archive();
    archive.assert_whole();
    (archive.stamps(), archive.contents(), archive.snapshot())
}

#[test]
fn what_was_there_before_an_interrupted_pass_stays_and_the_next_completes() {
    for signal in ["TERM", "KILL"] {
        let (portal, job) = city("query");
        job.run().ended(0);
        let before = committed(&job);
        edit(&portal);
        portal.add_fault(Fault::on("query", FaultKind::Hang).forever());
        portal.reset_log();
        let begun = Begun::of(&job).until("rows are asked for", |_| portal.count("query") >= 2);
        assert_ne!(begun.told(signal).code, 0);
        assert_eq!(committed(&job), before, "{signal}");
        portal.clear_faults();
        job.run().ended(0);
        let (stamps, _, snapshot) = committed(&job);
        assert_eq!(
            (stamps.len(), &snapshot["complete"]),
            (2, &json!(true)),
            "{signal}"
        );
        assert_eq!(job.archive().entry("Hydrants")["rows"], 249);
        assert_eq!(job.archive().names("passes"), [""; 0]);
    }
}

#[test]
fn after_a_kill_the_next_pass_removes_what_the_dead_one_left() {
    let (portal, job) = city("export");
    portal.edit(|world| world.settings.export_polls = 0);
    let run = exporting(&portal, &job).told("KILL");
    assert_eq!(run.code, -1, "killed");
    assert!(run.events("pass finished").is_empty());
    let left = portal.exports_left();
    assert!(left.len() >= 5, "{left:?}");
    assert_eq!(
        job.archive().names("passes").len(),
        1,
        "the mark of a pass that died"
    );
    assert!(job.archive().stamps().is_empty(), "no snapshot");
    portal.clear_faults();
    let run = job.run();
    assert_eq!(
        run.ended(0).events("traces of a dead pass removed").len(),
        1
    );
    assert_eq!(portal.exports_left(), [""; 0]);
    assert!(left.iter().all(|id| portal.deleted().contains(id)));
    assert_eq!(portal.recycle_bin(), [""; 0], "for good");
    assert_eq!(job.archive().names("passes"), [""; 0]);
    assert_eq!(committed(&job).2["complete"], true);
}

#[test]
fn a_pass_in_a_row_of_interrupted_ones_finds_no_trace_of_them() {
    let (portal, job) = city("query");
    portal.add_fault(Fault::on("query", FaultKind::Hang).forever());
    for _ in 0..3 {
        portal.reset_log();
        let begun = Begun::of(&job).until("rows are asked for", |_| portal.count("query") >= 1);
        ended_in_order(&begun.told("TERM"), 143, &portal, &job);
    }
    portal.clear_faults();
    job.run().ended(0);
    assert_eq!(
        (
            committed(&job).0.len(),
            job.archive().names("history").len()
        ),
        (1, 4)
    );
}

#[test]
fn after_a_kill_at_any_moment_the_next_pass_is_whole() {
    let (portal, undisturbed) = city("query");
    undisturbed.run().ended(0);
    portal.edit(|world| world.settings.latency_ms = 3);
    for requests in [1, 4, 10, 30, 60, 100, 130] {
        let job = Job::against(&portal).with("BACKUP_METHOD", "query");
        portal.reset_log();
        let begun = Begun::of(&job).until("it is so far", |_| portal.count("*") >= requests);
        assert_eq!(begun.told("KILL").code, -1);
        job.archive().assert_whole();
        job.run().ended(0);
        let (_, contents, snapshot) = committed(&job);
        assert_eq!(snapshot["complete"], true);
        assert_eq!(contents, committed(&undisturbed).1, "after {requests}");
    }
}
