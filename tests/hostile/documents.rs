//! Listings and data that few parsers like: one odd item hides no other, and a listing that cannot be read at all
//! ends the pass.

use super::{by_query, map};
use crate::support::portal::{Data, FakePortal, Fault, FaultKind, Reply};
use crate::support::run::Job;
use crate::support::worlds;

fn deep() -> String {
    format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))
}

/// Two maps, in whose listing this stands in place of the first member of that name.
fn listed_with(that: &'static str, this: impl Into<Vec<u8>>) -> (FakePortal, Job) {
    let mut world = worlds::empty();
    world.add_item(map("Plan"));
    world.add_item(map("Other"));
    let portal = FakePortal::start_blocking(world);
    let this = this.into();
    let alter = FaultKind::alter(move |_, mut reply: Reply| {
        let body = reply.body.clone();
        let at = body
            .windows(that.len())
            .position(|part| part == that.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{that} is not in {body:?}"));
        reply.body = [&body[..at], &this, &body[at + that.len()..]]
            .concat()
            .into();
        reply
    });
    portal.add_fault(Fault::on("user_content", alter).forever());
    let job = by_query(&portal);
    (portal, job)
}

#[test]
fn an_odd_member_of_one_item_hides_neither_it_nor_the_others() {
    let deep = format!("\"type\":{},\"type\":", deep());
    let cases: [&[u8]; 6] = [
        b"\"size\":1e400,\"type\":",
        b"\"tags\":[[[[1e400]]]],\"type\":",
        b"\"type\":\"first\",\"type\":",
        b"\"snippet\":\"\xff\xfe\",\"type\":",
        b"\"numViews\":-1e999,\"created\":{},\"modified\":[],\"type\":",
        deep.as_bytes(),
    ];
    for case in cases {
        let (_portal, job) = listed_with("\"type\":", case);
        job.run().ended(0);
        for title in ["Plan", "Other"] {
            assert_eq!(job.archive().entry(title)["state"], "stored", "{title}");
        }
    }
}

#[test]
fn an_item_whose_id_is_no_id_is_skipped_with_a_reason() {
    for id in ["5", "null", "\"../../etc\"", "\"\""] {
        let (portal, job) = listed_with("\"id\":\"", format!("\"id\":{id},\"was\":\""));
        job.run().ended(0);
        let skipped = job.archive().snapshot()["items"][0].clone();
        assert_eq!(skipped["state"], "skipped", "{id}");
        assert!(
            skipped["reason"]
                .as_str()
                .is_some_and(|why| why.contains("id"))
        );
        assert_eq!(portal.count("user_item"), 1, "{id}");
    }
}

#[test]
fn a_listing_that_cannot_be_read_at_all_ends_the_pass() {
    for (that, this) in [
        ("\"items\":[", &b"\"items\":[7,"[..]),
        ("\"items\":[", b"\"items\":[null,"),
        ("\"title\":\"", b"\"title\":\"\x01"),
        ("\"total\":", b"\"total\":-"),
        ("\"total\":", b"\"total\":1e30,\"sum\":"),
    ] {
        let (_portal, job) = listed_with(that, this);
        job.run().ended(12);
        assert_eq!(job.archive().names("snapshots"), [""; 0]);
    }
}

#[test]
fn an_items_data_is_kept_as_it_is_whatever_it_holds() {
    for data in [
        deep(),
        "{\"a\":1e400,\"a\":123456789012345678901234567890}".to_owned(),
        "{\"text\":\"\u{1}\u{202e}\u{0}\"}".to_owned(),
        "{\"unfinished\":".to_owned(),
    ] {
        let mut odd = map("Plan");
        odd.data = Data::Json(data.clone());
        let mut world = worlds::empty();
        world.add_item(odd);
        let portal = FakePortal::start_blocking(world);
        let job = by_query(&portal);
        job.run().ended(0);
        let file = job.archive().files_of("Plan", "data").remove(0);
        let kept = job.archive().bytes(file["path"].as_str().expect("a path"));
        assert_eq!(kept, data.as_bytes(), "{data:.40}");
    }
}
