//! What is set wrongly is named before anything is contacted; and what a local folder says of itself.

use std::process::Command;

use crate::support::portal::{self, FakePortal};
use crate::support::run::{Job, Run};
use crate::support::worlds;

const KEYS: [(&str, &str); 2] = [
    ("SINK_ACCESS_KEY_ID", "id"),
    ("SINK_SECRET_ACCESS_KEY", "CANARY"),
];

fn refused(destination: &str, variables: &[(&str, &str)], words: &[&str]) {
    let job = Job::bare()
        .with("ARCGIS_API_KEY", "key")
        .with("BACKUP_DESTINATION", destination);
    let job = variables
        .iter()
        .fold(job, |job, (name, value)| job.with(name, *value));
    let run = job.run();
    run.ended(2);
    let error = run.summary()["error"]
        .as_str()
        .expect("an error")
        .to_owned();
    assert!(
        words.iter().all(|word| error.contains(word)),
        "{error} lacks one of {words:?}"
    );
    assert!(!run.stdout.contains("CANARY"), "{}", run.stdout);
}

#[test]
fn a_setting_that_nobody_knows_is_named_with_the_one_that_was_meant() {
    refused(
        "s3://b/x",
        &[("SINK_REGOIN", "x")],
        &["SINK_REGOIN", "SINK_REGION"],
    );
    refused(
        "azblob://c",
        &[("SINK_ACOUNT_NAME", "x")],
        &["SINK_ACOUNT_NAME", "SINK_ACCOUNT_NAME"],
    );
    refused(
        "s3://b",
        &[("SINK_NONSENSE_AT_ALL", "x")],
        &["SINK_NONSENSE_AT_ALL", "README.md"],
    );
    refused(
        "s3://b",
        &[("SINK_BUCKET", "x")],
        &["SINK_BUCKET", "BACKUP_DESTINATION"],
    );
    refused(
        "s3://b",
        &[("SINK_REGION_FILE", "/x")],
        &["SINK_REGION_FILE"],
    );
}

#[test]
fn a_setting_of_another_store_is_named_with_its_owner() {
    refused(
        "s3://b/x",
        &[("SINK_ACCOUNT_NAME", "x")],
        &["SINK_ACCOUNT_NAME", "azblob", "s3://"],
    );
    refused(
        "azblob://c",
        &[("SINK_ROLE_ARN", "x")],
        &["SINK_ROLE_ARN", "s3"],
    );
    refused(
        "./folder",
        &[("SINK_REGION", "x")],
        &["SINK_REGION", "a folder"],
    );
    refused(
        "onedrive:///x",
        &[("SINK_ENDPOINT", "x")],
        &["SINK_ENDPOINT", "s3"],
    );
}

#[test]
fn what_is_missing_is_named_with_what_to_write() {
    refused("s3://b/x", &KEYS, &["SINK_REGION", "missing"]);
    refused(
        "s3://b/x",
        &[("SINK_REGION", "r"), KEYS[1]],
        &["SINK_ACCESS_KEY_ID", "missing"],
    );
    refused(
        "azblob://c/x",
        &[],
        &["SINK_ACCOUNT_NAME", "AZURE_STORAGE_CONNECTION_STRING"],
    );
    refused("onedrive:///x", &[], &["SINK_CLIENT_ID", "missing"]);
    let app = ("SINK_CLIENT_ID", "id");
    let secret = ("SINK_CLIENT_SECRET", "CANARY");
    refused(
        "onedrive:///x",
        &[app],
        &["SINK_REFRESH_TOKEN", "SINK_CLIENT_SECRET"],
    );
    refused("onedrive:///x", &[app, secret], &["SINK_TENANT", "tenant"]);
    refused(
        "onedrive:///x",
        &[app, secret, ("SINK_TENANT", "city.gov")],
        &["SINK_DRIVE"],
    );
}

#[test]
fn an_address_that_cannot_be_meant_is_refused_with_the_right_form() {
    for (destination, words) in [
        ("gs://b/x", ["gs://", "s3://"]),
        ("s3://", ["bucket", "s3://bucket/prefix"]),
        ("s3://b/x?region=y", ["?", "SINK_"]),
        ("s3://b/../x", ["..", "prefix"]),
        ("onedrive://me/Backups", ["me", "onedrive:///Backups"]),
        ("onedrive:///", ["folder", "onedrive:///Backups"]),
        ("onedrive:///a/con", ["con", "OneDrive"]),
    ] {
        refused(
            destination,
            &[("SINK_REGION", "r"), ("SINK_CLIENT_ID", "i")]
                .into_iter()
                .filter(|(name, _)| {
                    destination.starts_with(if *name == "SINK_REGION" { "s3" } else { "one" })
                })
                .collect::<Vec<_>>(),
            &words,
        );
    }
    refused(
        "s3://b",
        &[("SINK_ENDPOINT", "minio:9000")],
        &["SINK_ENDPOINT", "https://"],
    );
    refused(
        "onedrive:///x",
        &[
            ("SINK_CLIENT_ID", "i"),
            ("SINK_GRAPH_URL", "http://graph.example.org"),
        ],
        &["SINK_GRAPH_URL", "http"],
    );
}

#[test]
fn what_kubernetes_adds_for_a_service_called_sink_stops_nobody() {
    let portal = FakePortal::start_blocking(worlds::one_layer(worlds::notes(3)));
    let job = Job::against(&portal)
        .with("SINK_SERVICE_HOST", "10.0.0.1")
        .with("SINK_PORT_80_TCP", "tcp://x");
    job.run().ended(0);
}

/// A limit of the process, which a full disk looks like to it.
pub(super) fn a_folder_without_room() {
    let portal = FakePortal::start_blocking(worlds::big_layer(20_000));
    let job = Job::against(&portal);
    let limited = format!(
        "trap '' XFSZ; ulimit -f 1000; exec '{}'",
        env!("CARGO_BIN_EXE_agol-backup")
    );
    let run = Run::of(
        Command::new("sh")
            .args(["-c", &limited])
            .env_clear()
            .env("ARCGIS_URL", portal.url())
            .env("ARCGIS_CLIENT_ID", portal::CLIENT_ID)
            .env("ARCGIS_REFRESH_TOKEN", portal::REFRESH_TOKEN)
            .env("BACKUP_DESTINATION", job.destination())
            .output()
            .expect("a shell"),
    );
    run.ended(13);
    let error = run.summary()["error"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(error.contains("File too large"), "{error}");
    let files = job.archive().files();
    assert!(
        files.iter().all(|path| path.starts_with("history/")),
        "nothing is left half-written: {files:?}"
    );
}

pub(super) fn a_folder_that_may_not_be_written() {
    let portal = FakePortal::start_blocking(worlds::one_layer(worlds::notes(3)));
    let job = Job::against(&portal);
    let taken = job.folder().join("a file");
    std::fs::write(&taken, "precious").expect("written");
    let run = job.with("BACKUP_DESTINATION", taken.join("archive")).run();
    run.ended(13);
    let error = run.summary()["error"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(error.contains("Not a directory"), "{error}");
    assert!(
        portal.requests().is_empty(),
        "nothing is asked of the portal"
    );
}
