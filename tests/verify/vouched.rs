//! What vouches for what: snapshots for records, accounts for snapshots; and what is read when a share is asked for.

use std::collections::BTreeSet;

use agol_backup::archive::{WHOLE, Wish};
use agol_backup::progress::Progress;
use agol_backup::snapshot::Stamp;

use super::{Office, findings};
use crate::support::portal::FakePortal;
use crate::support::proxy::{Act, Rule};
use crate::support::store::Store;
use crate::support::worlds;

fn record_of(office: &Office, title: &str) -> String {
    let entry = office.archive().entry(title);
    entry["record"].as_str().expect("a record").to_owned()
}

#[test]
fn every_snapshot_that_needs_a_record_is_told() {
    let office = Office::three_nights();
    let record = record_of(&office, "Handbook");
    std::fs::remove_file(office.archive().root.join(&record)).expect("removed");
    let run = office.verify(&["--all"]);
    let told = [(record, "missing".to_owned())];
    assert_eq!(findings(run.ended(14)), told);
    let stamps = office.archive().stamps().join(" ");
    assert_eq!(run.events("damaged")[0]["snapshots"], stamps);
}

#[test]
fn a_record_that_two_snapshots_vouch_for_differently_is_damaged_for_one_of_them() {
    let office = Office::three_nights();
    let archive = office.archive();
    let stamps = archive.stamps();
    let sha256 = archive.entry("Handbook")["record_sha256"].clone();
    let path = format!("snapshots/{}.json", stamps[1]);
    let text = String::from_utf8(archive.bytes(&path)).expect("text");
    let wrong = text.replace(sha256.as_str().expect("a hash"), &"0".repeat(64));
    archive.rewrite(&path, &wrong);
    let run = office.verify(&["--all"]);
    let told = [(record_of(&office, "Handbook"), "altered".to_owned())];
    assert_eq!(findings(run.ended(14)), told);
    assert_eq!(run.events("damaged")[0]["snapshots"], stamps[1].as_str());
}

#[test]
fn an_item_is_told_by_its_newest_title() {
    let office = Office::three_nights();
    office.portal.edit(|world| {
        let id = world.titled("Office").id.clone();
        world.edit_item(&id, |item| item.title = "Bureau".to_owned());
    });
    office.night();
    let attachment = office.archive().files_of("Bureau", "attachment").remove(0);
    let path = attachment["path"].as_str().expect("a path").to_owned();
    std::fs::remove_file(office.archive().root.join(&path)).expect("removed");
    let run = office.verify(&["--all"]);
    assert_eq!(findings(run.ended(14)), [(path, "missing".to_owned())]);
    assert_eq!(run.events("damaged")[0]["title"], "Bureau");
}

#[test]
fn another_passes_snapshot_is_not_taken_for_one_whose_account_is_gone() {
    let office = Office::three_nights();
    let archive = office.archive();
    let stamps = archive.stamps();
    let [older, newest] = [1, 2].map(|at| format!("snapshots/{}.json", stamps[at]));
    std::fs::remove_file(archive.root.join(format!("history/{}.json", stamps[2])))
        .expect("removed");
    office.verify(&[]).ended(0);
    std::fs::write(archive.root.join(&newest), archive.bytes(&older)).expect("written");
    let run = office.verify(&[]);
    assert_eq!(findings(run.ended(14)), [(newest, "altered".to_owned())]);
}

#[test]
fn a_record_of_a_newer_program_is_not_taken_for_a_whole_one() {
    let office = Office::three_nights();
    let archive = office.archive();
    let path = record_of(&office, "Handbook");
    let text = String::from_utf8(archive.bytes(&path)).expect("text");
    archive.rewrite(&path, &text.replacen("\"format\": 1", "\"format\": 2", 1));
    let run = office.verify(&[]);
    let found = findings(run.ended(14));
    assert!(
        found.len() == 1 && found[0].0 == path && found[0].1.contains("newer version"),
        "{found:?}"
    );
}

#[test]
fn rows_are_counted_in_every_format_that_tells_them() {
    let mut office = Office::three_nights();
    office.job.set("BACKUP_FORMATS", "geojson,esrijson,csv");
    office.edit_layer(1); // now both layers have as many rows
    office.night();
    office.verify(&[]).ended(0);
    let archive = office.archive();
    let record = record_of(&office, "Office");
    let text = String::from_utf8(archive.bytes(&record)).expect("text");
    let rows = archive.files_of("Office", "rows");
    assert_eq!(rows.len(), 6, "two layers in three formats");
    let number = format!("\"rows\": {}", rows[0]["rows"]);
    assert_eq!(text.matches(&number).count(), 6, "{text}");
    archive.rewrite(&record, &text.replace(&number, "\"rows\": 77"));
    let found = findings(office.verify(&[]).ended(14));
    let wrong = found
        .iter()
        .filter(|(_, damage)| damage.ends_with(" rows instead of 77"));
    assert_eq!(wrong.count(), 6, "{found:?}");
}

/// Each file that a sample reads is told, because none is as it was.
fn read_by_half(office: &Office, seed: u64) -> BTreeSet<String> {
    let destination = office.job.destination();
    let destination = destination.to_str().expect("text").to_owned();
    let archive = Store::opened(&[("BACKUP_DESTINATION", destination)]);
    let stamps = office.archive().stamps();
    let wish = Wish {
        stamps: stamps
            .iter()
            .filter_map(|name| Stamp::parse(name))
            .collect(),
        share: WHOLE / 2,
        seed,
    };
    let progress = Progress::default();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let verified = runtime.block_on(archive.verify(&wish, &progress));
    let verified = verified.expect("verified");
    verified.findings.into_iter().map(|one| one.path).collect()
}

#[test]
fn another_seed_reads_other_files_and_the_same_seed_the_same() {
    let office = Office::three_nights();
    let archive = office.archive();
    for path in archive.files() {
        if path.starts_with("items/") && !path.ends_with("record.json") {
            let mut bytes = archive.bytes(&path);
            bytes[0] ^= 1;
            std::fs::write(archive.root.join(path), bytes).expect("written");
        }
    }
    let [first, again, other] = [1, 1, 2].map(|seed| read_by_half(&office, seed));
    assert!(!first.is_empty());
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn a_store_that_gives_nothing_any_more_is_in_trouble_and_the_backup_is_not_called_damaged() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let store = Store::s3();
    let job = store.job(&portal);
    job.run().ended(0);
    let files = store.files().into_keys();
    let mut snapshots = files.filter(|path| path.starts_with("snapshots/"));
    let snapshot = snapshots.next().expect("a snapshot");
    let stamp = &snapshot["snapshots/".len()..];
    let refused = || Act::Status(403, Vec::new(), String::new());
    let proxy = store.proxy().expect("a proxy");
    proxy.add(Rule::on("GET", "record.json").forever().then(refused()));
    let damaged = job.run_with(&["verify", "--snapshot", stamp]);
    assert_eq!(findings(damaged.ended(14)).len(), 2, "each item's record");
    proxy.add(Rule::on("GET", "prefix=").forever().then(refused()));
    let run = job.run_with(&["verify", "--snapshot", stamp]);
    assert!(findings(run.ended(13)).is_empty(), "{}", run.stdout);
}
