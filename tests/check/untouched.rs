//! Nothing is changed anywhere: neither in the organisation nor in the destination.

use std::collections::BTreeMap;
use std::path::Path;

use super::{codes, items, told};
use crate::support::portal::{FakePortal, Item};
use crate::support::run::Job;
use crate::support::store::Store;
use crate::support::worlds;

/// Everything below a folder, folders too.
fn below(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            let content = path
                .is_file()
                .then(|| std::fs::read(&path).expect("a file"));
            if content.is_none() {
                folders.push(path.clone());
            }
            found.insert(path.display().to_string(), content);
        }
    }
    found
}

#[test]
fn the_portal_is_only_asked() {
    let mut world = worlds::city();
    world.settings.export_polls = 0;
    let portal = FakePortal::start_blocking(world);
    for scope in ["mine", "org", "query"] {
        let job = Job::against(&portal)
            .with("BACKUP_SCOPE", scope)
            .with("BACKUP_FORMATS", "csv,geojson,shapefile");
        let job = match scope {
            "query" => job.with("BACKUP_QUERY", "owner:gis_backup"),
            _ => job,
        };
        told(&job, 0);
    }
    let asking = [
        "token",
        "self",
        "user_content",
        "org_content",
        "search",
        "layers",
        "service",
        "count",
        "rest_info",
    ];
    for seen in portal.requests() {
        assert!(
            asking.contains(&seen.route),
            "{} {}",
            seen.method,
            seen.path
        );
        let reads = seen.method == "GET" || matches!(seen.route, "token" | "count");
        assert!(reads, "{} {}", seen.method, seen.path);
    }
    assert!(portal.exports_created().is_empty() && portal.deleted().is_empty());
}

#[test]
fn what_dead_passes_left_is_told_and_left_to_the_next_pass() {
    for scope in ["mine", "org", "query"] {
        let portal = FakePortal::start_blocking(worlds::small_office());
        let title = format!(
            "agol-backup temporary 20260101T020000Z {} 0",
            "a".repeat(32)
        );
        let mut old = Item::new("GeoJson", &title);
        old.tags = vec!["agol-backup-temporary".to_owned()];
        let left = portal.adopt_export(old);
        let job = Job::against(&portal).with("BACKUP_SCOPE", scope);
        let job = match scope {
            "query" => job.with(
                "BACKUP_QUERY",
                "title:Office OR title:Handbook OR title:agol",
            ),
            _ => job,
        };
        let report = told(&job, 0);
        assert_eq!(report["content"]["leftovers"][0], title.as_str(), "{scope}");
        assert!(
            items(&report).iter().all(|item| item["id"] != *left),
            "no content"
        );
        assert_eq!(portal.exports_left(), [left]);
    }
}

#[test]
fn a_folder_that_was_not_there_is_not_there_afterwards() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let mut job = Job::against(&portal);
    let deep = job.folder().join("some/where/archive");
    job.set("BACKUP_DESTINATION", &deep);
    let report = told(&job, 0);
    assert_eq!(report["destination"]["usable"], true);
    assert!(below(job.folder()).is_empty(), "{:?}", below(job.folder()));
    std::fs::create_dir_all(&deep).expect("a folder");
    let before = below(job.folder());
    told(&job, 0);
    assert_eq!(
        below(job.folder()),
        before,
        "an empty folder stays, and stays empty"
    );
}

#[test]
fn an_archive_is_the_same_before_and_after() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal).with("BACKUP_KEEP_LAST", "1");
    job.run().ended(0);
    job.run().ended(0);
    let before = below(job.folder());
    let report = told(&job, 0);
    assert_eq!(below(job.folder()), before);
    assert_eq!(report["destination"]["goes"], 1, "{report:#}");
    let run = job.run();
    assert_eq!(run.ended(0).events("pruned")[0]["snapshots"], 1);
}

#[test]
fn a_store_is_the_same_before_and_after() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let store = Store::s3();
    let job = store.job(&portal);
    told(&job, 0);
    assert!(store.files().is_empty());
    job.run().ended(0);
    let before = store.files();
    let report = told(&job, 0);
    assert_eq!(store.files(), before);
    assert_eq!(report["destination"]["snapshots"], 1);
    assert_eq!(codes(&report), ["token_end_unknown"]);
}
