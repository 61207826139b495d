//! Whether the files are what they claim to be is not for us to say: GDAL opens them and counts.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::portal::FakePortal;
use crate::support::run::{Archive, Job};
use crate::support::worlds;

#[test]
fn gdal_reads_as_many_features_as_the_records_say() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal).with("BACKUP_FORMATS", "geojson,esrijson");
    job.run().ended(0);
    let judged = judge(&job.archive());
    assert_eq!(
        judged.len(),
        18,
        "both formats of nine layers and tables: {judged:#?}"
    );
}

#[test]
fn gdal_reads_as_many_features_from_exports_as_the_records_say() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal)
        .with("BACKUP_METHOD", "export")
        .with("BACKUP_FORMATS", "geojson,csv");
    job.run().ended(0);
    let judged = judge(&job.archive());
    assert_eq!(
        judged.len(),
        16,
        "both formats of eight hosted layers and tables: {judged:#?}"
    );
}

/// A layer read page by page is one document all the same.
#[test]
fn gdal_reads_a_layer_of_many_pages() {
    let portal = FakePortal::start_blocking(worlds::big_layer(25_000));
    let job = Job::against(&portal).with("BACKUP_FORMATS", "geojson,esrijson");
    job.run().ended(0);
    assert_eq!(judge(&job.archive()).len(), 2);
}

/// Opens every file of rows and compares. Returns the paths.
#[track_caller]
fn judge(archive: &Archive) -> Vec<String> {
    let snapshot = archive.snapshot();
    let records = snapshot["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["record"].as_str());
    let mut judged = Vec::new();
    for record in records {
        let record = archive.json(record);
        for file in record["files"]
            .as_array()
            .expect("files")
            .iter()
            .filter(|file| file["role"] == "rows")
        {
            let path = file["path"].as_str().expect("a path");
            let rows = file["rows"].as_u64().expect("a count");
            let counted = features(&archive.root.join(path), driver(file));
            assert_eq!(counted, rows, "{path}");
            judged.push(path.to_owned());
        }
    }
    judged
}

fn driver(file: &Value) -> &str {
    match file["format"].as_str() {
        Some("geojson") => "GeoJSON",
        Some("esrijson") => "ESRIJSON",
        Some("csv") => "CSV",
        other => panic!("no driver for {other:?}"),
    }
}

/// What GDAL counts in a file that it takes for the right format by itself.
fn features(path: &Path, driver: &str) -> u64 {
    let mut command = Command::new("ogrinfo");
    command.args(["-ro", "-al", "-so"]).arg(path);
    let output = command.output().unwrap_or_else(|error| {
        panic!("ogrinfo is missing ({error}): install gdal-bin, as tests/run does")
    });
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let taken = said.contains(&format!("using driver `{driver}' successful"));
    assert!(
        output.status.success() && taken && !said.contains("ERROR"),
        "{}: {said}",
        path.display()
    );
    let counts = said
        .lines()
        .filter_map(|line| line.strip_prefix("Feature Count: "));
    counts
        .map(|count| count.parse::<u64>().expect("a number"))
        .sum()
}
