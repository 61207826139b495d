//! `cargo run --release --example demo`: two passes against an invented city on loopback, into `./demo-backup`.
//! Needs no variable and no network. Ends with 1 when anything is not as it should be.

#![expect(clippy::print_stdout, reason = "a demo is there to be read")]

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use agol_backup::config::{Config, Environment};
use agol_backup::exit::Exit;
use agol_backup::snapshot::{Entry, File, Record, Role, Snapshot, State};
use agol_backup::summary::Summary;
use agol_backup::{pass, telemetry};
use anyhow::{Context, ensure};

#[allow(
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the demo uses a part of what the tests lean on"
)]
mod support {
    pub mod aside;
    pub mod fault;
    pub mod portal;
    pub mod worlds;
}

use support::portal::{CLIENT_ID, Catalogue, Editing, FakePortal, MADE, REFRESH_TOKEN};
use support::worlds;

const FOLDER: &str = "demo-backup";
/// Tells a folder of the demo from anybody else's.
const MARKER: &str = "THIS-IS-A-DEMO.txt";
const MARKER_TEXT: &str = "The demo of agol-backup made this folder. Its next run replaces it.\n";
/// All that an archive and the marker put into a folder.
const OURS: [&str; 6] = [
    MARKER,
    "snapshots",
    "items",
    "history",
    "passes",
    ".agol-backup-partial",
];

fn main() -> ExitCode {
    match demonstrate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("\nThe demo did not go as it should: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate() -> anyhow::Result<()> {
    let folder = Path::new(FOLDER);
    clear(folder)?;
    let portal = FakePortal::start_blocking(city());
    let environment = variables(&portal);
    telemetry::start(&environment, telemetry::Stream::Stdout);
    let config = Config::from_environment(&environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;

    println!(
        "A portal of an invented city listens at {}. First pass:\n",
        portal.url()
    );
    let first = runtime.block_on(pass::run(&config));
    let snapshot = committed(folder, &first)?;
    ensure!(
        snapshot.complete && first.exit == Exit::Complete.code(),
        "the first pass is not complete"
    );
    let removed = check_the_city(&portal)?;

    println!("\nSecond pass, nothing was edited meanwhile:\n");
    portal.reset_log();
    let second = runtime.block_on(pass::run(&config));
    let again = committed(folder, &second)?;
    ensure!(
        again.complete && second.stored == 0 && second.rows == 0,
        "the second pass read something again"
    );
    ensure!(
        second.unchanged == first.stored,
        "the second pass lost an item"
    );
    let asked = portal.requests().len() as u64;
    ensure!(
        asked == second.requests,
        "{asked} requests came, {} were counted",
        second.requests
    );

    print_items(folder, &snapshot)?;
    print_result(&first, &second, removed);
    print_places(folder, &snapshot)
}

/// The tests' city, but for one oddity: a table that does not tell when it was edited is read in every pass.
fn city() -> Catalogue {
    let mut city = worlds::city();
    for service in city.services.values_mut() {
        for layer in &mut Arc::make_mut(service).layers {
            layer.editing = Some(Editing {
                last: MADE,
                schema: MADE,
                data: MADE,
            });
        }
    }
    city
}

/// Removes an earlier demo, and nothing else.
fn clear(folder: &Path) -> anyhow::Result<()> {
    if folder.symlink_metadata().is_ok() {
        let refusal =
            format!("./{FOLDER} is not a folder of an earlier demo; move it away and start again");
        let marked =
            std::fs::read_to_string(folder.join(MARKER)).is_ok_and(|text| text == MARKER_TEXT);
        ensure!(marked && !folder.is_symlink(), refusal);
        for entry in folder.read_dir()? {
            let name = entry?.file_name();
            ensure!(
                OURS.iter().any(|ours| name == *ours),
                "{refusal} ({} is in it)",
                name.display()
            );
        }
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir(folder)?;
    Ok(std::fs::write(folder.join(MARKER), MARKER_TEXT)?)
}

/// What a user would set; nothing is taken from the caller's environment.
fn variables(portal: &FakePortal) -> Environment {
    let pairs = [
        ("ARCGIS_URL", portal.url()),
        ("ARCGIS_CLIENT_ID", CLIENT_ID.to_owned()),
        ("ARCGIS_REFRESH_TOKEN", REFRESH_TOKEN.to_owned()),
        ("BACKUP_DESTINATION", FOLDER.to_owned()),
        // CSV comes only by export, so both engines are seen at work.
        ("BACKUP_FORMATS", "geojson,csv".to_owned()),
        ("BACKUP_LOG", "text".to_owned()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)))
        .collect()
}

fn committed(folder: &Path, summary: &Summary) -> anyhow::Result<Snapshot> {
    let stamp = summary
        .stamp
        .as_ref()
        .context("the pass ended before it began to store")?;
    let path = folder.join("snapshots").join(format!("{stamp}.json"));
    let bytes =
        std::fs::read(&path).with_context(|| format!("no snapshot at {}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Every temporary export is gone for good, and nothing else is. Returns how many there were.
fn check_the_city(portal: &FakePortal) -> anyhow::Result<usize> {
    let exports = portal.exports_created();
    ensure!(
        portal.exports_left().is_empty() && portal.recycle_bin().is_empty(),
        "temporary exports are left"
    );
    ensure!(
        portal.deleted().iter().all(|id| exports.contains(id)),
        "something else was deleted"
    );
    ensure!(
        portal.violations().is_empty(),
        "the portal complains: {:?}",
        portal.violations()
    );
    let own = portal.edit(|city| city.items.iter().any(|item| item.title == "Survey 2019"));
    ensure!(own, "the user's own GeoJson item is gone");
    Ok(exports.len())
}

fn print_items(folder: &Path, snapshot: &Snapshot) -> anyhow::Result<()> {
    println!("\nWhat was stored:\n");
    println!(
        "{:>6}  {:>5}  {:>9}  {:<16} title",
        "rows", "files", "bytes", "type"
    );
    for entry in &snapshot.items {
        let (kind, title) = (&entry.kind, harmless(&entry.title));
        if entry.state == State::Skipped {
            let reason = entry.reason.as_deref().unwrap_or_default();
            println!(
                "{:>6}  {:>5}  {:>9}  {kind:<16} {title} (skipped: {reason})",
                "-", "-", "-"
            );
            continue;
        }
        let record = record(folder, entry)?;
        let rows: u64 = record
            .files
            .iter()
            .filter(|file| is_geojson(file))
            .filter_map(|file| file.rows)
            .sum();
        println!(
            "{rows:>6}  {:>5}  {:>9}  {kind:<16} {title}",
            entry.files, entry.bytes
        );
    }
    Ok(())
}

/// Titles are anybody's text: what would turn a terminal's line around is not printed.
fn harmless(title: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    title
        .chars()
        .map(|c| if odd(c) { '\u{fffd}' } else { c })
        .collect()
}

fn print_result(first: &Summary, second: &Summary, removed: usize) {
    println!(
        "\nFirst pass: {} items stored, {} requests.",
        first.stored, first.requests
    );
    println!(
        "Second pass: {} items unchanged, {} requests, no row read again.",
        second.unchanged, second.requests
    );
    println!(
        "CSV has to be exported by the portal: {removed} temporary items were made there and removed for good."
    );
    println!("The user's own GeoJson item \"Survey 2019\" is still there, untouched.");
}

fn print_places(folder: &Path, snapshot: &Snapshot) -> anyhow::Result<()> {
    let hydrants = entry(snapshot, "Hydrants")?;
    let record = record(folder, hydrants)?;
    let geojson = file(&record, is_geojson)?;
    let report = file(&record, |file| {
        file.role == Role::Attachment && file.path.contains("report")
    })?;
    let rows = geojson.rows.unwrap_or_default();
    ensure!(
        rows > 0 && geojson.server_rows == Some(rows),
        "the server counts other rows than were stored"
    );

    println!("\nWhere to look, below ./{FOLDER}:\n");
    println!(
        "  {}\n      the rows of one layer: {rows}, as many as the portal counts",
        geojson.path
    );
    println!(
        "  {}\n      a file attached to one of these rows",
        report.path
    );
    println!(
        "  snapshots/{}.json\n      all items of the first pass, with the hash of each record",
        snapshot.stamp
    );
    println!("\nHow to open it:\n");
    println!(
        "  QGIS: drag the .geojson into the map, or\n    ogrinfo -so -al {FOLDER}/{}",
        geojson.path
    );
    println!(
        "    jq '.items[] | {{title, state, rows}}' {FOLDER}/snapshots/{}.json",
        snapshot.stamp
    );
    println!("\nREADME.md says how to run it on your own content.");
    Ok(())
}

fn entry<'a>(snapshot: &'a Snapshot, title: &str) -> anyhow::Result<&'a Entry> {
    snapshot
        .items
        .iter()
        .find(|entry| entry.title == title)
        .with_context(|| format!("{title} was not stored"))
}

fn record(folder: &Path, entry: &Entry) -> anyhow::Result<Record> {
    let path = entry
        .record
        .as_deref()
        .with_context(|| format!("{} has no record", entry.title))?;
    Ok(serde_json::from_slice(&std::fs::read(folder.join(path))?)?)
}

fn is_geojson(file: &File) -> bool {
    file.role == Role::Rows && file.format.as_deref() == Some("geojson")
}

fn file(record: &Record, wanted: impl Fn(&File) -> bool) -> anyhow::Result<&File> {
    record
        .files
        .iter()
        .find(|file| wanted(file))
        .context("a file of the layer was not stored")
}
