//! What dead passes left in the organisation is swept; what only looks like it is left alone.

use serde_json::json;

use super::{by_export, notes, temporary};
use crate::support::portal::{FakePortal, Item, now};
use crate::support::run::Job;

const HOUR: i64 = 3_600_000;
/// A pass long before the tests.
const STAMP: &str = "20260101T020000Z";

/// `passes/<stamp>.json` of a process of this host that is gone, or of one somewhere.
fn running(job: &Job, host: &str) {
    mark(job, STAMP, host, 0);
}

/// The same of any stamp, last rewritten so many hours ago.
fn mark(job: &Job, stamp: &str, host: &str, hours: i64) {
    let marker = json!({"stamp": stamp, "host": host, "process": 999_999,
        "started_at": "2026-01-01T02:00:00Z", "program": "agol-backup 0.1.0"});
    let folder = job.destination().join("passes");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{stamp}.json"));
    std::fs::write(&path, marker.to_string()).expect("a file");
    let file = std::fs::File::options().write(true).open(path);
    let seconds = u64::try_from(hours * HOUR / 1_000).expect("hours ago");
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    file.and_then(|file| file.set_modified(then))
        .expect("a date");
}

fn this_host() -> String {
    gethostname::gethostname().into_string().expect("text")
}

/// An item that another pass exported so many hours ago.
fn leave(portal: &FakePortal, kind: &str, hours: i64) -> String {
    leave_of(portal, STAMP, kind, hours)
}

fn leave_of(portal: &FakePortal, stamp: &str, kind: &str, hours: i64) -> String {
    let mut item = temporary(kind, stamp);
    item.created = now() - hours * HOUR;
    portal.adopt_export(item)
}

/// A pass over everything that the organisation shows.
fn sweep(portal: &FakePortal) -> Job {
    let job = by_export(portal).with("BACKUP_SCOPE", "org");
    job.run().ended(0);
    job
}

#[test]
fn what_a_pass_left_that_died_here_is_removed_at_once() {
    let portal = notes([]);
    let left = leave(&portal, "GeoJson", 0);
    let job = by_export(&portal);
    running(&job, &this_host());
    let run = job.run();
    assert!(portal.deleted().contains(&left) && portal.recycle_bin().is_empty());
    assert_eq!(
        run.ended(0).events("traces of a dead pass removed").len(),
        1
    );
    assert!(
        job.archive().names("passes").is_empty(),
        "its mark goes with it"
    );
}

#[test]
fn what_is_older_than_six_hours_is_removed_whoever_made_it() {
    for scope in ["mine", "org", "query"] {
        let portal = notes([]);
        let old =
            ["GeoJson", "CSV Collection", "File Geodatabase"].map(|kind| leave(&portal, kind, 7));
        let job = by_export(&portal).with("BACKUP_SCOPE", scope);
        let job = if scope == "query" {
            job.with("BACKUP_QUERY", "title:Notes")
        } else {
            job
        };
        job.run().ended(0);
        assert!(
            old.iter().all(|id| portal.deleted().contains(id)),
            "{scope}"
        );
        assert!(portal.recycle_bin().is_empty(), "for good");
    }
}

#[test]
fn what_may_belong_to_a_living_pass_stays_and_is_no_content() {
    let portal = notes([]);
    let young = leave(&portal, "GeoJson", 5);
    let job = sweep(&portal);
    assert!(
        portal.exports_left() == [young.clone()],
        "only the other pass may remove it"
    );
    let items = job.archive().snapshot()["items"].clone();
    let items = items.as_array().expect("items");
    assert!(items.len() == 1 && items[0]["id"] != *young, "{items:?}");
}

#[test]
fn what_two_dead_passes_left_goes_and_nothing_that_looks_like_it() {
    let portal = notes([]);
    let job = by_export(&portal);
    let stamps = [STAMP, "20260102T020000Z"];
    let mut left = Vec::new();
    for stamp in stamps {
        mark(&job, stamp, &this_host(), 1);
        left.extend(["GeoJson", "CSV"].map(|kind| leave_of(&portal, stamp, kind, 2)));
    }
    let alike = |change: &dyn Fn(&mut Item)| {
        let mut item = temporary("GeoJson", STAMP);
        item.created = now() - 2 * HOUR;
        change(&mut item);
        item.id = crate::support::portal::hex_id(&format!("{item:?}"));
        portal.edit(|world| world.add_item(item))
    };
    let alike = [
        alike(&|item| item.tags.clear()),
        alike(&|item| "My export".clone_into(&mut item.title)),
        alike(&|item| "Web Map".clone_into(&mut item.kind)),
        alike(&|item| "colleague".clone_into(&mut item.owner)),
        alike(&|item| item.title = item.title.replace(STAMP, "20260103T020000Z")),
    ];
    job.run().ended(0);
    assert!(left.iter().all(|id| portal.deleted().contains(id)));
    for id in &alike {
        assert!(portal.edit(|world| world.item(id).is_some()));
    }
    assert!(portal.recycle_bin().is_empty(), "for good");
    assert!(job.archive().names("passes").is_empty());
}

/// Two passes of the same second, with two destinations, have the same stamp.
#[test]
fn what_was_exported_after_a_pass_died_is_anothers_of_the_same_second() {
    let portal = notes([]);
    let job = by_export(&portal);
    mark(&job, STAMP, &this_host(), 2);
    let (its_own, anothers) = (leave(&portal, "GeoJson", 3), leave(&portal, "CSV", 1));
    job.run().ended(0);
    assert!(portal.deleted().contains(&its_own));
    assert_eq!(portal.exports_left(), [anothers]);
}

#[test]
fn what_bears_the_stamp_of_a_pass_that_ended_in_order_is_anothers_of_the_same_second() {
    let portal = notes([]);
    let job = by_export(&portal);
    job.run().ended(0);
    let stamp = job.archive().stamps().remove(0);
    let anothers = leave_of(&portal, &stamp, "GeoJson", 0);
    job.run().ended(0);
    assert_eq!(portal.exports_left(), [anothers]);
}

#[test]
fn what_a_living_pass_elsewhere_exported_stays() {
    let portal = notes([]);
    let young = leave(&portal, "GeoJson", 0);
    let job = by_export(&portal);
    running(&job, "another-host");
    job.run().ended(11);
    assert_eq!(portal.exports_left(), [young]);
    assert_eq!(
        portal.count("export"),
        0,
        "who finds another pass begins nothing"
    );
}

#[test]
fn what_only_looks_like_a_temporary_item_is_kept_and_backed_up() {
    let portal = notes([]);
    let alike = |change: &dyn Fn(&mut Item)| {
        let mut item = temporary("GeoJson", STAMP);
        item.created = now() - 48 * HOUR;
        change(&mut item);
        item.id = crate::support::portal::hex_id(&format!("{item:?}"));
        portal.edit(|world| world.add_item(item))
    };
    let alike = [
        alike(&|item| item.tags.clear()),
        alike(&|item| item.tags = vec!["agol-backup-temporary-notes".to_owned()]),
        alike(&|item| "My export".clone_into(&mut item.title)),
        alike(&|item| item.title.push_str(" of mine")),
        alike(&|item| item.title = item.title.replace(STAMP, "yesterday")),
        alike(&|item| item.title = item.title.replace("0123456789abcdef", "")),
        alike(&|item| item.title.insert_str(0, "Copy of ")),
        alike(&|item| "Web Map".clone_into(&mut item.kind)),
        alike(&|item| "Feature Collection Template".clone_into(&mut item.kind)),
        alike(&|item| "colleague".clone_into(&mut item.owner)),
    ];
    let job = sweep(&portal);
    let items = job.archive().snapshot()["items"].clone();
    for id in &alike {
        assert!(
            portal.edit(|world| world.item(id).is_some()),
            "it is somebody's own"
        );
        let entry = items
            .as_array()
            .expect("items")
            .iter()
            .find(|item| item["id"] == **id);
        assert_eq!(entry.expect("it is content")["state"], "stored");
    }
}

#[test]
fn a_leftover_that_is_protected_stops_no_pass() {
    let portal = notes([]);
    let left = leave(&portal, "GeoJson", 7);
    portal.edit(|world| world.edit_item(&left, |item| item.protected = true));
    let run = by_export(&portal).run();
    assert_eq!(run.ended(0).events("temporary export not removed").len(), 1);
    assert_eq!(portal.exports_left(), [left]);
}
