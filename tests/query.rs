//! Rows are read through `query`: all of them, once each, in the order of their ids, untouched.

mod formats;

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::portal::{
    Catalogue, FakePortal, Fault, FaultKind, Item, Layer, Row, Seen, Service, Shape,
};
use crate::support::run::Job;
use crate::support::worlds;

/// Backs a world up by `query`, without trouble.
fn backed_up(world: Catalogue) -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(world);
    let job = backup(&portal);
    (portal, job)
}

fn backup(portal: &FakePortal) -> Job {
    let job = Job::against(portal).with("BACKUP_METHOD", "query");
    job.run().ended(0);
    job
}

/// A layer with rows of these ids, ten to an answer.
fn numbered(name: &str, ids: impl IntoIterator<Item = i64>) -> Layer {
    let row = |oid: i64| {
        worlds::row(
            oid,
            json!({"NOTE": format!("n {oid}")}),
            Some(worlds::point(12.0, 50.0)),
        )
    };
    Layer::new(0, name, Shape::Point)
        .field("NOTE", "String", "Note")
        .rows(ids.into_iter().map(row).collect::<Vec<Row>>())
        .with(|layer| (layer.max_record_count, layer.standard_max) = (10, None))
}

/// One service for each layer, called like it.
fn services(layers: Vec<Layer>) -> Catalogue {
    let mut world = worlds::empty();
    for layer in layers {
        let name = layer.name.clone();
        world.add_service(
            Item::new("Feature Service", &name),
            Service::new(&name, vec![layer]),
        );
    }
    world
}

/// The ids of the rows kept of a layer, in their order.
fn ids(job: &Job, title: &str) -> Vec<i64> {
    let rows = job.archive().content(title, "rows");
    let features = rows["features"].as_array().expect("features");
    features
        .iter()
        .map(|row| row["id"].as_i64().expect("an id"))
        .collect()
}

fn all(ids: impl IntoIterator<Item = i64>) -> Vec<i64> {
    ids.into_iter().collect()
}

/// The first file of rows, as text.
fn text(job: &Job, title: &str) -> String {
    let files = job.archive().files_of(title, "rows");
    let path = files[0]["path"].as_str().expect("a path");
    String::from_utf8(job.archive().bytes(path)).expect("text")
}

fn param<'s>(seen: &'s Seen, name: &str) -> Option<&'s str> {
    seen.params.get(name).map(String::as_str)
}

/// How often a layer was read: each time it is counted before and after.
fn readings(portal: &FakePortal, service: &str) -> usize {
    let counts = portal.requests_to("count").into_iter();
    let of_it = counts.filter(|seen| seen.path.contains(&format!("/{service}/")));
    of_it.count() / 2
}

/// The text between the brackets of `features`.
fn features(page: &str) -> &str {
    let (_, features) = page.split_once("\"features\":[").expect("features");
    features.rsplit_once(']').expect("an end").0
}

#[test]
fn any_field_can_number_the_rows_and_from_anywhere() {
    let numbers: [(&str, &str, Vec<i64>); 5] = [
        ("Zero", "FID", (0..45).collect()),
        ("Lower", "objectid", (1..=40).collect()),
        ("Negative", "ObjectId", (-25..=15).collect()),
        ("Gaps", "OID_1", (1..=90).filter(|id| id % 7 < 3).collect()),
        (
            "Sparse",
            "OBJECTID",
            (1..=50).chain(1_000_000_000..1_000_000_049).collect(),
        ),
    ];
    let layer = |(name, field, ids): &(&str, &str, Vec<i64>)| {
        numbered(name, ids.clone()).with(|layer| (*field).clone_into(&mut layer.oid_field))
    };
    let mut layers: Vec<Layer> = numbers.iter().map(layer).collect();
    layers[0].oid_as_integer = true;
    let (portal, job) = backed_up(services(layers));
    for (name, _, expected) in numbers {
        assert_eq!(ids(&job, name), expected, "{name}");
        assert_eq!(readings(&portal, name), 1, "{name}");
    }
}

#[test]
fn a_large_layer_is_read_in_windows_side_by_side_and_written_in_order() {
    let mut world = worlds::big_layer(12_000);
    world.settings.latency_ms = 20; // long enough for pages to be under way together
    world.layer_mut("Trees", 0).standard_max = None;
    let (portal, job) = backed_up(world);
    let expected: Vec<i64> = (1..=12_011).filter(|id| id % 1001 != 0).collect();
    assert_eq!(ids(&job, "Trees"), expected);
    let windows = portal.requests_to("query");
    let windows = windows
        .iter()
        .filter(|seen| param(seen, "where").is_some_and(|text| text.contains("<=")));
    assert!(windows.count() >= 4);
    assert!(portal.peak_in_flight() > 2);
}

#[test]
fn rows_stay_byte_for_byte_as_they_were_sent() {
    let mut world = worlds::city();
    world
        .items
        .retain(|item| item.title == "Parks" && item.service.is_some());
    let portal = FakePortal::start_blocking(world);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&sent);
    let listen = FaultKind::alter(move |_, reply| {
        *ear.lock().expect("no panic") = reply.body.to_vec();
        reply
    });
    portal.add_fault(Fault::on("query", listen).forever());
    let kept = text(&backup(&portal), "Parks").replace('\n', "");
    let sent = String::from_utf8(sent.lock().expect("no panic").clone()).expect("text");
    assert_eq!(features(&kept), features(&sent));
    assert!(
        kept.contains("9007199254740994"),
        "a whole number above 2^53"
    );
    assert!(
        kept.contains("\"geometry\":null"),
        "a park that nobody has drawn"
    );
}

#[test]
fn large_pages_are_asked_for_only_where_they_are_offered() {
    let mut offered = numbered("Offered", 1..=35);
    offered.standard_max = Some(30);
    let (portal, job) = backed_up(services(vec![offered, numbered("Plain", 1..=35)]));
    for seen in portal.requests_to("query") {
        let expected = seen.path.contains("Offered/").then_some("standard");
        assert_eq!(param(&seen, "resultType"), expected, "{}", seen.path);
    }
    assert_eq!(
        (ids(&job, "Offered").len(), ids(&job, "Plain").len()),
        (35, 35)
    );
}

#[test]
fn pages_shrink_until_the_server_can_answer() {
    let mut layer = worlds::notes(450);
    layer.fail_above_rows = Some(100);
    let (portal, job) = backed_up(worlds::one_layer(layer));
    assert_eq!(ids(&job, "Notes"), all(1..=450));
    assert!(
        portal
            .requests_to("query")
            .iter()
            .all(|seen| param(seen, "objectIds").is_none())
    );
}

#[test]
fn a_gateways_timeout_on_one_page_is_overcome() {
    let portal = FakePortal::start_blocking(services(vec![numbered("Notes", 1..=45)]));
    portal.add_fault(Fault::on("query", FaultKind::Status(504, None)).skip(1));
    let job = backup(&portal);
    assert_eq!(ids(&job, "Notes"), all(1..=45));
}

/// Refuses every order by id, as layers over a join do.
fn without_order(layer: Layer) -> FakePortal {
    let portal = FakePortal::start_blocking(services(vec![layer]));
    let refusal = json!({"code": 400, "message": "'orderByFields' is not supported."});
    for order in ["OBJECTID ASC", "OBJECTID DESC"] {
        let refused = FaultKind::ErrorInBody(refusal.clone());
        portal.add_fault(Fault::on("query", refused).only(order).forever());
    }
    portal
}

#[test]
fn a_layer_that_refuses_an_order_is_read_by_groups_of_ids() {
    let mut layer = numbered("Notes", (1..=450).chain(9000..=9010));
    layer.max_record_count = 1000;
    let portal = without_order(layer);
    let job = backup(&portal);
    assert_eq!(ids(&job, "Notes"), all((1..=450).chain(9000..=9010)));
    let requests = portal.requests_to("query");
    assert_eq!(
        requests
            .iter()
            .filter(|seen| param(seen, "objectIds").is_some())
            .count(),
        3
    );
}

#[test]
fn groups_of_ids_are_no_larger_than_an_answer() {
    let portal = without_order(numbered("Notes", 1..=35));
    let job = backup(&portal);
    assert_eq!(ids(&job, "Notes"), all(1..=35));
}

#[test]
fn the_sign_of_more_rows_is_found_wherever_it_stands_and_not_needed() {
    let flags = [
        ("Proper", FaultKind::Slow(0)),
        ("Top", FaultKind::FlagAtTopLevel),
        ("Last", FaultKind::FlagAfterRows),
        ("Absent", FaultKind::PageWithoutFlag),
    ];
    // Answers are shorter than the layer promises, so that only the flag tells of more.
    let layer = |(name, _): &(&str, FaultKind)| {
        numbered(name, 1..=45)
            .with(|layer| drop(layer.extra.insert("maxRecordCount".to_owned(), json!(30))))
    };
    let portal = FakePortal::start_blocking(services(flags.iter().map(layer).collect()));
    for (name, flag) in &flags {
        portal.add_fault(
            Fault::on("query", flag.clone())
                .only(&format!("/{name}/FeatureServer/0/query"))
                .forever(),
        );
    }
    let job = backup(&portal);
    for (name, _) in flags {
        assert_eq!(ids(&job, name), all(1..=45), "{name}");
        let expected = if name == "Absent" { 2 } else { 1 };
        assert_eq!(readings(&portal, name), expected, "{name}");
    }
}
