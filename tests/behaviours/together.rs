//! Several troubles at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{by, ids, missing, nothing_left, troubled};
use crate::support::portal::{Fault, FaultKind};
use crate::support::worlds;

#[test]
fn throttled_while_the_token_ends_while_an_export_is_stuck() {
    let portal = troubled(worlds::many_services(4), []);
    let stuck = portal.edit(|world| world.titled("Points 2").id.clone());
    for fault in [
        Fault::on("export", FaultKind::ExportStuck)
            .only(&stuck)
            .forever(),
        Fault::on("status", FaultKind::Throttle429InBody(1)),
        Fault::on("status", FaultKind::Status(429, Some(1))).skip(2),
        Fault::on("status", FaultKind::ExpireTokens).skip(3),
        Fault::on("delete", FaultKind::ExpireTokens),
        Fault::on("blob", FaultKind::CutBody),
    ] {
        portal.add_fault(fault);
    }
    let job = by("export", &portal).with("BACKUP_EXPORT_TIMEOUT", "20s"); // time enough for the others
    let summary = job.run().ended(3).summary();
    assert_eq!(
        (&summary["stored"], &summary["missing"]),
        (&json!(3), &json!(1))
    );
    assert!(missing(&job, "Points 2").contains("BACKUP_EXPORT_TIMEOUT"));
    nothing_left(&portal);
}

#[test]
fn throttled_in_both_forms_while_rows_change() {
    let mut world = worlds::one_layer(worlds::notes(45));
    let layer = world.layer_mut("Notes", 0);
    (layer.max_record_count, layer.standard_max) = (10, None);
    let edit = FaultKind::edit(|world| world.delete_feature("Notes", 0, 45));
    let portal = troubled(
        world,
        [
            Fault::on("query", FaultKind::Status(429, Some(1))).skip(1),
            Fault::on("query", FaultKind::Throttle429InBody(1)).skip(3),
            Fault::on("query", edit).skip(3),
            Fault::on("count", FaultKind::Status(429, Some(1))).skip(1),
        ],
    );
    let job = by("query", &portal);
    let run = job.run();
    assert_eq!(run.ended(0).events("slowed down").len(), 3);
    assert_eq!(ids(&job, "Notes"), (1..=44).collect::<Vec<_>>());
    assert_eq!(job.archive().notes("Notes"), [""; 0]);
}

#[test]
fn a_token_that_ends_at_a_deletion_whose_answer_is_lost() {
    let portal = troubled(
        worlds::one_layer(worlds::notes(40)),
        [
            Fault::on("delete", FaultKind::ExpireTokens),
            Fault::on("delete", FaultKind::TimeoutAfterActing).skip(1),
        ],
    );
    let job = by("export", &portal);
    job.run().ended(0);
    assert_eq!(ids(&job, "Notes").len(), 40);
    nothing_left(&portal);
    assert_eq!(portal.deleted().len(), 1);
}

#[test]
fn an_export_that_is_short_while_the_server_cannot_count() {
    let lose = FaultKind::alter(|_, mut reply| {
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let at = text.rfind(",{\"type\":\"Feature\"").expect("rows");
        reply.body = format!("{}]}}", &text[..at]).into();
        reply
    });
    let portal = troubled(
        worlds::one_layer(worlds::notes(40)),
        [
            Fault::on("blob", lose).forever(),
            Fault::on("count", FaultKind::Status(500, None)),
            Fault::on("count", FaultKind::CountNull).skip(2),
        ],
    );
    let job = by("export", &portal);
    job.run().ended(3);
    missing(&job, "Notes");
    nothing_left(&portal);
}

#[test]
fn a_listing_that_is_throttled_garbled_and_edited_is_whole() {
    let removed = AtomicUsize::new(0);
    let edit = FaultKind::edit(move |world| {
        if removed.fetch_add(1, Ordering::Relaxed) == 0 {
            world.items.remove(3);
        }
    });
    let portal = troubled(
        worlds::large_listing(150),
        [
            Fault::on("user_content", FaultKind::Throttle429InBody(1)),
            Fault::on("user_content", FaultKind::ExpireTokens).skip(1),
            Fault::on("user_content", FaultKind::CutGzip).skip(3),
            Fault::on("user_content", edit).skip(4),
        ],
    );
    let job = by("query", &portal);
    job.run().ended(0);
    let held = portal.edit(|world| world.items.len());
    let listed = job.archive().snapshot()["items"].as_array().map(Vec::len);
    assert_eq!(listed, Some(held));
}
