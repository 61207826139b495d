//! The exit codes are those of a pass, and whatever fails, the other side is told.

use serde_json::{Value, json};

use super::{codes, count, item, parsed, told};
use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::proxy::{Act, Rule};
use crate::support::run::Job;
use crate::support::store::Store;
use crate::support::worlds;

fn office() -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let job = Job::against(&portal);
    (portal, job)
}

/// The verdict names the number, and a pass ends with it too.
#[track_caller]
fn ends_like_a_pass(job: &Job, code: i32) -> Value {
    let report = told(job, code);
    assert_eq!(report["exit"], code);
    let verdict = report["verdict"].as_str().expect("a verdict");
    assert!(verdict.contains(&format!("exit code {code}")), "{verdict}");
    job.run().ended(code);
    report
}

#[test]
fn a_wrong_variable_is_2_and_nobody_is_asked() {
    let (portal, job) = office();
    for job in [
        Job::bare(),
        job.with("BACKUP_SCOPE", "everything"),
        Job::against(&portal)
            .with("BACKUP_DESTINATION", "s3://bucket/x")
            .with("SINK_ROLE_ARN", "arn")
            .with("SINK_ASSUME_ROLE_DURATION_SECONDS", "soon"),
    ] {
        let run = job.run_with(&["check"]);
        run.ended(2);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("command failed"), "{}", run.stderr);
    }
    assert!(portal.requests().is_empty());
}

#[test]
fn a_service_that_cannot_be_read_is_3_and_named() {
    for route in ["layers", "service", "count"] {
        let (portal, job) = office();
        let refusal = FaultKind::ErrorInBody(json!({"code": 400, "message": "Invalid URL"}));
        portal.add_fault(Fault::on(route, refusal).forever());
        let report = ends_like_a_pass(&job, 3);
        let office = item(&report, "Office");
        assert_eq!(office["fate"], "unreadable", "{route}");
        assert!(
            office["why"]
                .as_str()
                .expect("a reason")
                .contains("Invalid URL")
        );
        let table = job.run_with(&["check"]);
        assert!(
            table
                .stdout
                .contains("Cannot be read\n  Office (Feature Service): "),
            "{}",
            table.stdout
        );
    }
}

#[test]
fn nothing_found_is_4_and_so_is_nothing_but_skipped_items() {
    let (_portal, job) = office();
    let typo = job
        .with("BACKUP_SCOPE", "query")
        .with("BACKUP_QUERY", "tags:bakcup");
    let report = ends_like_a_pass(&typo, 4);
    assert_eq!(report["content"]["visible"], 2, "so many there would be");
    let table = typo
        .with("BACKUP_DESTINATION", "/dev/null/x")
        .run_with(&["check"]);
    let (found, place) = ("PROBLEM: no item was found", "PROBLEM: BACKUP_DESTINATION");
    let told = &table.ended(13).stdout;
    assert!(told.contains(found) && told.contains(place), "{told}");
    let (portal, job) = office();
    portal.edit(|world| {
        for item in &mut world.items {
            item.tags = vec!["no-backup".to_owned()];
        }
    });
    assert_eq!(count(&ends_like_a_pass(&job, 4), "skipped"), 2);
}

#[test]
fn refused_credentials_are_10_and_the_destination_is_told() {
    let (portal, job) = office();
    job.run().ended(0);
    portal.revoke_refresh();
    let report = ends_like_a_pass(&job, 10);
    assert_eq!(report["content"], Value::Null);
    assert!(
        report["portal"]["error"]
            .as_str()
            .expect("a reason")
            .contains("refresh token")
    );
    assert_eq!(report["destination"]["snapshots"], 1);
}

#[test]
fn a_portal_that_cannot_be_listed_is_12() {
    let (portal, job) = office();
    portal.add_fault(Fault::on("user_content", FaultKind::Html(404)).forever());
    let report = ends_like_a_pass(&job, 12);
    assert_eq!(report["portal"]["account"]["username"], "gis_backup");
    assert_eq!(report["destination"]["usable"], true);
}

#[test]
fn a_destination_that_cannot_be_used_is_13_and_the_portal_is_told() {
    let (portal, job) = office();
    let file = job.folder().join("a file");
    std::fs::write(&file, "precious").expect("a file");
    let job = job.with("BACKUP_DESTINATION", file.join("archive"));
    let report = ends_like_a_pass(&job, 13);
    assert_eq!(report["destination"]["usable"], false);
    assert_eq!(count(&report, "read"), 2, "the portal's side is told");
    portal.revoke_refresh();
    let report = ends_like_a_pass(&job, 13);
    for side in ["portal", "destination"] {
        assert!(
            report[side]["error"].is_string(),
            "both are told: {report:#}"
        );
    }
}

#[test]
fn a_store_that_cannot_be_deleted_from_is_13_and_says_so() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let store = Store::s3();
    let denied =
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>No.</Message></Error>";
    let rule = Rule::on("DELETE", "passes").forever();
    let proxy = store.proxy().expect("a proxy");
    proxy.add(rule.then(Act::Status(403, Vec::new(), denied.to_owned())));
    let report = told(&store.job(&portal), 13);
    let error = report["destination"]["error"].as_str().expect("a reason");
    assert!(
        error.contains("cannot be deleted from") && error.contains("AccessDenied"),
        "{error}"
    );
}

#[test]
fn a_destination_that_a_living_pass_holds_is_11_and_the_rest_is_told() {
    let (portal, job) = office();
    let folder = job.destination().join("passes");
    std::fs::create_dir_all(&folder).expect("a folder");
    let marker = json!({"stamp": "20260101T000000Z", "host": "another-host", "process": 7,
        "started_at": "2026-01-01T00:00:00Z", "program": "agol-backup 0.1.0"});
    let path = folder.join("20260101T000000Z.json");
    std::fs::write(&path, marker.to_string()).expect("a marker");
    let report = ends_like_a_pass(&job, 11);
    assert!(path.exists(), "it is the other's");
    assert_eq!(report["destination"]["held"], true);
    assert!(
        report["verdict"]
            .as_str()
            .expect("text")
            .contains("process 7 on another-host")
    );
    assert_eq!(count(&report, "read"), 2);
    assert_eq!(codes(&report), ["token_end_unknown"]);
    portal.revoke_refresh();
    let run = job.run_with(&["check", "--json"]);
    assert_eq!(
        parsed(run.ended(10))["destination"]["held"],
        true,
        "a pass signs in first"
    );
}
