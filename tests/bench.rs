//! `cargo bench --bench speed`: ratios, so that a figure says something on any machine. The portal runs in this
//! process, on loopback; the program as its own. An argument is the number of rows of the large layer:
//! `cargo bench --bench speed -- 200000`.

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

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::portal::{API_KEY, Catalogue, FakePortal, Seen};
use support::run::{Job, Run};
use support::worlds;

const ROWS: usize = 2_000_000;
/// The default of `BACKUP_CONCURRENCY`.
const CONCURRENCY: usize = 8;

fn main() {
    let rows = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(ROWS);
    println!("60 services, every answer 80 ms late");
    many_services_far_away();
    println!("\none layer of {rows} points");
    one_large_layer(rows);
    println!("\n2,000 maps and 60 services, unchanged");
    an_unchanged_organisation();
}

fn line(what: &str, figure: &str) {
    println!("  {what:<40} {figure:>12}");
}

fn many_services_far_away() {
    const SERVICES: usize = 60;
    const LATENCY: Duration = Duration::from_millis(80);
    let mut world = worlds::many_services(SERVICES);
    world.settings.latency_ms = 80;
    let portal = FakePortal::start_blocking(world);
    let took = run(&Job::against(&portal)).took;
    let requests = portal.requests().len();
    let around = ["token", "self", "user_content"]
        .map(|route| portal.count(route))
        .iter()
        .sum::<usize>();
    let ideal = LATENCY.as_secs_f64() * requests as f64 / CONCURRENCY as f64;
    line("requests", &requests.to_string());
    line(
        "requests a service",
        &format!("{:.1}", (requests - around) as f64 / SERVICES as f64),
    );
    line("seconds", &format!("{:.1}", took.as_secs_f64()));
    line(
        "÷ (requests × latency ÷ concurrency)",
        &format!("{:.2}", took.as_secs_f64() / ideal),
    );
}

fn one_large_layer(rows: usize) {
    let portal = FakePortal::start_blocking(worlds::big_layer(rows));
    let job = Job::against(&portal);
    let ours = run(&job);
    assert_eq!(
        job.archive().entry("Trees")["rows"],
        rows,
        "every row was stored"
    );
    let pages: Vec<Seen> = portal
        .requests_to("query")
        .into_iter()
        .filter(|seen| seen.params.contains_key("resultRecordCount"))
        .collect();
    line("pages", &pages.len().to_string());
    line("megabytes stored", &(ours.bytes / 1_000_000).to_string());
    line("seconds", &format!("{:.1}", ours.took.as_secs_f64()));
    for (what, into) in [
        ("÷ curl, pages to files", Some(job.folder())),
        ("÷ curl, pages thrown away", None),
    ] {
        let curl = fetch_with_curl(&portal, &pages, job.folder(), into);
        let ratio = curl.map(|curl| format!("{:.2}", ours.took.as_secs_f64() / curl.as_secs_f64()));
        line(what, ratio.as_deref().unwrap_or("no curl"));
    }
    let peak = ours.peak.map_or("not told here".to_owned(), |peak| {
        format!("{:.0}", peak as f64 / f64::from(1 << 20))
    });
    line("peak of resident memory, MiB", &peak);
}

fn an_unchanged_organisation() {
    let portal = FakePortal::start_blocking(organisation());
    let job = Job::against(&portal);
    run(&job);
    portal.reset_log();
    let took = run(&job).took;
    let snapshot = job.archive().snapshot();
    let items = snapshot["items"].as_array().map_or(0, Vec::len);
    let requests = portal.requests().len();
    assert_eq!(portal.count("query"), 0, "no row was read again");
    line("requests", &requests.to_string());
    line(
        "requests an item",
        &format!("{:.3}", requests as f64 / items as f64),
    );
    line("seconds", &format!("{:.1}", took.as_secs_f64()));
}

fn organisation() -> Catalogue {
    let mut world = worlds::many_services(60);
    let maps = worlds::large_listing(2_000);
    world.folders.extend(maps.folders);
    world.items.extend(maps.items);
    world
}

struct Measured {
    took: Duration,
    peak: Option<u64>,
    bytes: u64,
}

fn run(job: &Job) -> Measured {
    let began = Instant::now();
    let (output, peak) = peak::until_end(job.spawn());
    let took = began.elapsed();
    let run = Run::of(output);
    let bytes = run.ended(0).summary()["bytes"].as_u64().unwrap_or(0);
    Measured { took, peak, bytes }
}

/// The same pages at the same parallelism. `None` without curl.
fn fetch_with_curl(
    portal: &FakePortal,
    pages: &[Seen],
    folder: &Path,
    into: Option<&Path>,
) -> Option<Duration> {
    let root = url::Url::parse(&portal.services_url()).expect("an address");
    let mut orders = String::new();
    for (number, page) in pages.iter().enumerate() {
        let mut address = root.join(&page.path).expect("an address");
        address.query_pairs_mut().extend_pairs(&page.params);
        let output = into.map_or("/dev/null".into(), |into| {
            into.join(format!("page-{number}"))
        });
        writeln!(
            orders,
            "url = \"{address}\"\noutput = \"{}\"",
            output.display()
        )
        .expect("text grows");
    }
    let list = folder.join("pages");
    std::fs::write(&list, orders).expect("a list of pages");
    let began = Instant::now();
    let ended = Command::new("curl")
        .args([
            "--silent",
            "--fail",
            "--parallel",
            "--parallel-max",
            &CONCURRENCY.to_string(),
        ])
        .args([
            "--header",
            &format!("X-Esri-Authorization: Bearer {API_KEY}"),
            "--config",
        ])
        .arg(list)
        .stdout(Stdio::null())
        .stderr(Stdio::null()) // it draws its progress there, silent or not
        .status();
    let took = began.elapsed();
    ended.ok()?.success().then_some(took)
}
