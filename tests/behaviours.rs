//! What portals do that no manual tells, alone and together: each is played by name, and ends as the table of failures
//! in ARCHITECTURE.md says.

mod exports;
mod files;
mod listings;
mod rows;
mod together;
mod words;

use serde_json::Value;

use crate::support::portal::{Catalogue, FakePortal, Fault};
use crate::support::run::Job;

/// A world with these faults in wait, whose exports are made at once.
fn troubled(mut world: Catalogue, faults: impl IntoIterator<Item = Fault>) -> FakePortal {
    world.settings.export_polls = 0;
    let portal = FakePortal::start_blocking(world);
    faults.into_iter().for_each(|fault| portal.add_fault(fault));
    portal
}

fn by(method: &str, portal: &FakePortal) -> Job {
    Job::against(portal).with("BACKUP_METHOD", method)
}

/// The ids of the rows kept of an item's first layer, in their order.
fn ids(job: &Job, title: &str) -> Vec<i64> {
    let rows = job.archive().content(title, "rows");
    let features = rows["features"].as_array().expect("features").iter();
    features
        .map(|row| row["id"].as_i64().expect("an id"))
        .collect()
}

/// Why an item failed: it has no copy, and the snapshot does not say that it is complete.
#[track_caller]
fn missing(job: &Job, title: &str) -> String {
    let archive = job.archive();
    assert_eq!(archive.snapshot()["complete"], false);
    let entry = archive.entry(title);
    assert_eq!(
        (&entry["state"], &entry["record"]),
        (&"missing".into(), &Value::Null)
    );
    archive.assert_whole();
    let message = entry["error"]["message"].as_str();
    message.expect("a reason").to_owned()
}

/// Nothing is left in the organisation, and what was deleted was made by an export.
#[track_caller]
fn nothing_left(portal: &FakePortal) {
    assert_eq!(portal.exports_left(), [""; 0]);
    assert_eq!(portal.recycle_bin(), [""; 0]);
    let created = portal.exports_created();
    assert!(portal.deleted().iter().all(|id| created.contains(id)));
}
