//! Exports leave nothing behind and harm nothing: every temporary item is this program's own, its file is
//! believed only when it is whole, and it is deleted by its id, for good, in every path out.

mod asked;
mod kept;
mod leftovers;
mod trouble;

use serde_json::Value;

use crate::support::portal::{Catalogue, FakePortal, Fault, Item, Seen};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// A portal whose exports are made at once.
fn quick(mut world: Catalogue) -> FakePortal {
    world.settings.export_polls = 0;
    FakePortal::start_blocking(world)
}

/// One service of one layer with 40 rows, `Notes`, and these faults.
fn notes(faults: impl IntoIterator<Item = Fault>) -> FakePortal {
    let portal = quick(worlds::one_layer(worlds::notes(40)));
    faults.into_iter().for_each(|fault| portal.add_fault(fault));
    portal
}

/// A job that reads by export, with little time for each.
fn by_export(portal: &FakePortal) -> Job {
    Job::against(portal)
        .with("BACKUP_METHOD", "export")
        .with("BACKUP_EXPORT_TIMEOUT", "3s")
}

/// Every export was made by this run and is gone for good, and nothing else is.
#[track_caller]
fn nothing_left(portal: &FakePortal) {
    assert_eq!(
        portal.exports_left(),
        [""; 0],
        "every temporary item is deleted"
    );
    assert_eq!(portal.recycle_bin(), [""; 0], "for good");
    let (created, deleted) = (portal.exports_created(), portal.deleted());
    assert!(deleted.iter().all(|id| created.contains(id)), "{deleted:?}");
}

/// A pass that ends whole: all 40 rows, and nothing left behind.
#[track_caller]
fn whole(portal: &FakePortal) -> (Job, Run) {
    let job = by_export(portal);
    let run = job.run();
    run.ended(0);
    nothing_left(portal);
    job.archive().assert_whole();
    let rows = job.archive().content("Notes", "rows");
    assert_eq!(rows["features"].as_array().expect("rows").len(), 40);
    (job, run)
}

/// A pass in which `Notes` fails; the stage and the message that say why.
#[track_caller]
fn fails(portal: &FakePortal) -> (String, String) {
    let job = by_export(portal);
    job.run().ended(3);
    nothing_left(portal);
    let entry = job.archive().entry("Notes");
    assert_eq!(
        (&entry["state"], &entry["record"]),
        (&"missing".into(), &Value::Null)
    );
    let files = job.archive().files();
    let kept = files.iter().filter(|path| path.starts_with("items/"));
    assert_eq!(kept.count(), 0, "nothing half-read is kept: {files:?}");
    let text = |name: &str| entry["error"][name].as_str().expect("text").to_owned();
    (text("stage"), text("message"))
}

/// The parameters of every export asked for, with those inside `exportParameters` read.
fn asked(portal: &FakePortal) -> Vec<(Seen, Value)> {
    let inner = |seen: &Seen| match seen.params.get("exportParameters") {
        Some(text) => serde_json::from_str(text).expect("JSON"),
        None => Value::Null,
    };
    let exports = portal.requests_to("export").into_iter();
    exports.map(|seen| (seen.clone(), inner(&seen))).collect()
}

/// Title and tag of a temporary item of that pass, as any version of this program writes them.
fn temporary(kind: &str, stamp: &str) -> Item {
    let source = "0123456789abcdef0123456789abcdef";
    let mut item = Item::new(kind, &format!("agol-backup temporary {stamp} {source} 0"));
    item.tags = vec!["agol-backup-temporary".to_owned()];
    item
}
