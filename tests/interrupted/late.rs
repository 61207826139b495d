//! A signal towards the end of a pass: a snapshot is there in full or not at all, and what was committed stays.

use serde_json::json;

use super::{city, committed, ended_in_order};
use crate::support::begun::Begun;
use crate::support::office::Office;

#[track_caller]
fn next_pass_is_whole(office: &Office) {
    office.job.run().ended(0);
    office.archive().assert_whole();
    assert_eq!(office.archive().snapshot()["complete"], json!(true));
}

#[test]
fn a_signal_around_the_commit_leaves_a_whole_snapshot_or_none() {
    let (portal, job) = city("query");
    job.run().ended(0);
    for part in ["plan ready", "discovered", "snapshot committed"] {
        portal.edit(|world| {
            let id = world.titled("Parks").id.clone();
            world.edit_item(&id, |item| item.snippet = Some(part.to_owned()));
        });
        let before = job.archive().stamps().len();
        let mut begun = Begun::of(&job).until("it is so far", |begun| begun.heard().contains(part));
        begun.tell("TERM");
        let run = begun.end();
        let committed_now = job.archive().stamps().len() - before;
        if run.code == 143 {
            ended_in_order(&run, 143, &portal, &job);
        } else {
            run.ended(0);
            assert_eq!(committed_now, 1, "too late to stop it");
        }
        let told = run.events("snapshot committed").len();
        assert!(told <= committed_now, "{part}");
        assert_eq!(committed(&job).2["complete"], json!(true));
    }
}

#[test]
fn a_signal_while_old_snapshots_go_costs_no_other() {
    let mut office = Office::three_nights();
    office.edit_layer(0);
    office.job.set("BACKUP_KEEP_LAST", "1");
    let begun = Begun::of(&office.job).until("it has committed", |begun| {
        begun.heard().contains("snapshot committed")
    });
    let run = begun.told("TERM");
    assert!(matches!(run.code, 0 | 143), "{}", run.stdout);
    office.archive().assert_whole();
    next_pass_is_whole(&office);
    assert_eq!(office.archive().stamps().len(), 1, "the next one goes on");
}
