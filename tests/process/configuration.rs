//! What is set wrongly is told in one line that names the variable and the remedy; nobody is contacted.

use crate::support::portal::FakePortal;
use crate::support::run::{Archive, Job, Run};
use crate::support::worlds;

/// What stands in the folder of a job: nothing may join it.
fn standing(job: &Job) -> Vec<String> {
    let root = job.folder().to_owned();
    Archive { root }.files()
}

/// The one line of a run that was refused before it contacted anybody.
#[track_caller]
pub(super) fn refused(portal: &FakePortal, job: &Job) -> String {
    let before = standing(job);
    refusal(portal, job, &before, &job.run())
}

#[track_caller]
fn refusal(portal: &FakePortal, job: &Job, before: &[String], run: &Run) -> String {
    run.ended(2);
    let errors = run
        .lines()
        .into_iter()
        .filter(|line| line["level"] != "INFO")
        .count();
    assert_eq!(errors, 1, "one clear line in:\n{}", run.stdout);
    assert_eq!(run.stderr, "");
    let summary = run.summary();
    assert_eq!(
        (&summary["exit"], &summary["outcome"]),
        (&2.into(), &"config".into())
    );
    assert_eq!(summary["level"], "ERROR");
    assert_eq!(run.events("pass started").len(), 0, "nothing is begun");
    assert_eq!(portal.count("*"), 0, "nobody is contacted");
    assert_eq!(standing(job), before, "nothing is written");
    assert!(!job.destination().exists(), "nothing is made");
    summary["error"].as_str().expect("a reason").to_owned()
}

/// What the line must say, and what is set beside the three variables.
pub(super) type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

#[track_caller]
pub(super) fn all_refused(cases: &[Case<'_>]) {
    let portal = FakePortal::start_blocking(worlds::empty());
    for (words, settings) in cases {
        let mut job = Job::against(&portal);
        for (name, value) in *settings {
            job.set(name, *value);
        }
        let line = refused(&portal, &job);
        for word in *words {
            assert!(line.contains(word), "{settings:?} has no {word}: {line}");
        }
    }
}

#[test]
fn a_misspelt_name_is_refused_with_the_right_one() {
    all_refused(&[
        (
            &["BACKUP_KEP_LAST", "did you mean BACKUP_KEEP_LAST"],
            &[("BACKUP_KEP_LAST", "7")],
        ),
        (
            &["BACKUP_FORMAT ", "did you mean BACKUP_FORMATS"],
            &[("BACKUP_FORMAT", "csv")],
        ),
        (
            &["ARCGIS_CLIENTID", "did you mean ARCGIS_CLIENT_ID"],
            &[("ARCGIS_CLIENTID", "x")],
        ),
        (
            &["BACKUP_DESTINATON", "BACKUP_DESTINATION"],
            &[("BACKUP_DESTINATON", "/x")],
        ),
        (
            &["did you mean ARCGIS_REFRESH_TOKEN_FILE"],
            &[("ARCGIS_REFRESH_TOKEN_FIEL", "/x")],
        ),
    ]);
}

#[test]
fn a_retention_rule_keeps_at_least_one() {
    for wrong in ["0", "-1", "7d", "10001", "all"] {
        all_refused(&[(
            &["BACKUP_KEEP_DAILY", wrong, "from 1 to 10000"],
            &[("BACKUP_KEEP_DAILY", wrong)],
        )]);
    }
}

#[test]
fn a_value_that_means_nothing_is_refused_with_one_that_does() {
    all_refused(&[
        (
            &["BACKUP_SCOPE", "mine, org, query"],
            &[("BACKUP_SCOPE", "all")],
        ),
        (
            &["BACKUP_METHOD", "auto, query, export"],
            &[("BACKUP_METHOD", "Query")],
        ),
        (
            &["BACKUP_FORMATS", "geojson"],
            &[("BACKUP_FORMATS", "geojson,dwg")],
        ),
        (&["BACKUP_FORMATS"], &[("BACKUP_FORMATS", " , ")]),
        (
            &["BACKUP_ATTACHMENTS", "true or false"],
            &[("BACKUP_ATTACHMENTS", "maybe")],
        ),
        (
            &["BACKUP_CONCURRENCY", "from 1"],
            &[("BACKUP_CONCURRENCY", "0")],
        ),
        (&["BACKUP_CONCURRENCY"], &[("BACKUP_CONCURRENCY", "many")]),
        (
            &["BACKUP_EXPORT_TIMEOUT", "30m"],
            &[("BACKUP_EXPORT_TIMEOUT", "30")],
        ),
        (
            &["BACKUP_MAX_DURATION", "30m"],
            &[("BACKUP_MAX_DURATION", "2 h")],
        ),
        (
            &["BACKUP_FULL_EVERY", "30m"],
            &[("BACKUP_FULL_EVERY", "1w")],
        ),
        (
            &["BACKUP_LOG", "auto, json, text"],
            &[("BACKUP_LOG", "pretty")],
        ),
        (&["RUST_LOG"], &[("RUST_LOG", "loud=very=much")]),
    ]);
}

#[test]
fn settings_that_exclude_each_other_are_refused() {
    all_refused(&[
        (&["BACKUP_QUERY", "missing"], &[("BACKUP_SCOPE", "query")]),
        (
            &["BACKUP_QUERY", "BACKUP_SCOPE=query"],
            &[("BACKUP_QUERY", "tags:x")],
        ),
        (
            &["BACKUP_METHOD", "shapefile", "auto"],
            &[("BACKUP_METHOD", "query"), ("BACKUP_FORMATS", "shapefile")],
        ),
        (
            &["BACKUP_METHOD", "esrijson", "auto"],
            &[("BACKUP_METHOD", "export"), ("BACKUP_FORMATS", "esrijson")],
        ),
    ]);
}

#[test]
fn a_storage_address_is_never_taken_for_a_folder() {
    let portal = FakePortal::start_blocking(worlds::empty());
    for address in [
        "gs://bucket/prefix",
        "sftp://host/x",
        "S3://bucket",
        "file:///srv/x",
    ] {
        let job = Job::against(&portal).with("BACKUP_DESTINATION", address);
        let line = refused(&portal, &job);
        assert!(line.starts_with("BACKUP_DESTINATION"), "{line}");
    }
}

#[test]
fn an_argument_is_refused_as_any_wrong_setting() {
    let portal = FakePortal::start_blocking(worlds::empty());
    for arguments in [&["--frequency"][..], &["restroe"], &["--verbose", "3"]] {
        let job = Job::against(&portal);
        let line = refusal(&portal, &job, &[], &job.run_with(arguments));
        assert!(
            line.contains(arguments[0]) && line.contains("--help"),
            "{line}"
        );
    }
}

#[test]
fn help_and_version_are_for_people_and_need_no_setting() {
    let help = Job::bare().run_with(&["--help"]);
    let words = [
        "agol-backup login",
        "ARCGIS_REFRESH_TOKEN_FILE",
        "BACKUP_DESTINATION",
        "Exit codes",
    ];
    for word in words {
        assert!(help.ended(0).stdout.contains(word), "{}", help.stdout);
    }
    let version = Job::bare().run_with(&["--version"]);
    assert_eq!(version.ended(0).stdout.trim(), agol_backup::PROGRAM);
}

#[test]
fn blank_variables_count_as_absent() {
    let portal = FakePortal::start_blocking(worlds::large_listing(1));
    let mut job = Job::against(&portal);
    for name in [
        "ARCGIS_API_KEY",
        "ARCGIS_REFRESH_TOKEN_FILE",
        "BACKUP_SCOPE",
        "BACKUP_QUERY",
        "BACKUP_LOG",
    ] {
        job.set(name, "");
    }
    job.set("BACKUP_MAX_DURATION", "  ");
    job.run().ended(0);
}

#[test]
fn a_name_that_somebody_else_put_there_is_only_told() {
    let portal = FakePortal::start_blocking(worlds::large_listing(1));
    let names = ["BACKUP_PORT", "BACKUP_SERVICE_HOST"];
    let job = Job::against(&portal)
        .with(names[0], "tcp://10.0.0.1:80")
        .with(names[1], "10.0.0.1");
    let run = job.run();
    let told = run.ended(0).events("unknown variable");
    let told: Vec<_> = told.iter().map(|line| line["variable"].as_str()).collect();
    assert_eq!(told, names.map(Some));
}
