//! However large a layer or a file, it streams through: what the process holds does not grow with it.
//! Measured on Linux, where the system tells; the code is the same elsewhere.

pub(crate) mod peak;

use crate::support::portal::FakePortal;
use crate::support::run::{Job, Run};
use crate::support::store::Store;
use crate::support::worlds;

/// Of a debug build, with all that it links.
const MOST: u64 = 96 << 20;
/// More than all parts and pieces that may be held.
const LARGE: usize = 128 << 20;

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "this system does not tell")]
fn memory_does_not_grow_with_the_rows_of_a_layer() {
    // Both are far more than the pages that may be held at once.
    compare(&[], 150_000, 450_000);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "this system does not tell")]
fn memory_does_not_grow_with_an_exported_file() {
    compare(&[("BACKUP_METHOD", "export")], 50_000, 200_000);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "this system does not tell")]
fn memory_does_not_grow_with_an_attached_file() {
    let mut layer = worlds::notes(3);
    layer.attach(2, "flight.tif", vec![7; 128 << 20]);
    let portal = FakePortal::start_blocking(worlds::one_layer(layer));
    let job = Job::against(&portal);
    let peak = of_run(&job);
    assert_eq!(
        job.archive().files_of("Notes", "attachment")[0]["bytes"],
        128 << 20
    );
    assert!(peak < MOST, "{peak} bytes for a file of 128 MiB");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "this system does not tell")]
fn memory_does_not_grow_with_a_file_in_any_store() {
    let mut layer = worlds::notes(3);
    layer.attach(2, "flight.tif", vec![7; LARGE]);
    let portal = FakePortal::start_blocking(worlds::one_layer(layer));
    for store in [
        Store::folder(),
        Store::s3(),
        Store::azure(),
        Store::onedrive(),
    ] {
        let (output, peak) = peak::private_until_end(store.job(&portal).spawn());
        Run::of(output).ended(0);
        let peak = peak.expect("the system tells");
        assert!(peak < MOST, "{peak} bytes of private memory");
    }
}

#[track_caller]
fn compare(variables: &[(&str, &str)], few: usize, many: usize) {
    let (small, large) = (of_layer(few, variables), of_layer(many, variables));
    let told = format!("{small} bytes for {few} rows, {large} for {many}");
    assert!(large < MOST && large < small + small / 2, "{told}");
}

fn of_layer(rows: usize, variables: &[(&str, &str)]) -> u64 {
    let portal = FakePortal::start_blocking(worlds::big_layer(rows));
    let mut job = Job::against(&portal);
    for (name, value) in variables {
        job.set(name, value);
    }
    let peak = of_run(&job);
    assert_eq!(job.archive().entry("Trees")["rows"], rows);
    peak
}

/// The most bytes that a run ever held.
fn of_run(job: &Job) -> u64 {
    let (output, peak) = peak::until_end(job.spawn());
    Run::of(output).ended(0);
    peak.expect("the system tells")
}
