//! What goes wrong is one clear sentence with what to do, found before the person is sent to the browser where that is
//! possible, and leaves the file as it was.

use serde_json::json;

use super::{address, alone, file, newcomer, signs_in};
use crate::support::begun::Begun;
use crate::support::portal::{CLIENT_ID, FakePortal, Fault, FaultKind, REFRESH_TOKEN, Reply};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// The reason given, on standard error.
#[track_caller]
fn reason(run: &Run, code: i32) -> String {
    let lines = run.ended(code).stderr.lines();
    let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let told = lines
        .map(parse)
        .find(|line| line["message"] == "command failed");
    let told = told.expect("a reason");
    assert_eq!(told["exit"], code);
    told["error"].as_str().expect("text").to_owned()
}

/// Nobody is sent to the browser.
#[track_caller]
fn refused_at_once(job: &Job, code: i32, words: &[&str]) {
    let run = job.run_with(&["login"]);
    let told = reason(&run, code);
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert_eq!(run.stdout, "");
    assert!(!job.folder().join("token.json").exists());
}

#[test]
fn what_is_missing_is_named_with_its_variable_and_its_argument() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let without = |name| newcomer(&portal).0.without(name);
    refused_at_once(
        &without("ARCGIS_CLIENT_ID"),
        2,
        &["ARCGIS_CLIENT_ID", "--client-id"],
    );
    let words = ["ARCGIS_REFRESH_TOKEN_FILE", "--token-file"];
    refused_at_once(&without("ARCGIS_REFRESH_TOKEN_FILE"), 2, &words);
    let job = newcomer(&portal).0.with("ARCGIS_URL", "http://city.gov");
    refused_at_once(&job, 2, &["ARCGIS_URL", "plain http"]);
    assert!(portal.requests().is_empty());
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anybody_opens_a_browser() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    let nowhere = job.folder().join("no/such/folder/token.json");
    let job = job.with("ARCGIS_REFRESH_TOKEN_FILE", &nowhere);
    refused_at_once(&job, 2, &["no/such/folder", "folder must exist"]);
    let folder = job.folder().to_owned();
    let job = job.with("ARCGIS_REFRESH_TOKEN_FILE", folder);
    refused_at_once(&job, 2, &["it is a folder"]);
    std::fs::write(&path, REFRESH_TOKEN).expect("a file");
    let mut rights = path.metadata().expect("a file").permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&path, rights).expect("rights");
    let job = job.with("ARCGIS_REFRESH_TOKEN_FILE", &path);
    let told = reason(&job.run_with(&["login"]), 2);
    assert!(told.contains("read-only"), "{told}");
    assert!(portal.requests().is_empty());
}

#[test]
fn an_application_that_the_portal_does_not_know_is_told_before_the_browser() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = newcomer(&portal)
        .0
        .with("ARCGIS_CLIENT_ID", "nobodys-client");
    refused_at_once(
        &job,
        10,
        &["nobodys-client", "ARCGIS_CLIENT_ID", "ARCGIS_URL"],
    );
    for status in [400, 403, 500] {
        let page = Reply::html(status, "Error: Invalid client_id");
        portal.add_fault(Fault::on(
            "authorize",
            FaultKind::custom(move |_| page.clone()),
        ));
        refused_at_once(&newcomer(&portal).0, 10, &["ARCGIS_CLIENT_ID"]);
    }
}

#[test]
fn a_redirect_that_is_not_registered_is_told_before_the_browser() {
    let portal = FakePortal::start_blocking(worlds::empty());
    portal.edit(|world| world.settings.redirect_uris = vec!["https://city.gov/app".to_owned()]);
    let words = ["urn:ietf:wg:oauth:2.0:oob", "redirect URLs", "README.md"];
    refused_at_once(&newcomer(&portal).0, 10, &words);
}

#[test]
fn a_portal_that_is_none_or_not_there_is_told() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = newcomer(&portal)
        .0
        .with("ARCGIS_URL", portal.url() + "/elsewhere");
    refused_at_once(&job, 12, &["ARCGIS_URL"]);
    // A port that nobody listens on.
    let job = job.with("ARCGIS_URL", "http://127.0.0.1:1");
    refused_at_once(&job, 12, &["ARCGIS_URL"]);
}

#[test]
fn a_code_that_is_wrong_used_or_late_is_told_and_changes_nothing() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    signs_in(&portal, &job, &[], alone).ended(0);
    let before = std::fs::read(&path).expect("a file");
    let wrong = signs_in(&portal, &job, &[], |code| format!("{code}x\n"));
    let used = signs_in(&portal, &job, &[], |_| {
        "login-code.1_x-yyyyyyyyyyyyyyyyyyyyyyyy".to_owned()
    });
    portal.edit(|world| world.settings.code_seconds = 0);
    let late = signs_in(&portal, &job, &[], alone);
    for (run, word) in [
        (wrong, "Invalid code"),
        (used, "Invalid code"),
        (late, "expired"),
    ] {
        let told = reason(&run, 10);
        assert!(
            told.contains(word) && told.contains("agol-backup login"),
            "{told}"
        );
    }
    assert_eq!(std::fs::read(&path).expect("a file"), before);
}

#[test]
fn a_code_of_somebody_elses_login_is_worth_nothing() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    let other = Begun::typed(&job, &["login"]);
    let other = other.until("an address", |begun| begun.heard().contains("S256"));
    let stolen = portal.code_for(&address(&other.heard()));
    let run = signs_in(&portal, &job, &[], |_| stolen.clone());
    assert!(reason(&run, 10).contains("code_verifier"));
    assert!(!path.exists());
}

#[test]
fn an_input_without_a_code_and_a_refusal_in_the_browser_are_told() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    for (pasted, word) in [
        ("", "input ended"),
        ("hm, which code\n", "input ended"),
        ("Denied error=access_denied\n", "access_denied"),
    ] {
        let run = signs_in(&portal, &job, &[], |_| pasted.to_owned());
        let told = reason(&run, 10);
        assert!(
            told.contains(word) && told.contains("agol-backup login"),
            "{told}"
        );
    }
    assert!(!path.exists());
}

#[test]
#[cfg(unix)]
fn a_signal_ends_it_and_leaves_nothing() {
    let portal = FakePortal::start_blocking(worlds::empty());
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (job, path) = newcomer(&portal);
        let begun = Begun::typed(&job, &["login"]);
        let begun = begun.until("an address", |begun| begun.heard().contains("S256"));
        let told = reason(&begun.told(signal), code);
        assert!(told.contains(signal), "{told}");
        assert!(!path.exists());
    }
}

#[test]
fn a_working_token_of_another_account_is_not_replaced_unasked() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let annas = FaultKind::alter(|_, mut reply| {
        let mut answer: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        answer["username"] = json!("anna");
        reply.body = answer.to_string().into();
        reply
    });
    portal.add_fault(Fault::on("token", annas).only(REFRESH_TOKEN).forever());
    let (job, path) = newcomer(&portal);
    let content = json!({"refresh_token": REFRESH_TOKEN, "client_id": CLIENT_ID}).to_string();
    std::fs::write(&path, &content).expect("a file");
    let run = signs_in(&portal, &job, &[], alone);
    assert!(
        run.stdout.contains("holds a working token of anna"),
        "{}",
        run.stdout
    );
    let told = reason(&run, 2);
    for word in ["anna", "gis_backup", "--replace", "nothing was written"] {
        assert!(told.contains(word), "{told}");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), content);
    signs_in(&portal, &job, &["--replace"], alone).ended(0);
    assert_ne!(file(&path)["refresh_token"], REFRESH_TOKEN);
    // One's own, or a dead one, needs no leave.
    signs_in(&portal, &job, &[], alone).ended(0);
    portal.end_refresh(REFRESH_TOKEN);
    std::fs::write(&path, content).expect("a file");
    signs_in(&portal, &job, &[], alone).ended(0);
}
