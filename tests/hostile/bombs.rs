//! A megabyte that unpacks to a gigabyte, on every kind of question: neither the memory nor the disk gives way.

use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::{by_query, only_missing, small_world};
use crate::memory::peak;
use crate::support::portal::{FakePortal, Fault, FaultKind, Reply};
use crate::support::run::{Job, Run};

/// Unpacked, it is longer than any document may be.
const UNPACKED: usize = 512 << 20;
/// What the longest document takes, beside the program itself.
const MOST: u64 = 256 << 20;

/// A bomb that begins like a document, and goes on in spaces.
fn bomb() -> FaultKind {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    let body = BOMB.get_or_init(|| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let spaces = vec![b' '; 1 << 20];
        packed.write_all(b"{").expect("writing to memory");
        for _ in 0..UNPACKED >> 20 {
            packed.write_all(&spaces).expect("writing to memory");
        }
        packed.finish().expect("writing to memory").into()
    });
    FaultKind::custom(|_| {
        Reply::bytes("application/octet-stream", body.clone()).header("content-encoding", "gzip")
    })
}

fn id_of(title: &str) -> String {
    small_world().titled(title).id.clone()
}

/// A pass that meets a bomb on this route, wherever it asks there about this part of a path.
#[track_caller]
fn meets(route: &str, only: &str) -> (Job, Run) {
    let portal = FakePortal::start_blocking(small_world());
    portal.add_fault(Fault::on(route, bomb()).only(only).forever());
    let job = by_query(&portal);
    let (output, peak) = peak::until_end(job.spawn());
    let peak = peak.unwrap_or(0); // not every system tells
    assert!(peak < MOST, "{route}: {peak} bytes");
    let run = Run::of(output);
    assert!(
        portal.count(route) > 0,
        "{route} was not asked for: {}",
        run.stdout
    );
    (job, run)
}

#[test]
fn a_bomb_in_a_document_costs_its_item() {
    for route in ["layers", "service", "count", "query_attachments"] {
        let (job, run) = meets(route, "/Notes/");
        only_missing(&job, &run, "Notes", "longer than");
    }
    for route in ["related", "resources"] {
        let (job, run) = meets(route, &id_of("Plan"));
        only_missing(&job, &run, "Plan", "longer than");
    }
}

#[test]
fn a_bomb_among_the_rows_costs_its_item() {
    let (job, run) = meets("query", "/Notes/");
    only_missing(&job, &run, "Notes", "longer than");
}

#[test]
fn a_bomb_in_place_of_a_file_costs_its_item_and_stays_off_the_disk() {
    for route in ["data", "thumbnail", "resource"] {
        let (job, run) = meets(route, &id_of("Plan"));
        only_missing(&job, &run, "Plan", "nobody told its length");
    }
    let (job, run) = meets("attachment", "/Notes/");
    only_missing(&job, &run, "Notes", "were announced");
}

#[test]
fn a_bomb_in_a_listing_ends_the_pass() {
    for route in ["token", "self", "user_content"] {
        let (job, run) = meets(route, "");
        let error = run.ended(12).summary()["error"].to_string();
        assert!(error.contains("longer than"), "{error}");
        assert_eq!(job.archive().names("snapshots"), [""; 0]);
    }
}
