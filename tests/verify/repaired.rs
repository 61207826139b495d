//! `--repair` marks: the next pass reads the marked items anew, and what is good stays named.

use serde_json::Value;

use super::{Office, end, findings};
use crate::support::portal::{Fault, FaultKind};
use crate::support::run::sha256;

/// The rows that the newest version alone has.
fn own_rows(office: &Office) -> String {
    let rows = office.archive().files_of("Office", "rows");
    let own = rows.iter().find(|file| file["layer"] == 0).expect("rows");
    own["path"].as_str().expect("a path").to_owned()
}

fn flip(office: &Office, path: &str) {
    let archive = office.archive();
    let mut bytes = archive.bytes(path);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(archive.root.join(path), bytes).expect("written");
}

#[test]
fn an_older_copy_that_is_whole_takes_the_place_of_a_damaged_one() {
    let office = Office::three_nights();
    let before = office.archive().entry("Office");
    let nights = office.archive().stamps();
    let path = own_rows(&office);
    flip(&office, &path);
    let run = office.verify(&["--repair"]);
    run.ended(14);
    assert_eq!(findings(&run)[0].0, path);
    let snapshot = office.archive().snapshot();
    assert_eq!(snapshot["complete"], false);
    let marked = office.archive().entry("Office");
    assert_eq!(marked["state"], "kept");
    let record = marked["record"].as_str().expect("a record");
    assert!(record.contains(&nights[1]), "the night before: {record}");
    assert_eq!(marked["error"]["stage"], "verify");
    assert!(
        marked["error"]["message"]
            .as_str()
            .expect("a reason")
            .contains(&path)
    );
    assert_eq!(office.archive().entry("Handbook")["state"], "unchanged");
    office.verify(&[]).ended(0);
    assert!(
        office.archive().names("passes").is_empty(),
        "nobody holds it any more"
    );
    office.job.run().ended(0);
    assert_eq!(office.archive().entry("Office")["state"], "stored");
    assert_eq!(office.archive().entry("Office")["rows"], before["rows"]);
    office.verify(&[]).ended(0);
}

#[test]
fn an_item_without_a_whole_copy_is_missing_until_it_is_read_anew() {
    let office = Office::three_nights();
    // All versions share this one.
    let attachment = office.archive().files_of("Office", "attachment").remove(0);
    let path = attachment["path"].as_str().expect("a path");
    flip(&office, path);
    office.verify(&["--repair"]).ended(14);
    let marked = office.archive().entry("Office");
    assert_eq!(
        (&marked["state"], &marked["record"]),
        (&"missing".into(), &Value::Null)
    );
    office.verify(&[]).ended(0);
    let run = office.verify(&["--all"]);
    run.ended(14);
    let line = &run.events("damaged")[0];
    assert_eq!(line["path"], path);
    assert_eq!(
        line["snapshots"]
            .as_str()
            .expect("stamps")
            .split(' ')
            .count(),
        3,
        "all three need it"
    );
    office.job.run().ended(0);
    assert_eq!(office.archive().entry("Office")["state"], "stored");
    office.verify(&[]).ended(0);
}

#[test]
fn the_account_of_a_repair_says_what_it_was_and_vouches_for_its_snapshot() {
    let office = Office::three_nights();
    flip(&office, &own_rows(&office));
    office.verify(&["--repair"]).ended(14);
    let archive = office.archive();
    let stamp = archive.stamps().remove(3);
    let snapshot = archive.bytes(&format!("snapshots/{stamp}.json"));
    let account = archive.history();
    assert_eq!(
        [&account["stamp"], &account["snapshot_sha256"]],
        [&Value::from(stamp), &sha256(&snapshot).into()]
    );
    let counts = ["exit", "kept", "unchanged"].map(|name| account[name].as_u64());
    assert_eq!(counts, [Some(14), Some(1), Some(1)], "{account:#}");
    assert_eq!(account["error"], "damaged items were marked");
}

#[test]
fn when_nothing_is_damaged_nothing_is_written() {
    let office = Office::three_nights();
    let before = office.archive().files();
    let run = office.verify(&["--repair"]);
    run.ended(0);
    assert_eq!(end(&run)["damaged"], 0);
    assert_eq!(office.archive().files(), before);
}

#[test]
fn a_copy_that_was_found_damaged_is_never_what_stands_in_for_a_failed_reading() {
    let office = Office::three_nights();
    let archive = office.archive();
    let damaged = archive.entry("Office")["record"].clone();
    std::fs::remove_file(archive.root.join(own_rows(&office))).expect("removed");
    office
        .portal
        .add_fault(Fault::on("layers", FaultKind::Status(400, None)).forever());
    office.edit_layer(0);
    office.job.run().ended(3);
    let entry = office.archive().entry("Office");
    assert_eq!(entry["state"], "kept");
    assert_ne!(entry["record"], damaged, "the one before");
    office.verify(&[]).ended(0);
}

#[test]
fn a_record_that_the_store_does_not_give_is_its_items_trouble() {
    let office = Office::three_nights();
    let archive = office.archive();
    let record = archive.entry("Office")["record"].clone();
    let record = archive.root.join(record.as_str().expect("a path"));
    std::fs::remove_file(&record).expect("removed");
    std::fs::create_dir(&record).expect("a folder in its place");
    let run = office.job.run();
    run.ended(0);
    assert_eq!(run.events("copy damaged").len(), 1);
    assert_eq!(office.archive().entry("Office")["state"], "stored");
    office.verify(&[]).ended(0);
}
