//! Of what is listed, only what was asked for is kept; and nothing at all is no success.

use serde_json::{Value, json};

use super::{assert_nothing_committed, maps, titles};
use crate::support::portal::{FakePortal, Item};
use crate::support::run::Job;
use crate::support::worlds;

/// Types that a search takes for `Web Map`, and that are not.
fn look_alikes() -> FakePortal {
    let mut world = worlds::empty();
    for (kind, title) in [
        ("Web Map", "Map"),
        ("Web Mapping Application", "App"),
        ("web map", "Lower case"),
        ("CSV", "Web Map.csv"),
    ] {
        world.add_item(Item::new(kind, title));
    }
    FakePortal::start_blocking(world)
}

#[test]
fn types_are_exact() {
    let portal = look_alikes();
    let job = Job::against(&portal).with("BACKUP_ITEM_TYPES", "Web Map, CSV");
    job.run().ended(0);
    assert_eq!(titles(&job), ["Map", "Web Map.csv"]);
}

#[test]
fn a_search_hit_of_another_type_is_not_taken() {
    let portal = look_alikes();
    let job = Job::against(&portal)
        .with("BACKUP_SCOPE", "query")
        .with("BACKUP_QUERY", "type:\"Web Map\"")
        .with("BACKUP_ITEM_TYPES", "Web Map");
    job.run().ended(0);
    assert_eq!(titles(&job), ["Map"]);
}

#[test]
fn an_item_with_the_tag_is_skipped_and_the_snapshot_says_why() {
    let portal = FakePortal::start_blocking(maps(2));
    let job = Job::against(&portal);
    let run = job.run();
    run.ended(0);
    let entry = job.archive().entry("Map 1");
    assert_eq!(
        (&entry["state"], &entry["record"]),
        (&json!("skipped"), &Value::Null)
    );
    assert!(
        entry["reason"]
            .as_str()
            .expect("a reason")
            .contains("no-backup")
    );
    assert_eq!(
        (entry["files"].as_u64(), entry["bytes"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(run.summary()["skipped"], json!(1));
    let id = entry["id"].as_str().expect("an id");
    assert!(
        portal.requests().iter().all(|seen| !seen.path.contains(id)),
        "nothing of it is asked"
    );
}

#[test]
fn the_tag_that_excludes_can_be_another() {
    let portal = FakePortal::start_blocking(maps(2));
    portal.edit(|world| world.items[0].tags = vec!["private".to_owned()]);
    let job = Job::against(&portal).with("BACKUP_EXCLUDE_TAG", "private");
    job.run().ended(0);
    assert_eq!(job.archive().entry("Map 0")["state"], "skipped");
    assert_eq!(job.archive().entry("Map 1")["state"], "stored");
}

#[test]
fn nothing_found_is_no_success() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = Job::against(&portal);
    assert_nothing_committed(&job, &job.run(), 4);
    let portal = FakePortal::start_blocking(maps(2));
    let job = Job::against(&portal).with("BACKUP_ITEM_TYPES", "Form");
    assert_nothing_committed(&job, &job.run(), 4);
}

#[test]
fn only_skipped_items_are_no_success() {
    let mut world = maps(3);
    world.items[0].tags = vec!["no-backup".to_owned()];
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal);
    assert_nothing_committed(&job, &job.run(), 4);
}
