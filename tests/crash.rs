//! Whatever dies and whenever: each snapshot that is there can be read in full, no good copy is gone, and the next
//! pass completes.

mod every_change;
mod random_kill;

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::portal::{Data, FakePortal, Fault, FaultKind, Item, Reply};
use crate::support::run::{Archive, Job};
use crate::support::worlds;

/// A portal with something for every way that an item can go: read anew, unchanged, failing, gone.
fn portal() -> FakePortal {
    let mut world = worlds::small_office();
    for title in ["Broken", "Gone"] {
        let mut item = Item::new("Web Map", title);
        item.data = Data::Json(format!(r#"{{"title":"{title}"}}"#));
        world.add_item(item);
    }
    FakePortal::start_blocking(world)
}

/// Three nights, the last one two days ago, each with other rows.
fn three_nights(job: &Job, portal: &FakePortal) {
    for _ in 0..3 {
        edit_rows(portal);
        job.run().ended(0);
        job.archive().age(2);
    }
}

fn edit_rows(portal: &FakePortal) {
    let row = worlds::values(json!({"NOTE": "new"}));
    portal.edit(|world| world.add_feature("Office", 0, row, None));
}

/// What has happened by day.
fn a_day_passes(portal: &FakePortal) {
    edit_rows(portal);
    let [broken, gone] =
        ["Broken", "Gone"].map(|title| portal.edit(|world| world.titled(title).id.clone()));
    portal.edit(|world| {
        world.edit_item(&broken, |item| item.modified += 1);
        world.remove_item(&gone);
    });
    // Asked for when its other parts are stored: so in every pass these are there to be removed.
    let untrue = FaultKind::custom(|_| Reply::json(&json!({"total": 2, "resources": []})));
    portal.add_fault(Fault::on("resources", untrue).only(&broken).forever());
}

/// Every snapshot is whole, and of the complete ones the newest of before is still there.
#[track_caller]
fn assert_nothing_is_lost(archive: &Archive, newest_complete: &str, when: &str) {
    archive.assert_whole();
    let stamps = archive.stamps();
    assert!(
        stamps.iter().any(|stamp| stamp == newest_complete),
        "{when}: {stamps:?}"
    );
}

/// After a pass that pruned, nothing old lies there that nobody names.
#[track_caller]
fn assert_no_waste(archive: &Archive, when: &str) {
    let mut named: Vec<String> = Vec::new();
    for stamp in archive.stamps() {
        for item in archive.json(&format!("snapshots/{stamp}.json"))["items"]
            .as_array()
            .expect("items")
        {
            if let Some(record) = item["record"].as_str() {
                named.push(record.to_owned());
                let record = archive.json(record);
                let files = record["files"].as_array().expect("files");
                named.extend(
                    files
                        .iter()
                        .map(|file| file["path"].as_str().expect("a path").to_owned()),
                );
            }
        }
    }
    let today = agol_backup::snapshot::Stamp::of(agol_backup::snapshot::now()).to_string();
    let is_old = |path: &String| {
        path.split('/')
            .nth(2)
            .is_some_and(|stamp| stamp[..8] < today[..8])
    };
    let files = archive.files().into_iter();
    let waste: Vec<String> = files
        .filter(|path| path.starts_with("items/") && is_old(path) && !named.contains(path))
        .collect();
    assert!(waste.is_empty(), "{when}: {waste:#?}");
}

/// On a disk, where it can be walked.
fn as_archive(files: &BTreeMap<String, Vec<u8>>) -> (tempfile::TempDir, Archive) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    let root = folder.path().to_owned();
    (folder, Archive { root })
}
