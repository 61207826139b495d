//! `cargo bench --bench load`: what a large organisation, a large layer, many attachments and a large file cost the program.
//! The portal runs in this process, on loopback; what is told of time is the program's own use of the processor, so
//! that the portal's does not count. A number divides every size, words choose: `cargo bench --bench load -- 10 layer file`.

#![expect(clippy::print_stdout, reason = "a benchmark is there to be read")]
#![expect(
    clippy::expect_used,
    reason = "without its world a benchmark has nothing to say"
)]
#![allow(
    clippy::allow_attributes,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "figures for people; and the tests' support is held to the tests' rules"
)]

#[path = "memory/peak.rs"]
mod peak;
mod support;

use std::fs::File;

use bytes::Bytes;
use peak::Cost;
use support::portal::{Catalogue, Data, FakePortal, Item, USER};
use support::run::{Job, Run};
use support::worlds;

/// Items of the largest organisation; a quarter of them are hosted services.
const ITEMS: usize = 20_000;
const ROWS: usize = 5_000_000;
const ATTACHMENTS: usize = 10_000;
const FILE: usize = 5_000_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let by = arguments.iter().find_map(|argument| argument.parse().ok());
    let by: usize = by.unwrap_or(1);
    let parts = ["organisation", "layer", "attachments", "file"];
    let some = arguments
        .iter()
        .any(|argument| parts.contains(&argument.as_str()));
    let is_wanted = |part: &str| !some || arguments.iter().any(|argument| argument == part);
    println!(
        "{:<44}{:>10}{:>12}{:>14}",
        "", "peak, MiB", "processor, s", "µs for each"
    );
    if is_wanted("organisation") {
        for items in [ITEMS / 4, ITEMS / 2, ITEMS] {
            an_organisation(items / by);
        }
    }
    if is_wanted("layer") {
        a_layer(ROWS / by);
    }
    if is_wanted("attachments") {
        attachments(ATTACHMENTS / by);
    }
    if is_wanted("file") {
        a_file(FILE / by);
    }
}

fn told(what: &str, count: usize, cost: &Cost) {
    let peak = cost
        .peak
        .map_or("?".to_owned(), |peak| (peak >> 20).to_string());
    let (seconds, each) = cost
        .processor
        .map_or(("?".to_owned(), "?".to_owned()), |time| {
            let seconds = time.as_secs_f64();
            let each = seconds * 1e6 / count as f64;
            (format!("{seconds:.1}"), format!("{each:.1}"))
        });
    println!("{what:<44}{peak:>10}{seconds:>12}{each:>14}");
}

fn run(job: &Job) -> Cost {
    let (output, cost) = peak::cost_until_end(job.spawn());
    Run::of(output).ended(0);
    cost
}

/// The first pass reads everything, the second nothing.
fn an_organisation(items: usize) {
    let portal = FakePortal::start_blocking(organisation(items));
    let job = Job::against(&portal);
    told(&format!("{items} items"), items, &run(&job));
    told(&format!("{items} items, unchanged"), items, &run(&job));
    assert_eq!(job.archive().stamps().len(), 2, "both committed");
}

fn organisation(items: usize) -> Catalogue {
    let mut world = worlds::many_services(items / 4);
    let maps = worlds::large_listing(items - items / 4);
    world.folders.extend(maps.folders);
    world.items.extend(maps.items);
    world
}

fn a_layer(rows: usize) {
    let portal = FakePortal::start_blocking(worlds::big_layer(rows));
    let job = Job::against(&portal);
    told(&format!("a layer of {rows} rows"), rows, &run(&job));
    assert_eq!(job.archive().entry("Trees")["rows"], rows, "all stored");
}

fn attachments(count: usize) {
    let mut layer = worlds::notes(1);
    for number in 0..count {
        layer.attach(1, &format!("{number}.jpg"), worlds::jpeg(1, 500));
    }
    layer.attachment_page = 1_000;
    let portal = FakePortal::start_blocking(worlds::one_layer(layer));
    let job = Job::against(&portal);
    told(
        &format!("a row with {count} attachments"),
        count,
        &run(&job),
    );
    let stored = job.archive().files_of("Notes", "attachment").len();
    assert_eq!(stored, count, "all stored");
}

/// Nothing but a hole on the portal's disk.
fn a_file(bytes: usize) {
    let hole = tempfile::tempfile().expect("a file");
    hole.set_len(bytes as u64).expect("a hole");
    let mut world = worlds::empty();
    let mut item = Item::new("Scene Layer Package", "Terrain");
    USER.clone_into(&mut item.owner);
    item.name = Some("terrain.slpk".to_owned());
    item.data = Data::File {
        media: "application/octet-stream",
        bytes: mapped(&hole),
    };
    world.add_item(item);
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal);
    let megabytes = bytes / 1_000_000;
    told(&format!("a file of {megabytes} MB"), megabytes, &run(&job));
    let stored = &job.archive().files_of("Terrain", "data")[0]["bytes"];
    assert_eq!(*stored, bytes, "all stored");
}

#[expect(
    unsafe_code,
    reason = "nobody else has this file, so that it cannot change under the map"
)]
fn mapped(file: &File) -> Bytes {
    let map = unsafe { memmap2::Mmap::map(file) };
    Bytes::from_owner(map.expect("a map"))
}
