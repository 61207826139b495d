//! Parts of a selection: together what one pass holds, each one an archive of its own.

mod asked;
mod exports;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::begun::Begun;
use crate::support::portal::FakePortal;
use crate::support::run::{Archive, Job};
use crate::support::worlds;

/// A job over all of it, and the jobs of the parts, which differ by what this sets; all at one destination.
fn parts(portal: &FakePortal, of: u32, set: impl Fn(&mut Job, u32)) -> (Job, Vec<Job>) {
    let whole = Job::against(portal);
    let place = whole.folder().join("parts");
    let part = |part| {
        let mut job = Job::against(portal).with("BACKUP_DESTINATION", &place);
        set(&mut job, part);
        job
    };
    (whole, (1..=of).map(part).collect())
}

/// The archive of a part, where the design says that it lies.
fn archive(job: &Job, part: u32, of: u32) -> Archive {
    let folder = format!("shard-{part}-of-{of}");
    Archive {
        root: job.destination().join(folder),
    }
}

/// What a snapshot says of each item, without what differs from pass to pass.
fn items(archive: &Archive) -> BTreeMap<String, Value> {
    let snapshot = archive.snapshot();
    let items = snapshot["items"].as_array().expect("items").clone();
    let told = |mut item: Value| {
        let id = item["id"].as_str().expect("an id").to_owned();
        let members = item.as_object_mut().expect("an object");
        for name in ["record", "record_sha256", "change", "bytes"] {
            members.remove(name);
        }
        (id, item)
    };
    items.into_iter().map(told).collect()
}

/// All parts run side by side, each alone is whole, and together they are what one pass holds.
fn together_they_are_all(method: &str, of: u32, set: impl Fn(&mut Job, u32)) {
    let mut world = worlds::city();
    world.settings.export_polls = 0;
    let portal = FakePortal::start_blocking(world);
    let (whole, jobs) = parts(&portal, of, |job, part| {
        job.set("BACKUP_METHOD", method);
        set(job, part);
    });
    let whole = whole.with("BACKUP_METHOD", method);
    whole.run().ended(0);
    let begun: Vec<Begun> = jobs.iter().map(Begun::of).collect();
    for run in begun.into_iter().map(Begun::end) {
        run.ended(0);
    }
    let (mut all, mut contents) = (BTreeMap::new(), BTreeMap::new());
    let mut sum = 0;
    for (job, part) in jobs.iter().zip(1..) {
        let archive = archive(job, part, of);
        archive.assert_whole();
        assert_eq!(archive.snapshot()["complete"], true);
        let held = items(&archive);
        sum += held.len();
        all.extend(held);
        contents.extend(archive.contents());
        job.run_with(&["verify"]).ended(0);
    }
    assert_eq!(sum, all.len(), "each item is in exactly one part");
    assert_eq!(
        all,
        items(&whole.archive()),
        "the same states, rows and files"
    );
    assert_eq!(contents, whole.archive().contents(), "the same bytes");
    assert_eq!(portal.exports_left(), [""; 0]);
}

#[test]
fn eight_parts_side_by_side_hold_what_one_pass_holds() {
    together_they_are_all("query", 8, |job, part| {
        job.set("BACKUP_SHARD", format!("{part}/8"));
    });
}

#[test]
fn the_pods_of_an_indexed_job_hold_what_one_pass_holds() {
    together_they_are_all("auto", 8, |job, part| {
        job.set("BACKUP_SHARDS", "8");
        job.set("JOB_COMPLETION_INDEX", (part - 1).to_string());
    });
}

#[test]
fn parts_that_export_hold_what_one_pass_holds() {
    together_they_are_all("export", 4, |job, part| {
        job.set("BACKUP_SHARD", format!("{part}/4"));
    });
}

/// Two items, in at most two of 50 parts.
#[test]
fn a_part_in_which_no_item_falls_is_whole_with_none() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let (_, jobs) = parts(&portal, 50, |job, part| {
        job.set("BACKUP_SHARD", format!("{part}/50"));
    });
    let mut found = BTreeSet::new();
    for (job, part) in jobs
        .iter()
        .zip(1..)
        .take(50)
        .filter(|(_, part)| part % 7 == 1)
    {
        let run = job.run();
        let line = run.ended(0).events("discovered").remove(0);
        let (ours, others) = (line["items"].as_u64(), line["of_other_parts"].as_u64());
        assert_eq!(ours.zip(others).map(|(a, b)| a + b), Some(2));
        found.insert(ours);
        let archive = archive(job, part, 50);
        assert_eq!(archive.snapshot()["complete"], true);
        assert_eq!(items(&archive).len() as u64, ours.expect("a count"));
        job.run_with(&["verify"]).ended(0);
        job.run().ended(0);
        assert_eq!(archive.stamps().len(), 2, "night after night");
    }
    assert!(found.contains(&Some(0)), "some part is empty: {found:?}");
}

#[test]
fn a_selection_that_is_empty_is_empty_in_every_part() {
    let empty = FakePortal::start_blocking(worlds::empty());
    let mut tagged = worlds::large_listing(3);
    for item in &mut tagged.items {
        item.tags = vec!["no-backup".to_owned()];
    }
    let tagged = FakePortal::start_blocking(tagged);
    for (portal, why) in [
        (&empty, "no item was found"),
        (&tagged, "all 3 items found"),
    ] {
        for part in ["1/2", "2/2"] {
            let job = Job::against(portal).with("BACKUP_SHARD", part);
            let error = job.run().ended(4).summary()["error"].to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}

#[test]
fn a_part_reads_only_what_has_changed_and_prunes_only_its_own() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let (_, jobs) = parts(&portal, 2, |job, part| {
        job.set("BACKUP_SHARD", format!("{part}/2"));
        job.set("BACKUP_KEEP_LAST", "1");
    });
    for job in &jobs {
        job.run().ended(0);
        let summary = job.run().ended(0).summary();
        assert_eq!(
            (&summary["stored"], &summary["missing"]),
            (&0.into(), &0.into())
        );
    }
    for (job, part) in jobs.iter().zip(1..) {
        let archive = archive(job, part, 2);
        archive.assert_whole();
        assert_eq!(archive.stamps().len(), 1);
    }
}
