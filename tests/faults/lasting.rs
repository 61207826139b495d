//! What lasts costs the item that it is about, says why, and leaves the others whole.

use serde_json::{Value, json};

use super::{by_query, difference, untroubled};
use crate::support::portal::{FakePortal, Fault, FaultKind, Reply};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// Whose data, and rows, the faults are about.
const LOST: &str = "Annual report";

/// A pass over the city in which these faults last for one item: the item's entry.
#[track_caller]
fn loses(title: &str, faults: impl FnOnce(&str) -> Vec<Fault>) -> Value {
    let portal = FakePortal::start_blocking(worlds::city());
    let before = untroubled(&portal);
    let id = portal.edit(|world| world.titled(title).id.clone());
    for fault in faults(&id) {
        portal.add_fault(fault.forever());
    }
    let job = by_query(&portal);
    let run = job.run();
    only_lost(&job, &run, &before, &id)
}

/// The item is missing with a reason, everything else is as ever, and nobody calls it complete.
#[track_caller]
fn only_lost(
    job: &Job,
    run: &Run,
    before: &std::collections::BTreeMap<String, String>,
    id: &str,
) -> Value {
    run.ended(3);
    let archive = job.archive();
    archive.assert_whole();
    assert_eq!(archive.snapshot()["complete"], false);
    let (others, after) = (before.clone(), archive.contents());
    let others = others
        .into_iter()
        .filter(|(place, _)| !place.contains(id))
        .collect();
    assert_eq!(difference(&others, &after), [""; 0]);
    let failed = archive.history()["failed"].clone();
    assert_eq!(
        (failed.as_array().map(Vec::len), &failed[0]["id"]),
        (Some(1), &json!(id))
    );
    let left: Vec<_> = archive
        .files()
        .into_iter()
        .filter(|path| path.contains(id))
        .collect();
    assert!(left.is_empty(), "nothing half-read is kept: {left:?}");
    let title = failed[0]["title"].as_str().expect("a title");
    let told = run.events("item failed").remove(0);
    assert_eq!(
        (&told["title"], &told["reason"]),
        (&failed[0]["title"], &failed[0]["error"]["message"])
    );
    let entry = archive.entry(title);
    assert_eq!(
        (&entry["state"], &entry["record"]),
        (&json!("missing"), &Value::Null)
    );
    entry
}

#[test]
fn data_that_may_not_be_read_costs_one_item() {
    let forbidden = json!({"code": 403, "messageCode": "GWM_0003",
        "message": "You do not have permissions to access this resource or perform this operation."});
    for refusal in [
        FaultKind::ErrorInBody(forbidden),
        FaultKind::Status(403, None),
        FaultKind::Status(404, None),
    ] {
        let entry = loses(LOST, |id| vec![Fault::on("data", refusal).only(id)]);
        assert_eq!(entry["error"]["stage"], "data");
    }
}

#[test]
fn a_service_that_is_broken_costs_one_item() {
    let broken = FaultKind::ErrorInBody(json!({"code": 400, "message": "Invalid URL"}));
    for route in ["layers", "service", "count", "query"] {
        let only = "Inspections/FeatureServer";
        let entry = loses("Inspections", |_| {
            vec![Fault::on(route, broken.clone()).only(only)]
        });
        let stage = if matches!(route, "layers" | "service") {
            "service"
        } else {
            "rows"
        };
        assert_eq!(entry["error"]["stage"], stage, "{route}");
        let message = entry["error"]["message"].as_str().expect("text");
        assert!(message.contains("Invalid URL"), "{message}");
    }
}

#[test]
fn an_attachment_that_is_broken_costs_one_item() {
    let broken = FaultKind::ErrorInBody(json!({"code": 404, "message": "Attachment not found"}));
    let only = "services/Hydrants/FeatureServer";
    let entry = loses("Hydrants", |_| {
        vec![Fault::on("attachment", broken).only(only)]
    });
    assert_eq!(entry["error"]["stage"], "attachments");
}

#[test]
fn a_server_that_never_recovers_costs_one_item() {
    let entry = loses("Budget", |_| {
        vec![Fault::on("services:*", FaultKind::Status(500, None)).only("/Budget/")]
    });
    let message = entry["error"]["message"].as_str().expect("text");
    assert!(
        message.contains("500") && message.contains("tried 3 times"),
        "{message}"
    );
}

#[test]
fn an_item_deleted_between_listing_and_reading_is_told_as_gone() {
    let portal = FakePortal::start_blocking(worlds::city());
    let before = untroubled(&portal);
    let id = portal.edit(|world| world.titled(LOST).id.clone());
    let gone = id.clone();
    let delete = FaultKind::edit(move |world| world.remove_item(&gone));
    portal.add_fault(Fault::on("user_item", delete));
    portal.add_fault(
        Fault::on("related", FaultKind::Slow(200))
            .only(&id)
            .forever(),
    );
    let job = by_query(&portal);
    let run = job.run();
    let entry = only_lost(&job, &run, &before, &id);
    let message = entry["error"]["message"].as_str().expect("text");
    assert!(
        message.contains("does not exist or is inaccessible"),
        "{message}"
    );
}

#[test]
fn a_part_that_may_not_be_read_is_noted_and_costs_nothing_else() {
    let forbidden = || FaultKind::TextPlainError(403, "You do not have permissions.");
    for (route, note) in [
        ("resources", "resources_not_readable"),
        ("related", "related_not_readable"),
        ("thumbnail", "thumbnail_not_readable"),
    ] {
        let portal = FakePortal::start_blocking(worlds::city());
        let id = portal.edit(|world| world.titled("City map").id.clone());
        portal.add_fault(Fault::on(route, forbidden()).only(&id).forever());
        let job = by_query(&portal);
        job.run().ended(0);
        assert_eq!(job.archive().notes("City map"), [note]);
    }
}

#[test]
fn a_portal_that_dies_after_its_listing_leaves_nothing_that_looks_complete() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    portal.add_fault(Fault::on("*", FaultKind::Reset).skip(4).forever());
    let job = by_query(&portal);
    let run = job.run();
    assert!(matches!(run.code, 3 | 12), "{}", run.stdout);
    assert_eq!(run.summary()["stored"], 0);
    for stamp in job.archive().stamps() {
        assert_eq!(
            job.archive().json(&format!("snapshots/{stamp}.json"))["complete"],
            false
        );
    }
    portal.clear_faults();
    job.run().ended(0);
    job.archive().assert_whole();
    assert_eq!(job.archive().snapshot()["complete"], true);
}

#[test]
fn a_portal_that_dies_later_takes_no_good_copy_with_it() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let job = by_query(&portal);
    job.run().ended(0);
    let first = job.archive().contents();
    for title in ["Map 0", "Map 1"] {
        portal.edit(|world| {
            let id = world.titled(title).id.clone();
            world.edit_item(&id, |item| item.snippet = Some("edited".to_owned()));
        });
    }
    portal.add_fault(
        Fault::on("*", FaultKind::custom(|_| Reply::html(500, "Gone")))
            .skip(4)
            .forever(),
    );
    assert_eq!(job.run().ended(3).summary()["kept"], 2);
    assert_eq!(
        job.archive().contents(),
        first,
        "the last good copies are named"
    );
    job.archive().assert_whole();
}

#[test]
fn a_portal_that_cannot_list_ends_the_pass_without_a_snapshot() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    portal.add_fault(Fault::on("user_content", FaultKind::Status(500, None)).forever());
    let job = by_query(&portal);
    let run = job.run();
    assert!(
        run.ended(12).summary()["error"]
            .as_str()
            .expect("a reason")
            .contains("500")
    );
    assert!(job.archive().stamps().is_empty() && job.archive().names("passes").is_empty());
    assert_eq!(job.archive().history()["exit"], 12);
}
