//! A portal that is broken or wicked costs the items that it is wicked about: no memory, no disk, no night, and no
//! request to where none may go.

mod addresses;
mod bombs;
mod bounded;
mod documents;
mod names;
mod rows;

use serde_json::Value;

use crate::support::portal::{Catalogue, Data, FakePortal, Item, Service};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// The service `Notes` with an attachment, the map `Plan` with every part there is, and `Other`, a map that nobody
/// is wicked about.
fn small_world() -> Catalogue {
    let mut layer = worlds::notes(3);
    layer.attach(2, "photo.jpg", worlds::jpeg(1, 4000));
    let mut world = worlds::empty();
    world.add_service(
        Item::new("Feature Service", "Notes"),
        Service::new("Notes", vec![layer]),
    );
    let mut plan = map("Plan");
    plan.resources = vec![("legend.png".to_owned(), worlds::png(4, 4, [1, 2, 3]))];
    plan.thumbnail = Some(worlds::png(8, 8, [9, 9, 9]));
    plan.metadata = Some("<metadata/>".to_owned());
    world.add_item(plan);
    world.add_item(map("Other"));
    world
}

fn map(title: &str) -> Item {
    let mut item = Item::new("Web Map", title);
    item.data = Data::Json(r#"{"version":"2.31"}"#.to_owned());
    item
}

fn by_query(portal: &FakePortal) -> Job {
    Job::against(portal).with("BACKUP_METHOD", "query")
}

/// The item is missing for a reason that holds these words, every other item is stored, and nobody calls it complete.
#[track_caller]
fn only_missing(job: &Job, run: &Run, title: &str, words: &str) {
    run.ended(3);
    let archive = job.archive();
    archive.assert_whole();
    let snapshot = archive.snapshot();
    assert_eq!(snapshot["complete"], false);
    for entry in snapshot["items"].as_array().expect("items") {
        let expected = if entry["title"] == title {
            "missing"
        } else {
            "stored"
        };
        assert_eq!(entry["state"], expected, "{entry}");
    }
    let entry: Value = archive.entry(title);
    let message = entry["error"]["message"].as_str().expect("a reason");
    assert!(message.contains(words), "{message}");
}
