//! A copy is called whole only when it agrees with the server; what disagrees is read again, noted, or fails.

mod changing;
mod files;

use serde_json::{Value, json};

use crate::support::portal::{Catalogue, FakePortal, Fault, FaultKind, Item, Reply, Service};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// Services of these names, each a layer of 45 rows that come ten to an answer.
fn services(names: &[&str]) -> Catalogue {
    let mut world = worlds::empty();
    for name in names {
        let layer = worlds::notes(45)
            .with(|layer| (layer.max_record_count, layer.standard_max) = (10, None));
        world.add_service(
            Item::new("Feature Service", name),
            Service::new(name, vec![layer]),
        );
    }
    world
}

/// A fault that strikes the rows of one service.
fn on_rows(service: &str, fault: FaultKind) -> Fault {
    Fault::on("query", fault).only(&format!("/{service}/"))
}

fn portal_with(world: Catalogue, faults: Vec<Fault>) -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(world);
    for fault in faults {
        portal.add_fault(fault);
    }
    let job = Job::against(&portal).with("BACKUP_METHOD", "query");
    (portal, job)
}

/// One service for each fault, which strikes one answer with rows of it: the first, and one of a window.
fn struck_once(faults: &[FaultKind]) -> (FakePortal, Job) {
    let mut names = Vec::new();
    let mut strikes = Vec::new();
    for (number, fault) in faults.iter().enumerate() {
        for skip in [0, 3] {
            let name = format!("Notes{number}_{skip}");
            strikes.push(on_rows(&name, fault.clone()).skip(skip));
            names.push(name);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (portal, job) = portal_with(services(&names), strikes);
    (portal, job.with("BACKUP_CONCURRENCY", "32"))
}

/// Every service of the newest snapshot has 45 rows, once each, and nothing is doubted.
#[track_caller]
fn assert_whole(job: &Job) {
    let archive = job.archive();
    let snapshot = archive.snapshot();
    assert_eq!(snapshot["complete"], true);
    for entry in snapshot["items"].as_array().expect("items") {
        let title = entry["title"].as_str().expect("a title");
        assert_eq!(rows_of(job, title), (1..=45).collect::<Vec<_>>(), "{title}");
        assert_eq!(archive.notes(title), Vec::<String>::new(), "{title}");
    }
}

fn rows_of(job: &Job, title: &str) -> Vec<i64> {
    let rows = job.archive().content(title, "rows");
    let features = rows["features"].as_array().expect("features");
    features
        .iter()
        .map(|row| row["id"].as_i64().expect("an id"))
        .collect()
}

fn rows_and_server_rows(job: &Job, title: &str) -> [Option<u64>; 2] {
    let file = job.archive().files_of(title, "rows").remove(0);
    ["rows", "server_rows"].map(|name| file[name].as_u64())
}

/// The item failed in this way, and the snapshot and the history say so.
#[track_caller]
fn assert_failed(job: &Job, run: &Run, title: &str, state: &str, part: &str) -> String {
    run.ended(3);
    let archive = job.archive();
    assert_eq!(archive.snapshot()["complete"], false);
    let entry = archive.entry(title);
    assert_eq!(
        (&entry["state"], &entry["error"]["stage"]),
        (&json!(state), &json!(part)),
        "{entry}"
    );
    assert_eq!(run.summary()[state], 1);
    let failed = &archive.history()["failed"];
    assert_eq!(
        (&failed[0]["title"], &failed[0]["error"]),
        (&json!(title), &entry["error"])
    );
    assert_eq!(failed.as_array().map(Vec::len), Some(1));
    entry["error"]["message"]
        .as_str()
        .expect("a message")
        .to_owned()
}

#[test]
fn the_servers_count_stands_beside_the_rows_kept() {
    let (_portal, job) = portal_with(services(&["Notes"]), vec![]);
    job.run().ended(0);
    assert_whole(&job);
    assert_eq!(rows_and_server_rows(&job, "Notes"), [Some(45); 2]);
}

#[test]
fn a_page_that_lies_once_does_no_harm() {
    let (_portal, job) = struck_once(&[
        FaultKind::ShortPage,
        FaultKind::LoseRow,
        FaultKind::PageWithoutFlag,
        FaultKind::DropLastPage,
        FaultKind::RepeatPage,
        FaultKind::DoubleRow,
    ]);
    job.run().ended(0);
    assert_whole(&job);
}

#[test]
fn an_answer_that_breaks_once_is_asked_for_again() {
    let (_portal, job) = struck_once(&[
        FaultKind::CutBody,
        FaultKind::CutChunked,
        FaultKind::CutGzip,
        FaultKind::Html200,
        FaultKind::Html(502),
        FaultKind::EmptyBody,
        FaultKind::DeepJson,
        FaultKind::Reset,
        FaultKind::ErrorInBody(json!({"code": 500, "message": "Try again.", "details": null})),
        FaultKind::TextPlainError(503, "Service unavailable."),
    ]);
    let run = job.run();
    run.ended(0);
    assert_whole(&job);
    assert_eq!(run.summary()["retries"], 20);
}

#[test]
fn a_row_that_never_comes_fails_its_item_alone() {
    let lost = on_rows("Notes", FaultKind::LoseRow).forever();
    let (_portal, job) = portal_with(services(&["Notes", "Others"]), vec![lost]);
    let message = assert_failed(&job, &job.run(), "Notes", "missing", "rows");
    let numbers = message.split(|c: char| !c.is_ascii_digit());
    let numbers: Vec<u64> = numbers.filter_map(|word| word.parse().ok()).collect();
    assert!(
        numbers.contains(&45),
        "what the server counts, in {message}"
    );
    assert!(
        numbers.iter().any(|read| (1..45).contains(read)),
        "what was read, in {message}"
    );
    let entry = job.archive().entry("Notes");
    assert_eq!(
        (&entry["record"], &entry["rows"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(job.archive().entry("Others")["state"], "stored");
    assert!(
        job.archive()
            .files()
            .iter()
            .all(|path| !path.starts_with("items/notes-")),
        "nothing half-read stays"
    );
    job.archive().assert_whole();
}

#[test]
fn a_page_garbled_for_ever_fails_its_item_alone() {
    let half = FaultKind::alter(|_, reply: Reply| {
        let half = reply.body.slice(..reply.body.len() / 2);
        Reply {
            body: half,
            ..reply
        }
    });
    let garbled = on_rows("Notes", half).skip(1).forever();
    let (_portal, job) = portal_with(services(&["Notes", "Others"]), vec![garbled]);
    assert_failed(&job, &job.run(), "Notes", "missing", "rows");
    assert_eq!(job.archive().entry("Others")["state"], "stored");
}

#[test]
fn a_failed_item_keeps_its_last_good_copy() {
    let (portal, job) = portal_with(services(&["Notes", "Others"]), vec![]);
    job.run().ended(0);
    let good = job.archive().entry("Notes");
    portal.edit(|world| world.touch("Notes", 0));
    portal.add_fault(on_rows("Notes", FaultKind::LoseRow).forever());
    assert_failed(&job, &job.run(), "Notes", "kept", "rows");
    let kept = job.archive().entry("Notes");
    for member in [
        "record",
        "record_sha256",
        "rows",
        "files",
        "bytes",
        "change",
    ] {
        assert_eq!(kept[member], good[member], "{member}");
    }
    assert_eq!(job.archive().entry("Others")["state"], "unchanged");
    job.archive().assert_whole();
}

#[test]
fn a_server_that_does_not_count_is_not_called_whole_in_silence() {
    let (_portal, job) = portal_with(
        services(&["Notes"]),
        vec![Fault::on("count", FaultKind::CountNull).forever()],
    );
    job.run().ended(0);
    assert_eq!(rows_of(&job, "Notes").len(), 45);
    assert_eq!(rows_and_server_rows(&job, "Notes"), [Some(45), None]);
    assert_eq!(job.archive().notes("Notes"), ["rows_not_counted"]);
}
