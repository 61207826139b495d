//! What lies in the destination: these names, these members, one chain of hashes, and nothing written twice.

mod at_once;
mod held;
mod layout;
mod overtaken;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::support::portal::{Catalogue, FakePortal, Fault, FaultKind};
use crate::support::run::{Archive, Job};
use crate::support::worlds;

/// A portal and its archive after one pass.
fn backed_up(world: Catalogue) -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal);
    job.run().ended(0);
    (portal, job)
}

fn members(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[track_caller]
fn assert_members(object: &Value, expected: &str) {
    assert_eq!(
        members(object),
        expected.split_whitespace().collect(),
        "{object:#}"
    );
}

fn items(snapshot: &Value) -> &Vec<Value> {
    snapshot["items"].as_array().expect("items")
}

/// The records that a snapshot names, each with its entry.
fn records(archive: &Archive) -> Vec<(Value, Value)> {
    let snapshot = archive.snapshot();
    let with_record = items(&snapshot)
        .iter()
        .filter(|item| item["record"].is_string());
    let read = |item: &Value| archive.json(item["record"].as_str().expect("a path"));
    with_record.map(|item| (item.clone(), read(item))).collect()
}

fn files(record: &Value) -> &Vec<Value> {
    record["files"].as_array().expect("files")
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {value}"))
}

/// Every file below the destination: its bytes and when it was written.
fn state_of(archive: &Archive) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let state = |path: String| {
        let written = archive
            .root
            .join(&path)
            .metadata()
            .and_then(|about| about.modified());
        (
            path.clone(),
            (archive.bytes(&path), written.expect("a time")),
        )
    };
    archive.files().into_iter().map(state).collect()
}

#[test]
fn documents_have_the_promised_members() {
    let (portal, job) = backed_up(worlds::city());
    let snapshot = job.archive().snapshot();
    assert_members(
        &snapshot,
        "format stamp program started_at finished_at portal complete items",
    );
    assert_members(&snapshot["portal"], "url org_id username");
    let origin = json!({"url": portal.url(), "org_id": "CityOrg01", "username": "gis_backup"});
    assert_eq!(
        (&snapshot["format"], &snapshot["portal"]),
        (&json!(1), &origin)
    );
    assert!(text(&snapshot, "program").starts_with("agol-backup "));
    let entry = "id title type owner state change record record_sha256 files bytes rows notes";
    for item in items(&snapshot) {
        let skipped = item["state"] == "skipped";
        assert_members(
            item,
            &if skipped {
                format!("{entry} reason")
            } else {
                entry.to_owned()
            },
        );
    }
    for (entry, record) in records(&job.archive()) {
        assert_members(
            &record,
            "format id title type owner taken_at change files notes",
        );
        for member in ["id", "title", "type", "owner"] {
            assert_eq!(record[member], entry[member]);
        }
        for file in files(&record) {
            let usual = "path role bytes sha256";
            let more = match text(file, "role") {
                "rows" => "layer format method rows server_rows",
                "attachment" => "layer object_id attachment_id name",
                "resource" => "name",
                _ => "",
            };
            assert_members(file, &format!("{usual} {more}"));
        }
        for note in record["notes"].as_array().expect("notes") {
            assert_members(note, "code message");
        }
    }
}

#[test]
fn a_failed_item_has_an_error_and_the_history_tells_it() {
    let portal = FakePortal::start_blocking(worlds::city());
    let refusal = json!({"code": 403, "message": "Not for you."});
    let id = portal.edit(|world| world.titled("Annual report").id.clone());
    portal.add_fault(
        Fault::on("data", FaultKind::ErrorInBody(refusal))
            .only(&id)
            .forever(),
    );
    let job = Job::against(&portal);
    let run = job.run();
    run.ended(3);
    let entry = job.archive().entry("Annual report");
    assert_eq!(
        (&entry["state"], &entry["record"]),
        (&json!("missing"), &Value::Null)
    );
    assert_members(&entry["error"], "stage message");
    let history = job.archive().history();
    let failed = json!([{"id": id, "title": "Annual report", "type": "PDF", "state": "missing",
                         "error": entry["error"]}]);
    assert_eq!(history["failed"], failed);
    assert_eq!(history["outcome"], "partial");
    for (member, value) in history.as_object().expect("members") {
        if !matches!(member.as_str(), "failed" | "started_at" | "snapshot_sha256") {
            assert_eq!(run.summary()[member], *value, "{member}");
        }
    }
    assert_eq!(
        job.archive().names("history"),
        job.archive().names("snapshots")
    );
}

#[test]
fn totals_are_the_sums_over_the_record() {
    let (_portal, job) = backed_up(worlds::city());
    let records = records(&job.archive());
    assert!(records.len() > 10);
    for (entry, record) in records {
        let sum = |member: &str| {
            files(&record)
                .iter()
                .filter_map(|file| file[member].as_u64())
                .sum::<u64>()
        };
        assert_eq!(entry["files"], files(&record).len(), "{entry}");
        assert_eq!(
            (&entry["bytes"], &entry["rows"]),
            (&json!(sum("bytes")), &json!(sum("rows")))
        );
        assert_eq!(
            entry["notes"],
            record["notes"].as_array().map_or(0, Vec::len)
        );
    }
    job.archive().assert_whole();
}

#[test]
fn a_second_pass_changes_no_file_of_the_first() {
    let (portal, job) = backed_up(worlds::city());
    let before = state_of(&job.archive());
    portal.edit(|world| {
        world.touch("Hydrants", 0);
        let map = world.titled("City map").id.clone();
        world.edit_item(&map, |map| "Town map".clone_into(&mut map.title));
    });
    job.run().ended(0);
    let now = state_of(&job.archive());
    for (path, state) in &before {
        assert!(now.get(path) == Some(state), "{path} is as it was");
    }
    assert_eq!(job.archive().stamps().len(), 2);
    job.archive().assert_whole();
}

#[test]
fn a_damaged_snapshot_is_passed_over_and_everything_read_anew() {
    for damage in ["", "{\"format\": 1, \"stamp\"", "null"] {
        let (_portal, job) = backed_up(worlds::city());
        let archive = job.archive();
        let first = format!("snapshots/{}.json", archive.stamps()[0]);
        std::fs::write(archive.root.join(&first), damage).expect("written");
        let run = job.run();
        run.ended(0);
        assert_eq!(run.summary()["unchanged"], 0);
        assert_eq!(
            archive.bytes(&first),
            damage.as_bytes(),
            "nobody repairs it"
        );
        std::fs::remove_file(archive.root.join(first)).expect("removed");
        archive.assert_whole();
    }
}

#[test]
fn an_older_snapshot_serves_when_the_newest_is_damaged() {
    let (_portal, job) = backed_up(worlds::city());
    job.run().ended(0);
    let newest = format!("snapshots/{}.json", job.archive().stamps()[1]);
    std::fs::write(job.archive().root.join(newest), "{").expect("written");
    let run = job.run();
    run.ended(0);
    assert!(
        run.summary()["unchanged"].as_u64() > Some(10),
        "{}",
        run.stdout
    );
}

#[test]
fn an_altered_or_lost_record_is_not_built_upon() {
    let alter = |path: &std::path::Path| {
        let mut bytes = std::fs::read(path).expect("a record");
        bytes.push(b'\n');
        std::fs::write(path, bytes).expect("written");
    };
    let lose = |path: &std::path::Path| std::fs::remove_file(path).expect("removed");
    for damage in [alter as fn(&std::path::Path), lose] {
        let (portal, job) = backed_up(worlds::one_layer(worlds::notes(3)));
        let rows = |job: &Job| job.archive().files_of("Notes", "rows")[0]["path"].clone();
        let before = rows(&job);
        damage(
            &job.archive()
                .root
                .join(text(&job.archive().entry("Notes"), "record")),
        );
        let id = portal.edit(|world| world.titled("Notes").id.clone());
        portal.edit(|world| world.edit_item(&id, |item| item.snippet = Some("Edited".to_owned())));
        portal.reset_log();
        job.run().ended(0);
        assert_ne!(rows(&job), before);
        assert_eq!(portal.count("query"), 1, "the rows are read anew");
    }
}
