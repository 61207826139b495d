//! At its time limit a pass begins no new item, commits what it has and names what it has not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::portal::FakePortal;
use crate::support::run::Job;
use crate::support::worlds;

/// A slow portal with 24 maps and a pass of one second.
fn limited() -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(worlds::large_listing(24));
    let job = Job::against(&portal).with("BACKUP_CONCURRENCY", "2");
    (portal, job)
}

/// Runs for a second on a portal that takes its time: the entries that were not begun.
#[track_caller]
fn out_of_time(portal: &FakePortal, job: Job, state: &str) -> (Job, Vec<Value>) {
    portal.edit(|world| world.settings.latency_ms = 100);
    portal.reset_log();
    let job = job.with("BACKUP_MAX_DURATION", "1s");
    let summary = job.run().ended(3).summary();
    job.archive().assert_whole();
    let snapshot = job.archive().snapshot();
    assert_eq!(snapshot["complete"], false);
    let items = snapshot["items"].as_array().expect("items").iter();
    let left: Vec<Value> = items
        .filter(|item| item["state"] == state)
        .cloned()
        .collect();
    assert!(left.len() > 2, "{summary}");
    assert_eq!(
        (&summary[state], &summary["stored"]),
        (&json!(left.len()), &json!(24 - left.len()))
    );
    for item in &left {
        assert_eq!(item["error"]["stage"], "time");
        let id = item["id"].as_str().expect("an id");
        let asked = portal
            .requests()
            .into_iter()
            .any(|seen| seen.path.contains(id));
        assert!(!asked, "no new item is begun");
    }
    (job, left)
}

#[test]
fn at_the_time_limit_what_is_stored_is_committed_and_the_rest_is_named() {
    let (portal, job) = limited();
    let (job, left) = out_of_time(&portal, job, "missing");
    assert!(left.len() < 24, "what was begun is finished");
    portal.edit(|world| world.settings.latency_ms = 0);
    let job = job.without("BACKUP_MAX_DURATION");
    assert_eq!(
        job.run().ended(0).summary()["stored"],
        json!(left.len()),
        "the next pass does the rest"
    );
}

#[test]
fn at_the_time_limit_earlier_copies_stay_named() {
    let (portal, job) = limited();
    job.run().ended(0);
    let before = job.archive().contents();
    let ids: Vec<String> =
        portal.edit(|world| world.items.iter().map(|item| item.id.clone()).collect());
    for id in ids {
        portal.edit(|world| world.edit_item(&id, |item| item.tags.push("edited".to_owned())));
    }
    let (job, left) = out_of_time(&portal, job, "kept");
    let after = job.archive().contents();
    for item in left {
        assert!(item["record"].is_string(), "{item}");
        let id = item["id"].as_str().expect("an id");
        let of = |contents: &BTreeMap<String, String>| {
            let files = contents.iter().filter(|(place, _)| place.contains(id));
            files
                .map(|(place, hash)| (place.clone(), hash.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&after), of(&before));
    }
}
