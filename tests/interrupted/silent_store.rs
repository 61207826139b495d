//! A signal while the destination answers nothing, or slowly: the run ends all the same, and the next one begins.

use std::time::Duration;

use super::ended;
use crate::support::begun::Begun;
use crate::support::portal::FakePortal;
use crate::support::proxy::{Act, Rule};
use crate::support::run::Job;
use crate::support::store::Store;
use crate::support::worlds;

/// A bucket, and a job that writes to it.
fn bucket() -> (FakePortal, Store, Job) {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let store = Store::s3();
    let job = store.job(&portal);
    (portal, store, job)
}

/// With what a pass claims the destination, after it has tried and before it marks it.
const CLAIM: &str = ".claim";

/// A run that writes what has this in its path, which now meets this.
fn writing(job: &Job, store: &Store, part: &str, act: Act) -> Begun {
    let proxy = store.proxy().expect("a proxy");
    proxy.add(Rule::on("PUT", part).forever().then(act));
    Begun::of(job).until("it writes", |_| {
        proxy.count(|seen| seen.method == "PUT" && seen.path.contains(part)) > 0
    })
}

#[track_caller]
fn next_pass_is_whole(store: &Store, job: &Job) {
    store.proxy().expect("a proxy").clear_faults();
    job.run().ended(0);
    let marks = store.files().into_keys();
    assert_eq!(marks.filter(|path| path.starts_with("passes/")).count(), 0);
}

#[test]
fn a_destination_that_is_silent_when_it_is_taken_does_not_hold_a_stopped_run() {
    let (_portal, store, job) = bucket();
    let run = writing(&job, &store, CLAIM, Act::Hang).told("TERM");
    ended(&run, 143);
    next_pass_is_whole(&store, &job);
}

#[test]
fn a_destination_that_is_taken_after_the_signal_is_given_back() {
    let (_portal, store, job) = bucket();
    let slow = Act::Slow(Duration::from_secs(1));
    let run = writing(&job, &store, CLAIM, slow).told("INT");
    ended(&run, 130);
    assert_eq!(store.files().len(), 0, "{:?}", store.files().keys());
    next_pass_is_whole(&store, &job);
}

#[test]
fn a_destination_that_is_silent_at_the_end_does_not_hold_a_stopped_run() {
    let (_portal, store, job) = bucket();
    let run = writing(&job, &store, "/history/", Act::Hang).told("TERM");
    let summary = ended(&run, 3);
    let error = summary["error"].as_str().expect("text");
    assert!(
        error.contains("committed") && error.contains("SIGTERM"),
        "{error}"
    );
    assert_eq!(run.events("snapshot committed").len(), 1);
    next_pass_is_whole(&store, &job);
}
