//! Parts share an account: what one sweeps is never another's.

use agol_backup::shard::Shard;
use serde_json::json;

use crate::support::portal::{FakePortal, Item, now};
use crate::support::run::Job;
use crate::support::worlds;

const HOUR: i64 = 3_600_000;
/// A pass long before the tests, in each part's archive.
const STAMP: &str = "20260101T020000Z";

/// A temporary item that a pass of that stamp made of an item in this part of two.
fn left(portal: &FakePortal, part: u32, hours: i64) -> String {
    let shard = Shard::new(part, 2).expect("a part");
    let source = (0..100_u32)
        .map(|n| format!("{n:032x}"))
        .find(|id| shard.holds(id));
    let source = source.expect("an id");
    let mut item = Item::new(
        "GeoJson",
        &format!("agol-backup temporary {STAMP} {source} {hours}"),
    );
    item.tags = vec!["agol-backup-temporary".to_owned()];
    item.created = now() - hours * HOUR;
    portal.adopt_export(item)
}

/// A pass of part 1 of 2, whose destination knows the stamp's pass to be dead.
fn first_part(portal: &FakePortal, scope: (&str, &str)) -> Job {
    let job = Job::against(portal)
        .with("BACKUP_SHARD", "1/2")
        .with("BACKUP_SCOPE", scope.0)
        .with("BACKUP_QUERY", scope.1);
    let host = gethostname::gethostname().into_string().expect("text");
    let marker = json!({"stamp": STAMP, "host": host, "process": 999_999,
        "started_at": "2026-01-01T02:00:00Z", "program": "agol-backup 0.1.0"});
    let passes = job.destination().join("shard-1-of-2/passes");
    std::fs::create_dir_all(&passes).expect("a folder");
    std::fs::write(passes.join(format!("{STAMP}.json")), marker.to_string()).expect("a file");
    job
}

#[test]
fn a_part_sweeps_its_own_and_leaves_anothers_alone_which_is_no_content_either() {
    for scope in [
        ("mine", ""),
        ("org", ""),
        ("query", "type:\"Web Map\" OR type:GeoJson"),
    ] {
        let portal = FakePortal::start_blocking(worlds::large_listing(6));
        let ours = [left(&portal, 1, 0), left(&portal, 1, 7)];
        let others = [left(&portal, 2, 0), left(&portal, 2, 7)];
        let job = first_part(&portal, scope);
        let run = job.run();
        assert_eq!(
            run.ended(0).events("traces of a dead pass removed").len(),
            1
        );
        let mut deleted = portal.deleted();
        deleted.sort();
        let mut expected = ours.to_vec();
        expected.sort();
        assert_eq!(deleted, expected, "{scope:?}");
        assert_eq!(portal.exports_left(), others, "{scope:?}");
        let told = run.events("discovered").remove(0);
        let found = told["items"].as_u64().zip(told["of_other_parts"].as_u64());
        assert_eq!(
            found.map(|(a, b)| a + b),
            Some(6),
            "temporary items are no content"
        );
    }
}
