//! Rows that never come, come twice, or come to an end too early, for as long as anybody asks.

use serde_json::{Value, json};

use super::{by, ids, missing, troubled};
use crate::support::portal::{Catalogue, Fault, FaultKind, Item, Layer, Service, Shape};
use crate::support::worlds;

/// Services of these names, each a layer of 45 rows that come ten to an answer.
fn services(names: &[&str]) -> Catalogue {
    let mut world = worlds::empty();
    for name in names {
        let small = |layer: &mut Layer| (layer.max_record_count, layer.standard_max) = (10, None);
        let service = Service::new(name, vec![worlds::notes(45).with(small)]);
        world.add_service(Item::new("Feature Service", name), service);
    }
    world
}

fn on_rows(service: &str, kind: FaultKind) -> Fault {
    Fault::on("query", kind).only(&format!("/{service}/"))
}

#[test]
fn what_a_server_never_gives_is_never_called_whole() {
    // Asked on to an empty page, these give all in the end; the others never do.
    let lies = [
        ("Short", FaultKind::ShortPage, true),
        ("Unmarked", FaultKind::PageWithoutFlag, true),
        ("Repeated", FaultKind::RepeatPage, false),
        ("Doubled", FaultKind::DoubleRow, false),
        ("Endless", FaultKind::DropLastPage, false),
        ("Holed", FaultKind::LoseRow, false),
    ];
    let names: Vec<&str> = lies.iter().map(|(name, ..)| *name).collect();
    let faults = lies
        .iter()
        .map(|(name, lie, _)| on_rows(name, lie.clone()).forever());
    let portal = troubled(services(&names), faults);
    let job = by("query", &portal).with("BACKUP_CONCURRENCY", "32");
    job.run().ended(3);
    for (name, _, comes_to_an_end) in lies {
        if comes_to_an_end {
            assert_eq!(ids(&job, name), (1..=45).collect::<Vec<_>>(), "{name}");
            assert_eq!(job.archive().notes(name), [""; 0], "{name}");
        } else {
            missing(&job, name);
        }
    }
}

#[test]
fn rows_that_are_cut_for_ever_cost_their_items_alone() {
    let cuts = [
        ("Announced", FaultKind::CutBody),
        ("Chunked", FaultKind::CutChunked),
        ("Packed", FaultKind::CutGzip),
    ];
    let faults = cuts
        .iter()
        .map(|(name, cut)| on_rows(name, cut.clone()).skip(1).forever());
    let portal = troubled(
        services(&["Announced", "Chunked", "Packed", "Whole"]),
        faults,
    );
    let job = by("query", &portal).with("BACKUP_CONCURRENCY", "16");
    job.run().ended(3);
    for (name, _) in cuts {
        missing(&job, name);
    }
    assert_eq!(ids(&job, "Whole"), (1..=45).collect::<Vec<_>>());
}

#[test]
fn a_row_lost_at_one_reading_and_an_edit_at_the_next_are_not_taken_for_each_other() {
    let lose = on_rows("Notes", FaultKind::LoseRow);
    let add = FaultKind::edit(|world| {
        let row = worlds::values(json!({"NOTE": "new"}));
        world.add_feature("Notes", 0, row, None);
    });
    // Each reading is counted before and after.
    let add = Fault::on("count", add).skip(3);
    let portal = troubled(services(&["Notes"]), [lose, add]);
    let job = by("query", &portal);
    job.run().ended(0);
    assert_eq!(job.archive().notes("Notes"), ["changed_during_read"]);
    let kept = ids(&job, "Notes");
    assert!((1..=45).all(|id| kept.contains(&id)), "{kept:?}");
}

#[test]
fn a_column_of_a_kind_that_nobody_knows_is_kept() {
    let row = worlds::row(
        7,
        json!({"WHEN": "2026-02-30", "SIZE": 9_007_199_254_740_993_i64}),
        None,
    );
    let layer = Layer::new(0, "Odd", Shape::None)
        .field("WHEN", "OfTomorrow", "When")
        .field("SIZE", "BigInteger", "Size")
        .rows(vec![row]);
    let portal = troubled(worlds::one_layer(layer), []);
    let job = by("query", &portal);
    job.run().ended(0);
    let rows = job.archive().content("Odd", "rows");
    let values = json!({"OBJECTID": 7, "WHEN": "2026-02-30", "SIZE": 9_007_199_254_740_993_i64});
    assert_eq!(rows["features"][0]["properties"], values);
    assert_eq!(job.archive().notes("Odd"), [""; 0]);
}

#[test]
fn a_list_of_ids_that_is_null_is_a_layer_without_rows() {
    let refusal = json!({"code": 400, "message": "'orderByFields' is not supported."});
    let refused = FaultKind::ErrorInBody(refusal);
    let fault = Fault::on("query", refused).forever(); // then the ids themselves are asked for
    let portal = troubled(worlds::one_layer(worlds::notes(0)), [fault]);
    let job = by("query", &portal);
    job.run().ended(0);
    assert_eq!(portal.count("ids"), 1);
    let rows = job.archive().content("Notes", "rows");
    assert_eq!(rows["features"], Value::Array(Vec::new()));
    assert_eq!(job.archive().notes("Notes"), [""; 0]);
}
