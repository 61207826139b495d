//! What is damaged is never made worse: nothing is removed that somebody might still need.

use super::{Office, size};

#[test]
fn while_a_snapshot_is_damaged_nothing_is_removed_and_the_backup_stands() {
    let mut office = Office::three_nights();
    let stamp = office.archive().stamps()[0].clone();
    let path = office
        .archive()
        .root
        .join(format!("snapshots/{stamp}.json"));
    let bytes = std::fs::read(&path).expect("a snapshot");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("cut");
    let before = office.archive().files();
    let run = office.prune("BACKUP_KEEP_LAST", 1);
    run.ended(3);
    let after = office.archive().files();
    assert!(
        before.iter().all(|path| after.contains(path)),
        "nothing is removed"
    );
    assert_eq!(run.events("snapshot committed").len(), 1);
    let error = run.summary()["error"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(
        error.contains(&stamp) && error.contains("by hand"),
        "{error}"
    );
    let account = office.archive().root.join(format!("history/{stamp}.json"));
    for path in [path, account] {
        std::fs::remove_file(&path).expect("removed by hand");
    }
    office.archive().age(2);
    office.job.run().ended(0);
    assert_eq!(office.archive().stamps().len(), 1);
    office.archive().assert_whole();
}

#[test]
fn a_snapshot_that_is_not_seen_is_not_gone() {
    let mut office = Office::three_nights();
    let stamp = office.archive().stamps()[0].clone();
    let [snapshot, account] =
        ["snapshots", "history"].map(|folder| format!("{folder}/{stamp}.json"));
    let root = office.archive().root;
    std::fs::remove_file(root.join(&snapshot)).expect("removed");
    let before = office.archive().files();
    let run = office.prune("BACKUP_KEEP_LAST", 1);
    run.ended(3);
    let error = run.summary()["error"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(
        error.contains(&format!("{snapshot} is damaged (missing)")),
        "{error}"
    );
    assert!(
        error.contains(&account) && error.contains("by hand"),
        "{error}"
    );
    let after = office.archive().files();
    assert!(
        before.iter().all(|path| after.contains(path)),
        "nothing is removed"
    );
    let listed = office.job.run_with(&["snapshots"]);
    assert!(
        listed
            .stdout
            .contains(&format!("{stamp}  damaged: missing")),
        "{}",
        listed.stdout
    );
    std::fs::remove_file(root.join(&account)).expect("given up by hand");
    office.job.run().ended(0);
    assert_eq!(office.archive().stamps().len(), 1);
    office.archive().assert_whole();
}

#[test]
fn an_item_with_a_damaged_record_keeps_all_its_files() {
    let mut office = Office::three_nights();
    let record = office.archive().entry("Office")["record"]
        .as_str()
        .expect("a record")
        .to_owned();
    std::fs::write(office.archive().root.join(&record), "{}").expect("spoilt");
    let files = |office: &Office| {
        let files = office.archive().files().into_iter();
        files
            .filter(|path| path.starts_with("items/office-"))
            .collect::<Vec<_>>()
    };
    let before = files(&office);
    let run = office.prune("BACKUP_KEEP_LAST", 2);
    run.ended(3);
    let after = files(&office);
    assert!(before.iter().all(|path| after.contains(path)));
    assert_eq!(run.events("pruned")[0]["left"], 1);
    assert!(size(&office.archive()) > 0);
}

#[test]
fn a_damaged_record_bears_on_nothing_while_nothing_of_its_item_is_to_go() {
    let mut office = Office::three_nights();
    let record = office.archive().entry("Office")["record"]
        .as_str()
        .expect("a record")
        .to_owned();
    std::fs::write(office.archive().root.join(&record), "{}").expect("spoilt");
    let run = office.prune("BACKUP_KEEP_LAST", 9);
    run.ended(0);
    assert_eq!(run.events("pruned")[0]["left"], 0);
}

#[test]
fn a_store_that_keeps_everything_makes_the_pass_partial_and_loses_nothing() {
    use crate::support::proxy::{Act, Rule};
    use crate::support::store::Store;
    use crate::support::{portal::FakePortal, worlds};
    let portal = FakePortal::start_blocking(worlds::small_office());
    let store = Store::s3();
    store.job(&portal).run().ended(0);
    let denied = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Not yours.</Message></Error>";
    let proxy = store.proxy().expect("a proxy");
    proxy.add(
        Rule::on("DELETE", "/snapshots/")
            .forever()
            .then(Act::Status(403, Vec::new(), denied.to_owned())),
    );
    let run = store.job(&portal).with("BACKUP_KEEP_LAST", "1").run();
    run.ended(3);
    let error = run.summary()["error"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(
        error.contains("not pruned") && error.contains("AccessDenied"),
        "{error}"
    );
    assert_eq!(run.events("snapshot committed").len(), 1);
    let snapshots = store
        .files()
        .keys()
        .filter(|path| path.starts_with("snapshots/"))
        .count();
    assert_eq!(snapshots, 2);
}
