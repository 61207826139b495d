//! What a pass finished before it was stopped is taken over by the next one, as long as the portal agrees: nothing
//! is fetched twice.

use std::collections::BTreeSet;

use agol_backup::snapshot::{Stamp, now};
use serde_json::{Value, json};

use crate::support::aside::wait_for;
use crate::support::begun::Begun;
use crate::support::portal::{Editing, FakePortal, Fault, FaultKind, Item, MADE};
use crate::support::run::{Archive, Job, Run};
use crate::support::store::Store;
use crate::support::worlds;

/// The item that a stopped pass does not finish, and how many others there are to be read.
const LAST: &str = "Trails";
const OTHERS: usize = 13;
/// Shows the rows of `Hydrants`.
const VIEW: &str = "Hydrants (public view)";
/// Every route by which content comes; services are also asked for their edit dates, by `layers`.
const CONTENT: [&str; 12] = [
    "item",
    "data",
    "blob",
    "thumbnail",
    "metadata",
    "resources",
    "groups",
    "related",
    "count",
    "query",
    "query_attachments",
    "attachment",
];

/// A city in which every layer tells when it was edited.
fn city() -> FakePortal {
    let mut world = worlds::city();
    let dates = Editing {
        last: MADE,
        schema: MADE,
        data: MADE,
    };
    world.layer_mut("Budget", 0).editing = Some(dates);
    FakePortal::start_blocking(world)
}

fn begun() -> (FakePortal, Job) {
    let portal = city();
    let job = Job::against(&portal).with("BACKUP_METHOD", "query");
    (portal, job)
}

/// A pass that is stopped when it has stored so many items, of which `Trails` is none.
fn stopped(portal: &FakePortal, job: &Job, signal: &str, stored: usize) -> Run {
    portal.add_fault(Fault::on("query", FaultKind::Hang).only(LAST).forever());
    let done = |begun: &Begun| begun.heard().matches("\"item stored\"").count() >= stored;
    let hangs = |begun: &Begun| done(begun) && portal.count("query") > 0;
    let run = Begun::of(job)
        .until("all others are whole", hangs)
        .told(signal);
    assert_ne!(run.code, 0);
    portal.clear_faults();
    portal.reset_log();
    run
}

/// The stamps below which anything of an item lies, ascending.
fn versions(archive: &Archive) -> Vec<String> {
    let paths = archive.files().into_iter();
    let of_items = paths.filter(|path| path.starts_with("items/"));
    let stamp = |path: String| path.split('/').nth(2).expect("a stamp").to_owned();
    let stamps: BTreeSet<String> = of_items.map(stamp).collect();
    stamps.into_iter().collect()
}

fn id(portal: &FakePortal, title: &str) -> String {
    portal.edit(|world| world.titled(title).id.clone())
}

/// Content was asked of these items only.
#[track_caller]
fn assert_read(portal: &FakePortal, titles: &[&str]) {
    let parts = |title: &&str| {
        portal.edit(|world| {
            let item = world.titled(title);
            let service = item.service.as_ref();
            let service = service.map(|name| format!("/{name}/FeatureServer"));
            [Some(item.id.clone()), service].into_iter().flatten()
        })
    };
    let parts: Vec<String> = titles.iter().flat_map(parts).collect();
    for seen in portal.requests() {
        let of_them = parts.iter().any(|part| seen.path.contains(part));
        assert!(
            of_them || !CONTENT.contains(&seen.route),
            "{} {}",
            seen.route,
            seen.path
        );
    }
}

#[track_caller]
fn assert_counts(run: &Run, stored: usize, unchanged: usize) {
    let summary = run.ended(0).summary();
    let counts = [&summary["stored"], &summary["unchanged"]];
    assert_eq!(
        counts,
        [&json!(stored), &json!(unchanged)],
        "{}",
        run.stdout
    );
}

/// The stamp of an item's record in the newest snapshot.
fn taken_from(archive: &Archive, title: &str) -> String {
    let entry = archive.entry(title);
    let record = entry["record"].as_str().expect("a record");
    record.split('/').nth(2).expect("a stamp").to_owned()
}

fn taken_over(run: &Run) -> Vec<Value> {
    let lines = run.events("records taken over");
    lines.iter().map(|line| line["records"].clone()).collect()
}

#[test]
fn what_a_stopped_pass_finished_is_not_fetched_again() {
    for signal in ["KILL", "TERM"] {
        let (portal, job) = begun();
        stopped(&portal, &job, signal, OTHERS);
        let dead = versions(&job.archive()).remove(0);
        let run = job.run();
        assert_counts(&run, 1, OTHERS);
        assert_eq!(taken_over(&run), [OTHERS], "{signal}");
        assert_read(&portal, &[LAST]);
        let archive = job.archive();
        archive.assert_whole();
        assert_eq!(archive.snapshot()["complete"], true);
        for title in ["Hydrants", "Annual report", "City map"] {
            assert_eq!(taken_from(&archive, title), dead, "{title}");
            assert_eq!(archive.entry(title)["state"], "unchanged");
        }
        assert_ne!(taken_from(&archive, LAST), dead);
        let in_one_go = Job::against(&portal).with("BACKUP_METHOD", "query");
        in_one_go.run().ended(0);
        assert_eq!(archive.contents(), in_one_go.archive().contents());
    }
}

#[test]
fn an_item_that_was_edited_since_is_read_again() {
    let (portal, job) = begun();
    stopped(&portal, &job, "KILL", OTHERS);
    let dead = versions(&job.archive()).remove(0);
    let map = id(&portal, "City map");
    portal.edit(|world| {
        world.edit_item(&map, |map| map.snippet = Some("Edited".to_owned()));
        world.delete_feature("Hydrants", 0, 3);
    });
    let run = job.run();
    assert_counts(&run, 4, OTHERS - 3);
    assert_read(&portal, &[LAST, "City map", "Hydrants", VIEW]);
    let archive = job.archive();
    archive.assert_whole();
    assert_eq!(archive.entry("Hydrants")["rows"], 249);
    assert_ne!(taken_from(&archive, "City map"), dead);
    assert_eq!(archive.content("City map", "item")["snippet"], "Edited");
    assert_eq!(
        portal.count("attachment"),
        0,
        "what the edit did not touch is named where it lies"
    );
}

#[test]
fn what_was_stored_for_other_wishes_is_not_taken_over() {
    let (portal, mut job) = begun();
    stopped(&portal, &job, "KILL", OTHERS);
    job.set("BACKUP_FORMATS", "geojson,esrijson");
    let run = job.run();
    assert_counts(&run, OTHERS + 1, 0);
    assert_eq!(taken_over(&run), [0]);
    assert_eq!(job.archive().files_of("Hydrants", "rows").len(), 2);
    job.archive().assert_whole();
}

#[test]
fn a_stopped_pass_with_other_wishes_takes_nothing_from_the_snapshot_before_it() {
    let (portal, mut job) = begun();
    job.run().ended(0);
    job.set("BACKUP_FORMATS", "geojson,esrijson");
    stopped(&portal, &job, "TERM", OTHERS);
    job.set("BACKUP_FORMATS", "geojson");
    assert_counts(&job.run(), 0, OTHERS + 1);
    assert_read(&portal, &[]);
}

#[test]
fn of_several_stopped_passes_the_newest_copy_counts() {
    let (portal, job) = begun();
    stopped(&portal, &job, "KILL", OTHERS);
    portal.edit(|world| world.delete_feature("Hydrants", 0, 3));
    stopped(&portal, &job, "KILL", 2);
    let dead = versions(&job.archive());
    assert_eq!(dead.len(), 2, "{dead:?}");
    let run = job.run();
    assert_counts(&run, 1, OTHERS);
    assert_read(&portal, &[LAST]);
    let archive = job.archive();
    archive.assert_whole();
    assert_eq!(taken_from(&archive, "Parks"), dead[0]);
    for title in ["Hydrants", VIEW] {
        assert_eq!(taken_from(&archive, title), dead[1]);
    }
    assert_eq!(archive.entry("Hydrants")["rows"], 249);
}

#[test]
fn what_was_stopped_before_the_newest_snapshot_is_never_looked_at() {
    let (portal, job) = begun();
    stopped(&portal, &job, "TERM", OTHERS);
    portal.edit(|world| world.delete_feature("Hydrants", 0, 3));
    job.run().ended(0);
    portal.reset_log();
    let run = job.run();
    assert_counts(&run, 0, OTHERS + 1);
    assert!(taken_over(&run).is_empty());
    assert_read(&portal, &[]);
    assert_eq!(job.archive().entry("Hydrants")["rows"], 249);
}

#[test]
fn stopped_passes_are_looked_at_in_their_order_and_those_that_committed_are_not() {
    let job = Job::bare();
    let names: Vec<String> = (10..30).map(|day| format!("202001{day}T020000Z")).collect();
    for folder in ["history", "snapshots"] {
        std::fs::create_dir_all(job.destination().join(folder)).expect("made");
    }
    let put = |path: String| std::fs::write(job.destination().join(path), "{}").expect("written");
    for name in &names {
        put(format!("history/{name}.json"));
    }
    put(format!("snapshots/{}.json", names[15]));
    let destination = job.destination().to_str().expect("text").to_owned();
    let archive = Store::opened(&[("BACKUP_DESTINATION", destination)]);
    let newest = Stamp::parse(&names[4]);
    let stopped = wait_for(async {
        let hold = archive.hold(now()).await.expect("held");
        let stopped = archive.uncommitted(&hold, newest.as_ref()).await;
        hold.release(false).await.expect("released");
        stopped.expect("stamps")
    });
    let stopped: Vec<String> = stopped.iter().map(Stamp::to_string).collect();
    assert_eq!(stopped, [&names[5..15], &names[16..]].concat());
}

#[test]
fn a_pass_whose_snapshot_is_damaged_is_not_taken_for_a_stopped_one() {
    let (portal, job) = begun();
    for _ in 0..2 {
        portal.edit(|world| world.delete_feature("Hydrants", 0, 3));
        job.run().ended(0);
    }
    let archive = job.archive();
    let newest = archive.stamps().remove(1);
    let path = archive.root.join(format!("snapshots/{newest}.json"));
    std::fs::write(path, "{").expect("cut");
    let run = job.run();
    assert_counts(&run, 2, OTHERS - 1);
    assert!(taken_over(&run).is_empty(), "{}", run.stdout);
}

#[test]
fn an_item_that_fails_now_keeps_the_copy_of_the_stopped_pass() {
    let (portal, job) = begun();
    stopped(&portal, &job, "KILL", OTHERS);
    let dead = versions(&job.archive()).remove(0);
    let report = id(&portal, "Annual report");
    let edit = |item: &mut Item| item.snippet = Some("Edited".to_owned());
    portal.edit(|world| world.edit_item(&report, edit));
    let refusal = json!({"code": 403, "message": "Not for you."});
    let fault = Fault::on("data", FaultKind::ErrorInBody(refusal));
    portal.add_fault(fault.only(&report).forever());
    job.run().ended(3);
    let archive = job.archive();
    archive.assert_whole();
    assert_eq!(archive.entry("Annual report")["state"], "kept");
    assert_eq!(taken_from(&archive, "Annual report"), dead);
}

#[test]
fn a_record_that_is_not_what_it_should_be_is_passed_over() {
    let (portal, job) = begun();
    stopped(&portal, &job, "KILL", OTHERS);
    let archive = job.archive();
    let record = |title: &str| {
        let end = format!(
            "-{}/{}/record.json",
            id(&portal, title),
            versions(&archive)[0]
        );
        let mut files = archive.files().into_iter();
        let path = files.find(|path| path.ends_with(&end)).expect("a record");
        (archive.json(&path), archive.root.join(path))
    };
    let (_, path) = record("Hydrants");
    std::fs::write(path, "{\"format\": 1, \"id\"").expect("written");
    let (mut other, path) = record("Annual report");
    other["id"] = json!(id(&portal, "Parks"));
    std::fs::write(path, other.to_string()).expect("written");
    let (mut old, path) = record("Parks");
    old.as_object_mut().expect("members").remove("change");
    std::fs::write(path, old.to_string()).expect("written");
    let run = job.run();
    assert_counts(&run, 4, OTHERS - 3);
    assert_eq!(run.events("record not readable").len(), 2);
    assert_read(&portal, &[LAST, "Hydrants", "Annual report", "Parks"]);
    archive.assert_whole();
}

#[test]
fn on_a_store_the_same_and_an_ordinary_night_asks_for_no_version() {
    let (portal, store) = (city(), Store::s3());
    let job = store.job(&portal).with("BACKUP_METHOD", "query");
    let listed = || {
        // Of the folders in a folder; lengths are listed without a delimiter.
        let of_items = |path: &str| path.contains("delimiter=") && path.contains("items");
        let proxy = store.proxy().expect("a proxy");
        proxy.count(|passed| passed.method == "GET" && of_items(&passed.path))
    };
    stopped(&portal, &job, "KILL", OTHERS);
    let written = store.files();
    let run = job.run();
    assert_counts(&run, 1, OTHERS);
    assert_eq!(taken_over(&run), [OTHERS]);
    assert_read(&portal, &[LAST]);
    assert_eq!(listed(), OTHERS + 1, "each item once");
    let now = store.files();
    let kept =
        |path: &&String| path.ends_with("/record.json") && now.get(*path) == written.get(*path);
    assert_eq!(written.keys().filter(kept).count(), OTHERS);
    assert_counts(&job.run(), 0, OTHERS + 1);
    assert_eq!(listed(), OTHERS + 1, "and not again");
}
