//! A pass that stood still for so long that another took it for dead: it commits nothing, and touches nothing that may be
//! the other's.

use std::path::Path;

use serde_json::json;

use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// Something happens in the destination in the middle of a pass, which then ends.
fn meanwhile(happens: impl Fn(&Path) + Send + Sync + 'static) -> (FakePortal, Job, Run) {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal);
    let destination = job.destination();
    let edit = FaultKind::edit(move |_| happens(&destination));
    portal.add_fault(Fault::on("query", edit));
    let run = job.run();
    (portal, job, run)
}

fn marks(destination: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(destination.join("passes")).expect("marks");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

#[track_caller]
fn assert_gave_up(run: &Run, job: &Job) {
    let summary = run.ended(11).summary();
    let error = summary["error"].as_str().expect("an error");
    assert!(error.contains("took over the destination"), "{error}");
    assert_eq!(job.archive().stamps(), [""; 0], "no snapshot");
    assert_eq!(job.archive().history()["exit"], 11);
}

#[test]
fn a_pass_whose_mark_is_gone_commits_nothing_and_the_next_takes_over_its_work() {
    let (_portal, job, run) = meanwhile(|destination| {
        for mark in marks(destination) {
            std::fs::remove_file(mark).expect("removed");
        }
    });
    assert_gave_up(&run, &job);
    assert_eq!(job.archive().names("passes"), [""; 0]);
    let run = job.run();
    run.ended(0);
    assert!(
        run.summary()["unchanged"].as_u64() > Some(10),
        "{}",
        run.stdout
    );
    job.archive().assert_whole();
}

#[test]
fn a_pass_commits_nothing_when_a_later_one_is_at_work() {
    const LATER: &str = "20981231T000000Z.json";
    const UNFINISHED: &str = ".agol-backup-partial/data.json.another";
    let (_portal, job, run) = meanwhile(|destination| {
        let mark = json!({"stamp": "20981231T000000Z", "host": "another", "process": 1,
                          "started_at": "2098-12-31T00:00:00Z", "program": "agol-backup 0.1.0"});
        std::fs::write(destination.join("passes").join(LATER), mark.to_string()).expect("written");
        std::fs::write(destination.join(UNFINISHED), "half").expect("written");
    });
    assert_gave_up(&run, &job);
    assert_eq!(job.archive().names("passes"), [LATER], "its own mark goes");
    assert_eq!(job.archive().bytes(UNFINISHED), b"half");
}
