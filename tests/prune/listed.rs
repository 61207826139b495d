//! `agol-backup snapshots`: what there is, and what would go.

use serde_json::Value;

use super::Office;
use crate::support::run::Job;

#[test]
fn the_list_tells_what_the_next_prune_removes() {
    let mut office = Office::three_nights();
    let before = office.archive().files();
    let without = office.job.run_with(&["snapshots"]).stdout;
    assert!(
        without.contains("nothing is ever removed") && !without.contains("damaged"),
        "{without}"
    );
    office.job.set("BACKUP_KEEP_LAST", "2");
    let told = office.job.run_with(&["snapshots", "--json"]);
    told.ended(0);
    assert_eq!(told.stderr, "");
    let lines: Vec<Value> = serde_json::from_str(&told.stdout).expect("JSON");
    let goes: Vec<bool> = lines.iter().map(|line| line["goes"] == true).collect();
    assert_eq!(goes, [true, false, false]);
    assert_eq!(lines[2]["keep"][0], "newest");
    assert_eq!(
        (&lines[0]["items"], &lines[0]["complete"]),
        (&2.into(), &true.into())
    );
    let states = ["stored", "kept", "missing", "skipped"];
    let counts = |line: &Value| states.map(|state| line[state].as_u64().expect("a number"));
    assert_eq!(counts(&lines[0]), [2, 0, 0, 0]);
    assert_eq!(counts(&lines[2]), [1, 0, 0, 0], "the other is unchanged");
    for name in ["rows", "bytes"] {
        let entries = ["Office", "Handbook"].map(|title| office.archive().entry(title));
        let sum: Option<u64> = entries.iter().map(|entry| entry[name].as_u64()).sum();
        assert_eq!(lines[2][name].as_u64(), sum, "{name}");
    }
    let text = office.job.run_with(&["snapshots"]);
    text.ended(0);
    let rows: Vec<&str> = text.stdout.lines().collect();
    assert!(
        rows[0].starts_with("snapshot") && rows[1].ends_with("goes"),
        "{}",
        text.stdout
    );
    assert!(
        rows.len() == 4 && rows[3].contains("newest complete"),
        "{}",
        text.stdout
    );
    assert_eq!(office.archive().files(), before, "looking changes nothing");
}

#[test]
fn it_needs_no_portal_and_says_when_there_is_nothing() {
    let job = Job::bare();
    let run = job.run_with(&["snapshots"]);
    run.ended(13);
    assert!(
        run.stderr.contains("is not a folder") && run.stdout.is_empty(),
        "{}",
        run.stderr
    );
    assert!(!job.destination().exists(), "nothing is made");
    std::fs::create_dir(job.destination()).expect("a folder");
    let run = job.run_with(&["snapshots"]);
    run.ended(0);
    assert!(run.stdout.starts_with("no snapshot in "), "{}", run.stdout);
    assert_eq!(job.run_with(&["snapshots", "--json"]).stdout.trim(), "[]");
}

#[test]
fn a_damaged_snapshot_is_listed_as_damaged_and_nothing_goes() {
    let mut office = Office::small();
    office.night();
    office.night();
    let stamp = office.archive().stamps()[1].clone();
    std::fs::write(
        office
            .archive()
            .root
            .join(format!("snapshots/{stamp}.json")),
        "{",
    )
    .expect("cut");
    office.job.set("BACKUP_KEEP_LAST", "1");
    let run = office.job.run_with(&["snapshots"]);
    run.ended(0);
    assert!(
        run.stdout.contains("damaged: not readable") && !run.stdout.contains("goes"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("While a snapshot is damaged nothing is pruned"),
        "{}",
        run.stdout
    );
}

#[test]
fn every_rule_has_a_variable_of_its_name() {
    let office = Office::small();
    office.night();
    let rules = [
        ("BACKUP_KEEP_LAST", "one of the last 1"),
        ("BACKUP_KEEP_DAILY", "newest of day"),
        ("BACKUP_KEEP_WEEKLY", "newest of week"),
        ("BACKUP_KEEP_MONTHLY", "newest of month"),
        ("BACKUP_KEEP_YEARLY", "newest of year"),
    ];
    for (name, why) in rules {
        let job = Job::bare()
            .with("BACKUP_DESTINATION", office.job.destination())
            .with(name, "1");
        let told = job.run_with(&["snapshots"]);
        assert!(told.stdout.contains(why), "{name}: {}", told.stdout);
        for other in rules.iter().filter(|(other, _)| *other != name) {
            assert!(!told.stdout.contains(other.1), "{name}: {}", told.stdout);
        }
    }
}
