//! Errors in every shape that ArcGIS gives them, and refusals that are no reason to try for ever.

use serde_json::{Value, json};

use super::{by, missing, troubled};
use crate::support::portal::{Data, Fault, FaultKind, Item, Reply};
use crate::support::worlds;

#[test]
fn an_error_in_any_shape_is_never_kept_as_a_file() {
    let coded =
        |details: Value| json!({"error": {"code": 400, "message": "Broken.", "details": details}});
    let shapes = [
        coded(json!([])),
        coded(Value::Null),
        coded(json!("In words.")),
        json!({"error": {"message": "Broken."}}),
        json!({"error": {"code": "400", "messageCode": "CONT_0001", "message": "Broken."}}),
        json!({"error": "invalid_request", "error_description": "Broken."}),
        json!({"code": 400, "message": "Broken.", "status": "failure", "details": null}),
        json!({"success": false, "error": {"code": 400, "message": "Broken."}}),
    ];
    let (mut world, mut faults) = (worlds::large_listing(1), Vec::new());
    for (number, shape) in shapes.iter().enumerate() {
        let mut item = Item::new("PDF", &format!("Report {number}"));
        item.data = Data::File {
            media: "application/pdf",
            bytes: worlds::pdf("report"),
        };
        let id = world.add_item(item);
        let error = shape.clone();
        // Under a real status, too, as newer services answer.
        let status = if number % 2 == 0 { 200 } else { 400 };
        let answer = FaultKind::custom(move |_| Reply::json(&error).status(status));
        faults.push(Fault::on("data", answer).only(&id).forever());
    }
    let portal = troubled(world, faults);
    let job = by("query", &portal);
    job.run().ended(3);
    for (number, shape) in shapes.iter().enumerate() {
        let message = missing(&job, &format!("Report {number}"));
        assert!(message.contains("Broken."), "{shape}: {message}");
    }
    assert_eq!(job.archive().entry("Map 0")["state"], "stored");
}

#[test]
fn a_failure_without_an_error_object_is_one() {
    let failure = json!({"code": 400, "message": "Broken.", "status": "failure", "details": null});
    let answer = FaultKind::custom(move |_| Reply::json(&failure));
    let fault = Fault::on("layers", answer).only("/Points_0/").forever();
    let portal = troubled(worlds::many_services(2), [fault]);
    let job = by("query", &portal);
    assert_eq!(job.run().ended(3).summary()["stored"], 1);
    assert!(missing(&job, "Points 0").contains("Broken."));
}

#[test]
fn a_server_that_takes_no_token_costs_its_item_alone() {
    let required = json!({"code": 499, "message": "Token Required", "messageCode": "GWM_0003",
                          "details": ["Token Required"]});
    let fault = Fault::on("layers", FaultKind::ErrorInBody(required)).only("/Points_0/");
    let portal = troubled(worlds::many_services(3), [fault.forever()]);
    let job = by("query", &portal);
    assert_eq!(job.run().ended(3).summary()["stored"], 2);
    missing(&job, "Points 0");
    assert!(
        portal.count("token") <= 3,
        "{} tokens",
        portal.count("token")
    );
    assert!(
        portal.count("layers") <= 5,
        "{} questions",
        portal.count("layers")
    );
}
