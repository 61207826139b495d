//! Rows that lie: each is kept byte for byte, or fails its item; none is lost in silence, and no layer has no end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;

use super::{by_query, only_missing};
use crate::support::portal::{
    Catalogue, FakePortal, Fault, FaultKind, Item, Layer, Reply, Service, Shape,
};
use crate::support::run::Job;
use crate::support::worlds;

/// The services `Notes`, of these rows, and `Others`.
fn beside_others(notes: Layer) -> Catalogue {
    let mut world = worlds::empty();
    for (name, layer) in [("Notes", notes), ("Others", worlds::notes(3))] {
        world.add_service(
            Item::new("Feature Service", name),
            Service::new(name, vec![layer]),
        );
    }
    world
}

/// A portal whose answers on this route about `Notes` have this in place of that.
fn with_text(route: &str, that: &'static str, this: impl Into<Vec<u8>>) -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(beside_others(worlds::notes(3)));
    let this = this.into();
    let alter = FaultKind::alter(move |_, mut reply: Reply| {
        let at = reply
            .body
            .windows(that.len())
            .position(|part| part == that.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{that} is not in {:?}", reply.body));
        let (before, after) = (&reply.body[..at], &reply.body[at + that.len()..]);
        reply.body = [before, &this, after].concat().into();
        reply
    });
    portal.add_fault(Fault::on(route, alter).only("/Notes/").forever());
    let job = by_query(&portal);
    (portal, job)
}

fn deep() -> String {
    format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))
}

#[test]
fn a_server_that_gives_rows_for_ever_is_not_listened_to_for_ever() {
    let portal = FakePortal::start_blocking(beside_others(worlds::notes(3)));
    let last = Arc::new(AtomicI64::new(0));
    let endless = FaultKind::custom(move |call| {
        if call
            .param("orderByFields")
            .is_some_and(|order| order.contains("DESC"))
        {
            return Reply::json(&json!({"features": [{"id": i64::MAX}]}));
        }
        let from = last.fetch_add(1_000, Ordering::Relaxed);
        let rows: Vec<_> = (from + 1..=from + 1_000)
            .map(|id| json!({"id": id}))
            .collect();
        Reply::json(&json!({"features": rows, "exceededTransferLimit": true}))
    });
    portal.add_fault(Fault::on("query", endless).only("/Notes/").forever());
    let job = by_query(&portal);
    only_missing(&job, &job.run(), "Notes", "more rows than there can be");
    assert!(portal.count("query") < 500, "{}", portal.count("query"));
}

#[test]
fn a_count_beyond_all_reason_costs_no_memory() {
    let portal = FakePortal::start_blocking(beside_others(worlds::notes(3)));
    let count = FaultKind::custom(|_| Reply::json(&json!({"count": u64::MAX})));
    portal.add_fault(Fault::on("count", count).only("/Notes/").forever());
    let job = by_query(&portal);
    only_missing(&job, &job.run(), "Notes", "3 rows were read");
}

#[test]
fn a_count_that_is_none_fails_its_item() {
    for count in [
        "-1",
        "1e30",
        "\"3\"",
        "3.5",
        "18446744073709551616",
        "1e400",
    ] {
        let portal = FakePortal::start_blocking(beside_others(worlds::notes(3)));
        let told = FaultKind::custom(move |_| Reply::json_text(format!("{{\"count\":{count}}}")));
        portal.add_fault(Fault::on("count", told).only("/Notes/").forever());
        let job = by_query(&portal);
        only_missing(&job, &job.run(), "Notes", "not a count");
    }
}

#[test]
fn the_largest_and_smallest_ids_are_read_like_any_other() {
    let ids = [
        i64::MIN + 1,
        -9_007_199_254_740_993,
        -1,
        0,
        9_007_199_254_740_993,
        i64::MAX - 1,
    ];
    let rows = ids.map(|id| worlds::row(id, json!({"NOTE": "x"}), Some(worlds::point(12.0, 50.0))));
    let layer = Layer::new(0, "Notes", Shape::Point)
        .field("NOTE", "String", "Note")
        .rows(rows.to_vec())
        .with(|layer| (layer.max_record_count, layer.standard_max) = (2, None));
    let portal = FakePortal::start_blocking(beside_others(layer));
    let job = by_query(&portal);
    job.run().ended(0);
    let kept = job.archive().content("Notes", "rows");
    let kept: Vec<_> = kept["features"]
        .as_array()
        .expect("features")
        .iter()
        .map(|row| row["id"].as_i64())
        .collect();
    assert_eq!(kept, ids.map(Some));
    assert_eq!(job.archive().notes("Notes"), Vec::<String>::new());
}

#[test]
fn odd_values_of_a_row_are_kept_byte_for_byte() {
    for odd in [
        "1e400".to_owned(),
        "-0.0000000000000000000000000000001e-999".to_owned(),
        "123456789012345678901234567890".to_owned(),
        "\"\\u0000\\u001f\u{202e}\\ud800\"".to_owned(),
        "1,\"LEVEL\":2".to_owned(), // the same member twice
        deep(),
    ] {
        let (_portal, job) = with_text("query", "\"note 2\"", odd.as_str());
        job.run().ended(0);
        let file = job.archive().files_of("Notes", "rows").remove(0);
        let text = job.archive().bytes(file["path"].as_str().expect("a path"));
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains(&format!("\"NOTE\":{odd}")), "{odd:.40}");
        assert_eq!(file["rows"], 3);
        assert_eq!(job.archive().notes("Notes"), Vec::<String>::new());
    }
}

#[test]
fn a_row_whose_id_is_odd_is_known_by_its_column() {
    for odd in ["18446744073709551616", "1e400", "2.5", "\"two\"", "null"] {
        let (_portal, job) = with_text("query", "\"id\":2", format!("\"id\":{odd}"));
        job.run().ended(0);
        let file = job.archive().files_of("Notes", "rows").remove(0);
        let text = job.archive().bytes(file["path"].as_str().expect("a path"));
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains(&format!("\"id\":{odd}")), "{odd}");
        assert_eq!(file["rows"], 3);
    }
}

#[test]
fn rows_that_are_no_text_fail_their_item() {
    for odd in [&b"\xff\xfe"[..], b"a raw \x01 control"] {
        let (_portal, job) = with_text("query", "note 2", odd);
        only_missing(&job, &job.run(), "Notes", "not a page of rows");
    }
}

#[test]
fn odd_definitions_are_kept_byte_for_byte_and_lose_no_layer() {
    for odd in ["1e400".to_owned(), deep(), "{\"a\":1,\"a\":2}".to_owned()] {
        let odd = format!("\"odd\":{odd},\"name\":");
        let (_portal, job) = with_text("layers", "\"name\":", odd.as_str());
        job.run().ended(0);
        let file = job.archive().files_of("Notes", "layers").remove(0);
        let text = job.archive().bytes(file["path"].as_str().expect("a path"));
        assert!(
            String::from_utf8(text).expect("text").contains(&odd),
            "{odd:.40}"
        );
        assert_eq!(job.archive().entry("Notes")["rows"], 3);
    }
}

#[test]
fn a_layer_without_a_number_is_not_left_out_in_silence() {
    for number in ["null", "-1", "4294967296", "\"x\""] {
        let portal = FakePortal::start_blocking(beside_others(worlds::notes(3)));
        let nameless = FaultKind::custom(move |_| {
            Reply::json_text(format!(
                "{{\"layers\":[{{\"id\":{number}}}],\"tables\":[]}}"
            ))
        });
        portal.add_fault(Fault::on("layers", nameless).only("/Notes/").forever());
        let job = by_query(&portal);
        only_missing(&job, &job.run(), "Notes", "a layer without a number");
    }
}
