//! What fails keeps its last good record, and is tried again.

use serde_json::json;

use super::Office;
use crate::support::portal::{Fault, FaultKind};

#[test]
fn a_failing_item_keeps_its_record_until_the_portal_recovers() {
    let office = Office::city();
    let good = office.archive().entry("Hydrants");
    office.portal.edit(|world| world.touch("Hydrants", 0));
    let refusal = json!({"code": 400, "message": "Broken for now."});
    let broken = Fault::on("query", FaultKind::ErrorInBody(refusal));
    office.portal.add_fault(broken.only("/Hydrants/").forever());
    for _ in 0..2 {
        let run = office.job.run();
        run.ended(3);
        let kept = office.archive().entry("Hydrants");
        assert_eq!(
            (&kept["state"], &kept["record"]),
            (&json!("kept"), &good["record"])
        );
        assert_eq!(
            (&kept["error"]["stage"], &kept["change"]),
            (&json!("rows"), &good["change"])
        );
        assert_eq!(office.archive().snapshot()["complete"], false);
        assert_eq!(run.summary()["kept"], 1);
        office.archive().assert_whole();
    }
    office.portal.clear_faults();
    office.pass();
    let stored = office.archive().entry("Hydrants");
    assert_eq!(
        (&stored["state"], stored.get("error")),
        (&json!("stored"), None)
    );
    assert_ne!(stored["record"], good["record"]);
}

#[test]
fn a_kept_item_is_tried_again_although_nothing_says_that_it_changed() {
    let office = Office::city();
    office.edit("City map", |_| ());
    let refusal = json!({"code": 403, "message": "Not now."});
    let id = office
        .portal
        .edit(|world| world.titled("City map").id.clone());
    office.portal.add_fault(
        Fault::on("data", FaultKind::ErrorInBody(refusal))
            .only(&id)
            .forever(),
    );
    office.job.run().ended(3);
    assert_eq!(office.state("City map"), "kept");
    office.portal.clear_faults();
    let before = office.archive().entry("City map")["change"]["modified"].as_i64();
    office.portal.edit(|world| {
        let map = world
            .items
            .iter_mut()
            .find(|item| item.id == id)
            .expect("the map");
        map.modified = before.expect("a date"); // as the kept copy has it
    });
    office.pass();
    assert_eq!(office.state("City map"), "stored");
}

#[test]
fn an_item_that_no_time_is_left_for_keeps_its_copy() {
    let mut office = Office::city();
    let good = office.archive().entry("City map");
    office.edit("City map", |_| ());
    office.job.set("BACKUP_MAX_DURATION", "0s");
    let run = office.job.run();
    run.ended(3);
    let kept = office.archive().entry("City map");
    assert_eq!(
        (&kept["state"], &kept["record"]),
        (&json!("kept"), &good["record"])
    );
    assert_eq!(kept["error"]["stage"], "time");
    assert_eq!(run.summary()["kept"], 1);
    assert_eq!(office.state("Hydrants"), "unchanged");
}
