//! A pass that dies before its n-th change of the store, for every n: with items read anew, unchanged, failing and
//! gone, a commit, and the removal of snapshots and files.

use std::collections::BTreeMap;

use super::{
    a_day_passes, as_archive, assert_no_waste, assert_nothing_is_lost, portal, three_nights,
};
use crate::support::begun::Begun;
use crate::support::portal::FakePortal;
use crate::support::proxy::{Act, Rule};
use crate::support::run::Job;
use crate::support::store::Store;

/// The tests share the work.
const SHARES: usize = 4;

#[test]
fn a_pass_that_dies_before_its_nth_change_harms_nothing_first_share() {
    die_at_every_change(0);
}

#[test]
fn a_pass_that_dies_before_its_nth_change_harms_nothing_second_share() {
    die_at_every_change(1);
}

#[test]
fn a_pass_that_dies_before_its_nth_change_harms_nothing_third_share() {
    die_at_every_change(2);
}

#[test]
fn a_pass_that_dies_before_its_nth_change_harms_nothing_fourth_share() {
    die_at_every_change(3);
}

fn die_at_every_change(share: usize) {
    let portal = portal();
    let job = Job::against(&portal);
    three_nights(&job, &portal);
    let archive = job.archive();
    let newest_complete = archive.stamps().pop().expect("a snapshot");
    let files: BTreeMap<String, Vec<u8>> = archive
        .files()
        .into_iter()
        .map(|path| {
            let bytes = archive.bytes(&path);
            (path, bytes)
        })
        .collect();
    a_day_passes(&portal);
    let changes = changes_of_a_whole_pass(&portal, &files);
    assert!(changes > 12, "{changes}");
    for n in (share..changes).step_by(SHARES) {
        let when = format!("before change {n} of {changes}");
        let store = store_with(&files);
        let proxy = store.proxy().expect("a proxy");
        proxy.add(Rule::on("change", "").skip(n).forever().then(Act::Hold));
        let begun = Begun::of(&pruning(&store, &portal));
        proxy.wait_until_held();
        assert_eq!(begun.told("KILL").code, -1, "{when}");
        proxy.clear_faults();
        let (_folder, archive) = as_archive(&store.files());
        assert_nothing_is_lost(&archive, &newest_complete, &when);
        pruning(&store, &portal).run().ended(3);
        let (_folder, archive) = as_archive(&store.files());
        assert_nothing_is_lost(&archive, &newest_complete, &when);
        assert_no_waste(&archive, &when);
        let signs = archive.names("passes");
        // What a killed process tried the destination with is forgotten after an hour.
        assert!(
            signs.iter().all(|name| name.contains(".probe")),
            "{when}: {signs:?}"
        );
    }
}

fn changes_of_a_whole_pass(portal: &FakePortal, files: &BTreeMap<String, Vec<u8>>) -> usize {
    let store = store_with(files);
    let run = pruning(&store, portal).run();
    run.ended(3);
    assert!(
        run.events("pruned")[0]["files"].as_u64() > Some(0),
        "{}",
        run.stdout
    );
    let is_change = |method: &str| matches!(method, "PUT" | "POST" | "DELETE");
    store
        .proxy()
        .expect("a proxy")
        .count(|request| is_change(&request.method))
}

fn store_with(files: &BTreeMap<String, Vec<u8>>) -> Store {
    let store = Store::s3();
    store.lay(files);
    store
}

/// One item at a time, so that the n-th change is the same in every pass: else no share may meet the one that matters.
fn pruning(store: &Store, portal: &FakePortal) -> Job {
    store
        .job(portal)
        .with("BACKUP_KEEP_LAST", "1")
        .with("BACKUP_CONCURRENCY", "1")
}
