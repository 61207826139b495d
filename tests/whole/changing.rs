//! Rows that people edit while they are read.

use serde_json::json;

use super::{assert_whole, on_rows, portal_with, rows_and_server_rows, services};
use crate::support::portal::{Catalogue, Fault, FaultKind, Row};
use crate::support::worlds;

fn add_row(world: &mut Catalogue, service: &str) {
    world.add_feature(service, 0, worlds::values(json!({"NOTE": "new"})), None);
}

#[test]
fn rows_that_change_once_while_they_are_read_are_read_once_more() {
    let add = FaultKind::edit(|world| add_row(world, "Notes"));
    let remove = FaultKind::edit(|world| world.delete_feature("Others", 0, 45));
    let faults = vec![
        on_rows("Notes", add).skip(2),
        on_rows("Others", remove).skip(2),
    ];
    let (_portal, job) = portal_with(services(&["Notes", "Others"]), faults);
    job.run().ended(0);
    assert_eq!(rows_and_server_rows(&job, "Notes"), [Some(46); 2]);
    assert_eq!(rows_and_server_rows(&job, "Others"), [Some(44); 2]);
    let notes = ["Notes", "Others"].map(|title| job.archive().notes(title));
    assert_eq!(
        notes,
        [vec![], Vec::<String>::new()],
        "the second reading agrees with the server"
    );
}

fn rewrite_row(world: &mut Catalogue) {
    let edit = |row: &mut Row| drop(row.values.insert("LEVEL".to_owned(), json!(9)));
    world.update_feature("Notes", 0, 45, edit);
}

#[test]
fn rows_that_change_at_every_reading_are_kept_with_a_note_and_read_by_the_next_pass() {
    let edits = on_rows("Notes", FaultKind::edit(rewrite_row)).forever();
    let (portal, job) = portal_with(services(&["Notes"]), vec![edits]);
    job.run().ended(0);
    assert_eq!(job.archive().entry("Notes")["state"], "stored");
    assert_eq!(job.archive().notes("Notes"), ["changed_during_read"]);
    portal.clear_faults();
    job.run().ended(0);
    assert_eq!(job.archive().entry("Notes")["state"], "stored");
    assert_whole(&job);
}

#[test]
fn an_edit_that_leaves_the_count_as_it_was_is_seen() {
    let edit = on_rows("Notes", FaultKind::edit(rewrite_row)).skip(4);
    let (portal, job) = portal_with(services(&["Notes"]), vec![edit]);
    job.run().ended(0);
    assert!(portal.count("query") > 6, "read once more");
    let rows = job.archive().content("Notes", "rows");
    assert_eq!(rows["features"][44]["properties"]["LEVEL"], 9);
}

#[test]
fn a_layer_that_grows_faster_than_it_is_read_does_not_hold_the_pass() {
    let grow = FaultKind::edit(|world| add_row(world, "Notes"));
    let (portal, job) = portal_with(
        services(&["Notes"]),
        vec![on_rows("Notes", grow).times(300)],
    );
    job.run().ended(0);
    assert_eq!(job.archive().notes("Notes"), ["changed_during_read"]);
    assert!(
        portal.count("query") < 100,
        "{} pages",
        portal.count("query")
    );
}

#[test]
fn a_layer_without_dates_that_grows_meanwhile_is_kept_with_a_note() {
    let mut world = services(&["Notes"]);
    world.layer_mut("Notes", 0).editing = None;
    let grow = FaultKind::edit(|world| add_row(world, "Notes"));
    let (_portal, job) = portal_with(world, vec![Fault::on("count", grow).forever()]);
    job.run().ended(0);
    assert_eq!(job.archive().notes("Notes"), ["changed_during_read"]);
    let [rows, counted] = rows_and_server_rows(&job, "Notes");
    assert_eq!(
        (rows, counted),
        (Some(48), Some(49)),
        "at the second reading"
    );
}
