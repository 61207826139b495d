//! What is kept of an export: the bytes decide what it is, and its rows are counted against the server.

use serde_json::{Value, json};

use super::{by_export, fails, notes, nothing_left, quick, whole};
use crate::support::portal::{Fault, FaultKind};
use crate::support::run::Job;
use crate::support::worlds;

/// The file that a portal sends loses its last row.
fn loses_a_row() -> FaultKind {
    FaultKind::alter(|_, mut reply| {
        let mut file: Value = serde_json::from_slice(&reply.body).expect("GeoJSON");
        file["features"].as_array_mut().expect("rows").pop();
        reply.body = file.to_string().into();
        reply
    })
}

/// The only file of rows of `Notes`.
fn rows_of(job: &Job) -> Value {
    let mut files = job.archive().files_of("Notes", "rows");
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn exported_rows_are_counted_against_the_server() {
    let portal = quick(worlds::city());
    let job = by_export(&portal).with("BACKUP_FORMATS", "geojson,csv");
    job.run().ended(0);
    for (title, rows) in [
        ("Hydrants", vec![250, 250]),
        ("Budget", vec![50, 50]),
        ("Inspections", vec![30, 30, 24, 24, 120, 120]),
    ] {
        let files = job.archive().files_of(title, "rows");
        let counted: Vec<_> = files
            .iter()
            .map(|file| file["rows"].as_u64().expect("rows"))
            .collect();
        assert_eq!(counted, rows, "{title}");
        for file in files {
            assert_eq!(file["rows"], file["server_rows"], "{file}");
            assert_eq!(file["method"], "export");
            let ending = file["format"].as_str().expect("a format");
            assert!(
                file["path"]
                    .as_str()
                    .expect("a path")
                    .ends_with(&format!(".{ending}")),
                "{file}"
            );
        }
    }
}

#[test]
fn an_exported_file_holds_every_row_that_the_portal_has() {
    let (job, _run) = whole(&notes([]));
    let rows = job.archive().content("Notes", "rows");
    let features = rows["features"].as_array().expect("rows");
    let notes = features
        .iter()
        .map(|row| row["properties"]["NOTE"].as_str().expect("a note"));
    assert_eq!(
        notes.collect::<Vec<_>>(),
        (1..=40)
            .map(|oid| format!("note {oid}"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_zip_in_place_of_geojson_is_kept_as_a_zip_with_a_note() {
    let portal = notes([Fault::on("export", FaultKind::ExportAsZip)]);
    let job = by_export(&portal);
    job.run().ended(0);
    nothing_left(&portal);
    job.archive().assert_whole();
    let file = rows_of(&job);
    let path = file["path"].as_str().expect("a path");
    assert!(path.ends_with("/layers/0-notes.geojson.zip"), "{path}");
    assert!(
        job.archive().bytes(path).starts_with(b"PK\x03\x04"),
        "as it came"
    );
    assert_eq!(file["rows"], Value::Null, "nobody counted them");
    assert_eq!(job.archive().notes("Notes"), ["rows_not_counted"]);
}

#[test]
fn two_formats_that_both_come_zipped_have_each_their_file() {
    let portal = notes([Fault::on("export", FaultKind::ExportAsZip).forever()]);
    let job = by_export(&portal).with("BACKUP_FORMATS", "geojson,csv");
    job.run().ended(0);
    job.archive().assert_whole();
    let files = job.archive().files_of("Notes", "rows");
    let formats: Vec<&Value> = files.iter().map(|file| &file["format"]).collect();
    assert_eq!(formats, ["csv", "geojson"]);
}

#[test]
fn an_item_that_could_not_be_removed_is_not_forgotten_for_the_second_one() {
    let portal = notes([
        Fault::on("blob", loses_a_row()),
        Fault::on("delete", FaultKind::DeleteFails),
    ]);
    whole(&portal);
    assert_eq!(portal.exports_created().len(), 2);
}

#[test]
fn rows_that_may_not_be_counted_are_exported_once() {
    let portal = notes([]);
    portal.edit(|world| "Extract".clone_into(&mut world.service_mut("Notes").capabilities));
    let job = by_export(&portal);
    job.run().ended(0);
    nothing_left(&portal);
    assert_eq!(job.archive().notes("Notes"), ["rows_not_counted"]);
    assert_eq!(portal.exports_created().len(), 1);
}

#[test]
fn a_file_with_fewer_rows_than_the_server_is_asked_for_once_more() {
    let portal = notes([Fault::on("blob", loses_a_row())]);
    whole(&portal);
    assert_eq!(portal.exports_created().len(), 2);
}

#[test]
fn a_file_that_stays_short_fails_and_is_not_stored() {
    let portal = notes([Fault::on("blob", loses_a_row()).forever()]);
    let (stage, message) = fails(&portal);
    assert_eq!(stage, "rows");
    assert!(
        message.contains("39") && message.contains("40"),
        "{message}"
    );
    assert_eq!(portal.exports_created().len(), 2, "one more try");
}

#[test]
fn rows_that_change_during_every_export_are_kept_with_a_note() {
    let grow = FaultKind::edit(|world| {
        let note = worlds::values(json!({"NOTE": "new"}));
        world.add_feature("Notes", 0, note, None);
    });
    let portal = notes([Fault::on("blob", grow).forever()]);
    let job = by_export(&portal);
    job.run().ended(0);
    nothing_left(&portal);
    assert_eq!(job.archive().notes("Notes"), ["changed_during_read"]);
    let file = rows_of(&job);
    assert!(
        file["rows"].as_u64() < file["server_rows"].as_u64(),
        "{file}"
    );
}
