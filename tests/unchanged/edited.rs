//! Edits are seen, and what they did not touch is named where it lies.

use serde_json::json;

use super::Office;
use crate::support::portal::Data;
use crate::support::worlds;

#[test]
fn an_edited_layer_is_read_again_and_no_other() {
    let office = Office::city();
    let before = office.paths("Inspections");
    office.portal.edit(|world| {
        world.add_feature(
            "Inspections",
            3,
            worlds::values(json!({"SITE": "New"})),
            None,
        )
    });
    office.pass();
    assert_eq!(office.state("Inspections"), "stored");
    assert_eq!(office.moved_rows("Inspections", &before), ["rows 3"]);
    let queried = office.portal.requests_to("query");
    assert!(
        queried
            .iter()
            .all(|seen| seen.path.contains("/Inspections/FeatureServer/3/"))
    );
    assert_eq!(office.archive().entry("Inspections")["rows"], 30 + 25 + 120);
    office.pass();
    assert_eq!(office.state("Inspections"), "unchanged");
}

#[test]
fn attachments_that_are_there_are_not_fetched_again() {
    let office = Office::city();
    let kept = office.archive().files_of("Hydrants", "attachment");
    office
        .portal
        .edit(|world| world.add_attachment("Hydrants", 0, 1, ("new.txt", b"new")));
    office
        .portal
        .edit(|world| world.delete_attachment("Hydrants", 0, 42, 3));
    office.pass();
    assert_eq!(office.portal.count("attachment"), 1);
    let now = office.archive().files_of("Hydrants", "attachment");
    let still = kept.iter().filter(|file| now.contains(file)).count();
    assert_eq!(
        (still, now.len()),
        (kept.len() - 1, kept.len()),
        "one came, one went"
    );
}

#[test]
fn an_empty_attachment_that_joins_another_is_named_as_itself() {
    let mut world = worlds::one_layer(worlds::notes(3));
    world.layer_mut("Notes", 0).attach(1, "first.txt", "");
    let office = Office::of(world);
    office
        .portal
        .edit(|world| world.add_attachment("Notes", 0, 2, ("second.txt", b"")));
    office.pass();
    let files = office.archive().files_of("Notes", "attachment");
    let rows: Vec<_> = files
        .iter()
        .map(|file| (&file["object_id"], &file["name"]))
        .collect();
    assert_eq!(
        rows,
        [
            (&json!(1), &json!("first.txt")),
            (&json!(2), &json!("second.txt"))
        ]
    );
}

#[test]
fn an_edited_item_is_read_again_and_not_the_rows_of_its_layers() {
    let office = Office::city();
    let before = office.paths("Hydrants");
    office.edit("Hydrants", |item| {
        item.snippet = Some("Another text".to_owned());
    });
    office.pass();
    assert_eq!(office.moved_rows("Hydrants", &before), Vec::<String>::new());
    let rows = ["query", "count", "query_attachments", "attachment"];
    assert_eq!(rows.map(|route| office.portal.count(route)), [0; 4]);
    assert_eq!(
        office.archive().content("Hydrants", "item")["snippet"],
        "Another text"
    );
}

#[test]
fn files_that_came_the_same_are_not_stored_again() {
    let office = Office::city();
    for title in ["City map", "Annual report", "Hydrants"] {
        let before = office.paths(title);
        office.edit(title, |item| item.snippet = Some("Another text".to_owned()));
        office.pass();
        assert_eq!(office.moved(title, &before), ["item"], "{title}");
    }
}

#[test]
fn a_renamed_item_keeps_its_files_where_they_are() {
    let office = Office::of(worlds::one_layer(worlds::notes(3)));
    let before = office.paths("Notes");
    office.edit("Notes", |item| "Remarks".clone_into(&mut item.title));
    office.pass();
    assert_eq!(office.moved("Remarks", &before), ["item"]);
    let record = office.archive().entry("Remarks")["record"].clone();
    assert!(
        record
            .as_str()
            .expect("a record")
            .starts_with("items/remarks-"),
        "{record}"
    );
}

#[test]
fn new_data_of_an_item_is_stored() {
    let office = Office::city();
    let text = r#"{"version":"2.32"}"#;
    office.edit("City map", |item| item.data = Data::Json(text.to_owned()));
    office.pass();
    assert_eq!(
        office.archive().content("City map", "data"),
        json!({"version": "2.32"})
    );
}

#[test]
fn a_layer_that_joins_or_leaves_a_service_is_seen() {
    let office = Office::city();
    office.portal.edit(|world| {
        let mut layer = worlds::notes(2);
        layer.id = 9;
        world.service_mut("Inspections").layers.push(layer);
    });
    office.pass();
    assert_eq!(office.archive().files_of("Inspections", "rows").len(), 4);
    office.portal.edit(|world| {
        world
            .service_mut("Inspections")
            .layers
            .retain(|layer| layer.id != 9);
    });
    office.pass();
    assert_eq!(office.archive().files_of("Inspections", "rows").len(), 3);
}
