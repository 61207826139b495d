//! Retention at work: snapshots go by the rules, files when nobody names them any more, and nothing else.

mod asked;
mod damaged;
mod files;
mod listed;

use crate::support::office::Office;
use crate::support::run::Archive;

#[test]
fn without_a_rule_nothing_is_ever_deleted() {
    let office = Office::three_nights();
    let before = office.archive().files();
    let run = office.job.run();
    run.ended(0);
    let after = office.archive().files();
    assert!(before.iter().all(|path| after.contains(path)));
    assert!(run.events("pruned").is_empty());
}

#[test]
fn what_the_rules_let_go_is_gone_and_told_and_everything_else_is_whole() {
    let mut office = Office::three_nights();
    let stamps = office.archive().stamps();
    let bytes_before = size(&office.archive());
    let run = office.prune("BACKUP_KEEP_LAST", 2);
    run.ended(0);
    let archive = office.archive();
    archive.assert_whole();
    assert_eq!(archive.stamps().len(), 2);
    assert!(!archive.stamps().contains(&stamps[0]) && !archive.stamps().contains(&stamps[1]));
    let pruned = &run.events("pruned")[0];
    assert_eq!(
        (&pruned["snapshots"], &pruned["left"]),
        (&2.into(), &0.into())
    );
    assert!(pruned["files"].as_u64() > Some(0), "{pruned}");
    let removed: Vec<_> = run.events("snapshot removed");
    assert_eq!(removed.len(), 2);
    assert_eq!(removed[0]["stamp"], stamps[0].as_str(), "the oldest first");
    assert!(size(&archive) < bytes_before);
    let order: Vec<String> = run
        .lines()
        .iter()
        .map(|line| line["message"].to_string())
        .collect();
    let at = |name: &str| {
        order
            .iter()
            .position(|event| event.contains(name))
            .expect(name)
    };
    assert!(
        at("snapshot committed") < at("snapshot removed"),
        "nothing goes before the commit"
    );
}

#[test]
fn nights_that_failed_push_out_no_good_night() {
    use crate::support::portal::{Fault, FaultKind};
    let mut office = Office::small();
    office.night();
    let good = office.archive().stamps()[0].clone();
    let good = |office: &Office| {
        office
            .archive()
            .stamps()
            .iter()
            .any(|stamp| stamp[..8] < good[..8])
    };
    let refusal = serde_json::json!({"code": 403, "message": "Not for you."});
    office
        .portal
        .add_fault(Fault::on("data", FaultKind::ErrorInBody(refusal)).forever());
    office.portal.edit(|world| {
        let id = world.titled("Handbook").id.clone();
        world.edit_item(&id, |item| item.modified += 1);
    });
    for _ in 0..3 {
        let run = office.prune("BACKUP_KEEP_LAST", 1);
        run.ended(3);
        office.archive().assert_whole();
        office.archive().age(2);
    }
    let complete = office
        .archive()
        .stamps()
        .iter()
        .filter(|stamp| {
            office.archive().json(&format!("snapshots/{stamp}.json"))["complete"] == true
        })
        .count();
    assert_eq!(complete, 1, "the newest complete one stays");
    assert!(good(&office));
    assert_eq!(
        office.archive().stamps().len(),
        2,
        "and of the partial ones the newest"
    );
}

#[test]
fn an_account_is_kept_as_long_as_its_snapshot_and_without_one_for_a_year() {
    let mut office = Office::small();
    office.night();
    let history = |days: u32| {
        let archive = office.archive();
        let name = archive.names("history")[0].clone();
        let moment = agol_backup::snapshot::now() - std::time::Duration::from_hours(24) * days;
        let to = format!("history/{}.json", agol_backup::snapshot::Stamp::of(moment));
        // Of a pass that committed nothing.
        let mut account = archive.json(&format!("history/{name}"));
        account
            .as_object_mut()
            .expect("members")
            .remove("snapshot_sha256");
        std::fs::write(archive.root.join(&to), account.to_string()).expect("written");
        to
    };
    let (young, old) = (history(300), history(400));
    let own = format!("history/{}.json", office.archive().stamps()[0]);
    office.prune("BACKUP_KEEP_LAST", 1).ended(0);
    let left = office.archive().files();
    assert!(left.contains(&young), "no snapshot, and not a year old");
    assert!(!left.contains(&old) && !left.contains(&own), "{left:?}");
}

/// Bytes below `items/`.
fn size(archive: &Archive) -> usize {
    let files = archive.files();
    let items = files.iter().filter(|path| path.starts_with("items/"));
    items.map(|path| archive.bytes(path).len()).sum()
}
