//! What can be asked for, and what is said.

use super::{Office, end, findings};
use crate::support::run::Job;

#[test]
fn a_whole_archive_is_walked_to_the_last_byte_and_left_as_it_is() {
    let office = Office::three_nights();
    let before = office.archive().files();
    let run = office.verify(&["--all"]);
    run.ended(0);
    let end = end(&run);
    assert_eq!(end["level"], "INFO");
    let files: Vec<_> = before
        .iter()
        .filter(|path| path.starts_with("items/"))
        .collect();
    let bytes: usize = files
        .iter()
        .filter(|path| !path.ends_with("record.json"))
        .map(|path| office.archive().bytes(path).len())
        .sum();
    assert_eq!((&end["snapshots"], &end["damaged"]), (&3.into(), &0.into()));
    assert_eq!(end["files"], files.len(), "each once, however many name it");
    let records = files.iter().filter(|path| path.ends_with("record.json"));
    assert_eq!(end["items"], records.count(), "once for each version");
    assert_eq!(
        (&end["read"], &end["bytes"]),
        (&files.len().into(), &bytes.into())
    );
    assert_eq!(office.archive().files(), before);
}

#[test]
fn one_snapshot_or_all_or_the_newest_are_verified() {
    let office = Office::three_nights();
    let archive = office.archive();
    let stamps = archive.stamps();
    let first = archive.json(&format!("snapshots/{}.json", stamps[0]));
    let record = first["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|item| item["title"] == "Office")
        .expect("one")["record"]
        .clone();
    std::fs::remove_file(archive.root.join(record.as_str().expect("a path"))).expect("removed");
    office.verify(&[]).ended(0);
    office.verify(&["--snapshot", &stamps[1]]).ended(0);
    let one = office.verify(&["--snapshot", &stamps[0]]);
    one.ended(14);
    assert_eq!(end(&one)["level"], "ERROR");
    assert_eq!(
        findings(&one),
        [(
            record.as_str().expect("a path").to_owned(),
            "missing".to_owned()
        )]
    );
    office.verify(&["--all"]).ended(14);
    let line = &one.events("damaged")[0];
    assert_eq!(
        (&line["title"], &line["snapshots"]),
        (&"Office".into(), &stamps[0].as_str().into())
    );
    office.verify(&["--snapshot", "20200101T000000Z"]).ended(14);
    office.verify(&["--snapshot", "yesterday"]).ended(2);
    office.verify(&["--all", "--repair"]).ended(2);
}

#[test]
fn a_sample_reads_a_share_and_looks_at_the_length_of_the_rest() {
    let office = Office::three_nights();
    let archive = office.archive();
    let paths: Vec<String> = archive
        .files()
        .into_iter()
        .filter(|path| path.contains("/layers/") || path.ends_with("item.json"))
        .collect();
    let run = office.verify(&["--all", "--sample", "0.0001%"]);
    run.ended(0);
    let whole = end(&run);
    assert!(whole["read"].as_u64() < whole["files"].as_u64(), "{whole}");
    let all = end(&office.verify(&["--all"]));
    assert!(whole["bytes"].as_u64() < all["bytes"].as_u64(), "{whole}");
    for path in &paths {
        let mut bytes = archive.bytes(path);
        bytes[10] ^= 1;
        std::fs::write(archive.root.join(path), bytes).expect("written");
    }
    office.verify(&["--all", "--sample", "0.0001%"]).ended(0);
    let found = findings(office.verify(&["--all", "--sample", "100%"]).ended(14));
    let found: Vec<String> = found.into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, paths, "in the order of their paths");
    std::fs::write(archive.root.join(&paths[0]), "").expect("cut");
    let told = office.verify(&["--all", "--sample", "0.0001%"]);
    assert!(
        findings(told.ended(14))[0].1.contains("0 bytes instead of"),
        "{}",
        told.stdout
    );
    for wrong in ["0%", "101%", "some", "-1"] {
        office.verify(&[&format!("--sample={wrong}")]).ended(2);
    }
}

#[test]
fn rows_are_counted_again() {
    let office = Office::three_nights();
    let archive = office.archive();
    let path = archive.files_of("Office", "rows")[0]["path"]
        .as_str()
        .expect("a path")
        .to_owned();
    // A record that was wrong from the start: everything agrees but the rows.
    let record = archive.entry("Office")["record"]
        .as_str()
        .expect("a path")
        .to_owned();
    let text = String::from_utf8(archive.bytes(&record)).expect("text");
    let rows = archive.files_of("Office", "rows")[0]["rows"].clone();
    let wrong = text.replacen(&format!("\"rows\": {rows}"), "\"rows\": 77", 1);
    archive.rewrite(&record, &wrong);
    let run = office.verify(&[]);
    run.ended(14);
    assert_eq!(
        findings(&run),
        [(path, format!("{rows} rows instead of 77"))]
    );
}

#[test]
fn a_file_that_the_store_does_not_give_is_told_and_the_others_are_read() {
    let office = Office::three_nights();
    let archive = office.archive();
    let path = archive.files_of("Office", "rows")[0]["path"]
        .as_str()
        .expect("a path")
        .to_owned();
    let file = archive.root.join(&path);
    let length = archive.bytes(&path).len();
    std::fs::remove_file(&file).expect("removed");
    std::fs::create_dir(&file).expect("a folder in its place");
    let run = office.verify(&[]);
    run.ended(14);
    assert_eq!(findings(&run)[0].0, path);
    assert!(end(&run)["read"].as_u64() > Some(3) && length > 0);
}

#[test]
fn without_a_snapshot_there_is_nothing_to_say_yes_to() {
    let job = Job::bare();
    job.run_with(&["verify"]).ended(13);
    std::fs::create_dir(job.destination()).expect("a folder");
    let run = job.run_with(&["verify"]);
    run.ended(4);
    assert!(
        run.stdout.contains("no snapshot to verify"),
        "{}",
        run.stdout
    );
    job.run_with(&["verify", "--repair"]).ended(4);
    assert!(
        job.archive().files().is_empty(),
        "{:?}",
        job.archive().files()
    );
}

#[test]
fn a_snapshot_of_a_newer_program_is_not_taken_for_a_whole_one() {
    let office = Office::three_nights();
    let archive = office.archive();
    let path = format!("snapshots/{}.json", archive.stamps()[2]);
    let text = String::from_utf8(archive.bytes(&path)).expect("text");
    archive.rewrite(&path, &text.replacen("\"format\": 1", "\"format\": 2", 1));
    let run = office.verify(&[]);
    run.ended(14);
    assert!(
        findings(&run)[0].1.contains("newer version"),
        "{}",
        run.stdout
    );
}
