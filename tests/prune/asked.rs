//! Who may let anything go: who holds the destination and has committed, and only when a rule is set.

use agol_backup::archive::{Archive, Error, Hold, Pruned};
use agol_backup::retention::Rules;
use agol_backup::snapshot::{Snapshot, now};

use super::Office;
use crate::support::aside::wait_for;
use crate::support::store::Store;

/// What happens between taking the destination and letting go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Committed,
    NotCommitted,
    MarkLost,
}

/// A prune of three nights and of what a pass left that died before them: what it said, and how many files went.
fn pruned(case: Case, rules: &Rules) -> (Result<Pruned, Error>, usize) {
    let office = Office::three_nights();
    let (folder, destination) = (office.archive(), office.job.destination());
    let item = folder.names("items")[0].clone();
    let dead = folder
        .root
        .join(format!("items/{item}/20200101T000000Z/layers"));
    std::fs::create_dir_all(&dead).expect("made");
    std::fs::write(dead.join("0-x.geojson"), "x").expect("written");
    let destination = destination.to_str().expect("text").to_owned();
    let archive = Store::opened(&[("BACKUP_DESTINATION", destination)]);
    let before = folder.files();
    let said = wait_for(async {
        let hold = archive.hold(now()).await.expect("held");
        if case != Case::NotCommitted {
            commit(&archive, &hold).await;
        }
        if case == Case::MarkLost {
            let mark = format!("passes/{}.json", hold.stamp);
            std::fs::remove_file(folder.root.join(mark)).expect("removed");
        }
        let said = archive.prune(rules, &hold).await;
        hold.release(false).await.expect("released");
        said
    });
    let after = folder.files();
    let gone = before.iter().filter(|path| !after.contains(path));
    (said, gone.count())
}

/// The newest snapshot once more.
async fn commit(archive: &Archive, hold: &Hold) {
    let newest = archive.newest_snapshot().await.expect("read");
    let snapshot = Snapshot {
        stamp: hold.stamp.clone(),
        ..newest.expect("a snapshot")
    };
    archive.commit(hold, &snapshot).await.expect("committed");
}

fn the_last() -> Rules {
    Rules {
        last: std::num::NonZeroU32::new(1),
        ..Rules::default()
    }
}

#[test]
fn who_holds_the_destination_and_has_committed_lets_go() {
    let (said, gone) = pruned(Case::Committed, &the_last());
    assert_eq!(said.expect("pruned").snapshots, 3);
    assert!(gone > 6, "snapshots, accounts and files: {gone}");
}

#[test]
fn without_a_rule_not_even_what_nobody_names_goes() {
    let (said, gone) = pruned(Case::Committed, &Rules::default());
    assert_eq!((said.expect("asked"), gone), (Pruned::default(), 0));
}

#[test]
fn who_does_not_see_its_own_snapshot_lets_nothing_go() {
    let (said, gone) = pruned(Case::NotCommitted, &the_last());
    let error = said.expect_err("not the newest").to_string();
    assert!(error.contains("not listed as the newest"), "{error}");
    assert_eq!(gone, 0);
}

#[test]
fn who_lost_the_destination_after_the_commit_lets_nothing_go() {
    let (said, gone) = pruned(Case::MarkLost, &the_last());
    assert!(matches!(said, Err(Error::Locked(_))), "{said:?}");
    assert_eq!(gone, 0);
}
