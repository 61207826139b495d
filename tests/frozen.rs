//! An archive of format 1, as it was written in 2026: every later version reads it, verifies it, and goes on
//! from it. Never make it anew; a newer format gets a folder of its own.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::portal::{Catalogue, Data, FakePortal, Item};
use crate::support::run::Job;
use crate::support::worlds;

/// What the archive was made of; on its first night one chair was missing.
fn world() -> Catalogue {
    let mut world = worlds::small_office();
    let chairs = world.layer_mut("Office", 1);
    chairs.attach(1, "photo.jpg", worlds::jpeg(1, 500));
    chairs.attach(2, "note.txt", "A note of some length.");
    let mut excluded = Item::new("Web Map", "Draft");
    excluded.tags = vec!["no-backup".to_owned()];
    excluded.data = Data::Json("{}".to_owned());
    world.add_item(excluded);
    world
}

fn frozen() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1")
}

/// A run on a copy.
fn job(portal: &FakePortal) -> Job {
    let job = Job::against(portal)
        .with("BACKUP_FORMATS", "geojson,esrijson")
        .with("BACKUP_FULL_EVERY", "36000d");
    copy(&frozen(), &job.destination());
    job
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in from.read_dir().expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

#[test]
fn it_is_whole_to_every_later_version() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = job(&portal);
    let run = job.run_with(&["verify", "--all"]);
    run.ended(0);
    let end = &run.events("verify finished")[0];
    assert_eq!((&end["snapshots"], &end["damaged"]), (&2.into(), &0.into()));
    assert!(end["read"].as_u64() > Some(18), "{end}");
    let listed = job.run_with(&["snapshots", "--json"]);
    let listed: Value = serde_json::from_str(&listed.ended(0).stdout).expect("JSON");
    let told: Vec<_> = (0..2)
        .map(|at| {
            (
                &listed[at]["complete"],
                &listed[at]["items"],
                &listed[at]["rows"],
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (&true.into(), &2.into(), &14.into()),
            (&true.into(), &2.into(), &16.into())
        ]
    );
}

#[test]
fn a_pass_goes_on_from_it_and_reads_nothing_anew() {
    let portal = FakePortal::start_blocking(world());
    let job = job(&portal);
    let before = job.archive().contents();
    let run = job.run();
    run.ended(0);
    let summary = run.summary();
    assert_eq!(
        (
            &summary["unchanged"],
            &summary["stored"],
            &summary["skipped"]
        ),
        (&2.into(), &0.into(), &1.into())
    );
    assert_eq!(job.archive().contents(), before);
    assert_eq!(
        portal.count("query") + portal.count("data") + portal.count("attachment"),
        0
    );
}

#[test]
fn its_snapshots_and_files_go_by_the_rules() {
    let portal = FakePortal::start_blocking(world());
    let job = job(&portal).with("BACKUP_KEEP_LAST", "1");
    let run = job.run();
    run.ended(0);
    assert_eq!(
        (
            &run.events("pruned")[0]["snapshots"],
            &run.events("pruned")[0]["left"]
        ),
        (&2.into(), &0.into())
    );
    job.run_with(&["verify", "--all"]).ended(0);
}
