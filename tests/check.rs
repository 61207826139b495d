//! `agol-backup check`: the evening before tells what the night will do, and changes nothing.

mod exits;
mod regrets;
mod untouched;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::portal::{FakePortal, Item, Service};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// The report, as machines read it.
#[track_caller]
fn told(job: &Job, code: i32) -> Value {
    let run = job.run_with(&["check", "--json"]);
    parsed(run.ended(code))
}

fn parsed(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("not a report: {}", run.stdout))
}

fn items(report: &Value) -> &Vec<Value> {
    report["content"]["items"].as_array().expect("items")
}

fn item<'r>(report: &'r Value, title: &str) -> &'r Value {
    let found = items(report).iter().find(|item| item["title"] == title);
    found.unwrap_or_else(|| panic!("no {title} in {report:#}"))
}

fn count(report: &Value, fate: &str) -> usize {
    let all = items(report).iter();
    let count = all.filter(|item| item["fate"] == fate).count();
    assert_eq!(report["content"]["counts"][fate], count, "{report:#}");
    count
}

/// The codes of all warnings.
fn codes(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().expect("warnings");
    warnings
        .iter()
        .map(|warning| warning["code"].as_str().expect("a code"))
        .collect()
}

/// The report's word for what a snapshot calls otherwise.
fn state(fate: &Value) -> &str {
    match fate.as_str() {
        Some("read") => "stored",
        Some("unreadable") => "missing",
        Some(same) => same,
        None => "",
    }
}

#[track_caller]
fn assert_as_told(job: &Job, report: &Value) {
    let run = job.run();
    let (exit, summary) = (report["exit"].as_i64(), run.summary());
    assert_eq!(Some(i64::from(run.code)), exit, "{report:#}");
    for (fate, number) in [
        ("read", "stored"),
        ("unchanged", "unchanged"),
        ("skipped", "skipped"),
        ("unreadable", "missing"),
    ] {
        assert_eq!(json!(count(report, fate)), summary[number], "{fate}");
    }
    let entries = job.archive().snapshot()["items"].take();
    let entries = entries.as_array().expect("items");
    assert_eq!(entries.len(), items(report).len());
    for (told, entry) in items(report).iter().zip(entries) {
        assert_eq!(
            (&told["id"], state(&told["fate"])),
            (&entry["id"], entry["state"].as_str().expect("a state"))
        );
        if let (Some(rows), "read") = (
            told["rows"].as_u64(),
            told["fate"].as_str().expect("a fate"),
        ) {
            assert_eq!(json!(rows), entry["rows"], "{entry}");
        }
    }
    let read = items(report).iter().filter(|item| item["fate"] == "read");
    let rows: u64 = read.filter_map(|item| item["rows"].as_u64()).sum();
    assert_eq!(json!(rows), summary["rows"]);
}

#[test]
fn the_pass_that_follows_does_what_was_told() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal);
    let report = told(&job, 0);
    assert_eq!(
        (count(&report, "skipped"), count(&report, "unchanged")),
        (1, 0)
    );
    assert_as_told(&job, &report);
    let row = worlds::values(json!({"LABEL": "H-9999"}));
    portal.edit(|world| world.add_feature("Hydrants", 0, row, Some(worlds::point(12.1, 50.8))));
    let report = told(&job, 0);
    assert_eq!(item(&report, "Hydrants")["fate"], "read");
    assert!(count(&report, "unchanged") > 8, "{report:#}");
    assert_eq!(report["destination"]["snapshots"], 1);
    assert_as_told(&job, &report);
}

#[test]
fn the_table_tells_what_json_tells() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal);
    let report = told(&job, 0);
    let run = job.run_with(&["check"]);
    assert_eq!(run.ended(0).stderr, "", "no log line beside a report");
    let table = &run.stdout;
    assert_eq!(table.lines().last(), report["verdict"].as_str());
    for words in [
        "gis_backup (org_admin) of City of Lindenau (CityOrg01)",
        &portal.url(),
        job.destination().to_str().expect("text"),
        "by BACKUP_SCOPE=mine",
    ] {
        assert!(table.contains(words), "no {words} in\n{table}");
    }
    let numbers: BTreeMap<String, u64> = table.lines().filter_map(row).collect();
    for of_type in report["content"]["types"].as_array().expect("types") {
        let kind = of_type["type"].as_str().expect("a type");
        assert_eq!(json!(numbers[kind]), of_type["items"], "{table}");
    }
    let skipped = items(&report)
        .iter()
        .find(|item| item["fate"] == "skipped")
        .expect("one");
    let line = format!(
        "  {} ({}): it has the tag no-backup",
        skipped["title"].as_str().expect("text"),
        skipped["type"].as_str().expect("text")
    );
    assert!(
        table.lines().any(|told| told == line),
        "no {line} in\n{table}"
    );
    for warning in report["warnings"].as_array().expect("warnings") {
        for part in ["message", "remedy"] {
            assert!(
                table.contains(warning[part].as_str().expect("text")),
                "{warning}"
            );
        }
    }
}

/// A type and its items, if the line is of the table of types.
fn row(line: &str) -> Option<(String, u64)> {
    let mut cells = line
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty());
    let kind = cells.next()?.to_owned();
    Some((kind, cells.next()?.parse().ok()?))
}

#[test]
fn it_tells_which_engine_reads_what_and_what_nobody_reads() {
    let mut world = worlds::city();
    let mut closed = Service::new("Closed", vec![worlds::notes(3)]);
    closed.capabilities = "Create,Editing".to_owned();
    world.add_service(Item::new("Feature Service", "Closed"), closed);
    let mut map = Item::new("Map Service", "Tiles");
    map.keywords = vec!["Tiles".to_owned()];
    world.add_item(map);
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal).with("BACKUP_FORMATS", "geojson,csv,file-geodatabase");
    let report = told(&job, 0);
    let read_as = |title: &str| item(&report, title)["read_as"].clone();
    let all = json!([
        "csv by export",
        "file-geodatabase by export",
        "geojson by query, else by export"
    ]);
    assert_eq!(read_as("Hydrants"), all);
    assert_eq!(item(&report, "Hydrants")["rows"], 250);
    let foreign = items(&report)
        .iter()
        .find(|item| {
            item["title"]
                .as_str()
                .is_some_and(|title| title.contains("raffic"))
        })
        .expect("a service elsewhere");
    assert_eq!(foreign["read_as"], json!(["geojson by query"]));
    let without = foreign["without"].to_string();
    assert!(
        without.contains("file-geodatabase") && without.contains("csv"),
        "{without}"
    );
    assert!(
        item(&report, "Tiles")["without"]
            .to_string()
            .contains("no engine")
    );
    let by_query = job
        .with("BACKUP_FORMATS", "geojson")
        .with("BACKUP_METHOD", "query");
    assert_eq!(
        item(&told(&by_query, 0), "Hydrants")["read_as"],
        json!(["geojson by query"])
    );
}

#[test]
fn no_secret_is_in_a_report() {
    let portal = FakePortal::start_blocking(worlds::city());
    let store = crate::support::store::Store::s3();
    for variables in [store.variables(), store.wrong_key()] {
        let secret = variables
            .iter()
            .find(|(name, _)| *name == "SINK_SECRET_ACCESS_KEY")
            .expect("a key")
            .1
            .clone();
        let job = variables
            .into_iter()
            .fold(Job::against(&portal), |job, (name, value)| {
                job.with(name, value)
            });
        for arguments in [&["check"][..], &["check", "--json"]] {
            let run = job.run_with(arguments);
            assert!(run.stdout.contains("gis_backup"), "{}", run.stdout);
            let said = format!("{}{}", run.stdout, run.stderr);
            let mut canaries = vec!["refresh-secret", "access-secret", "X-Amz-", "Bearer"];
            canaries.extend(Some(secret.as_str()).filter(|secret| *secret != "wrong"));
            let found = canaries.iter().find(|canary| said.contains(**canary));
            assert_eq!(found, None, "{said}");
        }
    }
}
