//! `agol-backup login` takes a person from the client id to a token file that a run signs in with, says what it found
//! and what to do, and never a secret.

mod refused;
mod seen_in_a_browser;
mod spoken;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::begun::Begun;
use crate::support::portal::{CLIENT_ID, FakePortal, OUT_OF_BAND};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// All that a person has set who signs in for the first time.
fn newcomer(portal: &FakePortal) -> (Job, PathBuf) {
    let job = Job::bare()
        .with("ARCGIS_URL", portal.url())
        .with("ARCGIS_CLIENT_ID", CLIENT_ID);
    let path = job.folder().join("token.json");
    let job = job.with("ARCGIS_REFRESH_TOKEN_FILE", &path);
    (job, path)
}

/// The address that was printed, as text or as JSON.
fn address(said: &str) -> String {
    let from = said.find("http").expect("an address");
    let ends = |c: char| c.is_whitespace() || c == '"';
    let address = said[from..].split(ends).next().expect("an address");
    address.to_owned()
}

/// Signs in with what `paste` makes of the code.
fn signs_in(
    portal: &FakePortal,
    job: &Job,
    arguments: &[&str],
    paste: impl Fn(&str) -> String,
) -> Run {
    let arguments = [&["login"], arguments].concat();
    let begun = Begun::typed(job, &arguments);
    let mut begun = begun.until("an address", |begun| begun.heard().contains("S256"));
    let code = portal.code_for(&address(&begun.heard()));
    begun.types(&paste(&code));
    begun.leaves();
    begun.end()
}

fn alone(code: &str) -> String {
    format!("{code}\n")
}

fn file(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn a_sign_in_leaves_a_file_that_a_run_signs_in_with() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let (job, path) = newcomer(&portal);
    let run = signs_in(&portal, &job, &[], alone);
    run.ended(0);
    let written = file(&path);
    assert_eq!(written["client_id"], CLIENT_ID);
    assert_eq!(written["redirect_uri"], OUT_OF_BAND);
    let moment = |name: &str| -> jiff::Timestamp {
        written[name]
            .as_str()
            .expect("text")
            .parse()
            .expect("a time")
    };
    let life = moment("expires_at").duration_since(moment("issued_at"));
    assert_eq!(life.as_secs(), 90 * 86_400 - 1);
    let job = job.without("ARCGIS_CLIENT_ID");
    let summary = job.run().ended(0).summary();
    assert_eq!(summary["token_days_left"], 89);
    assert_eq!(portal.requests_to("token").len(), 3, "code, proof, run");
}

#[test]
#[cfg(unix)]
fn only_its_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    signs_in(&portal, &job, &[], alone).ended(0);
    let mode = path.metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_code_is_taken_as_people_paste_it() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let pastes: [fn(&str) -> String; 6] = [
        |code| code.to_owned(),
        |code| format!("\r\n\n   {code}  \r\n"),
        |code| format!("SUCCESS code={code}\n"),
        |code| format!("SUCCESS\ncode={code}\n"),
        |code| format!("here it comes\n{code}\n"),
        |code| format!("https://www.arcgis.com/sharing/rest/oauth2/approval?x=1&code={code}&y=2\n"),
    ];
    for paste in pastes {
        let (job, path) = newcomer(&portal);
        let run = signs_in(&portal, &job, &[], paste);
        run.ended(0);
        assert!(path.is_file(), "{}", paste("CODE"));
    }
}

#[test]
fn the_arguments_come_before_the_variables() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    let job = job.with("ARCGIS_CLIENT_ID", "another");
    let arguments = ["--client-id", CLIENT_ID, "--token-file", "here.json"];
    let run = signs_in(&portal, &job, &arguments, alone);
    let here = job.folder().join("here.json");
    assert!(here.is_file() && !path.exists());
    let whole = here.canonicalize().expect("a path");
    assert!(run.ended(0).stdout.contains(whole.to_str().expect("text")));
}

#[test]
fn whatever_else_is_wrong_keeps_nobody_from_signing_in() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    let job = job
        .with("BACKUP_DESTINATION", "s3://")
        .with("BACKUP_SCOPE", "everything")
        .with("BACKUP_KEP_LAST", "1")
        .with("ARCGIS_API_KEY", "a-key-of-ours");
    let run = signs_in(&portal, &job, &[], alone);
    assert!(run.ended(0).stdout.contains("unset ARCGIS_API_KEY"));
    assert!(path.is_file());
}

#[test]
fn a_dead_token_is_replaced_by_login_alone() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let (job, path) = newcomer(&portal);
    signs_in(&portal, &job, &[], alone).ended(0);
    let job = job.without("ARCGIS_CLIENT_ID");
    let old = file(&path)["refresh_token"]
        .as_str()
        .expect("text")
        .to_owned();
    portal.end_refresh(&old);
    let run = job.run();
    let told = run.ended(10).summary()["error"].to_string();
    assert!(told.contains("agol-backup login"), "{told}");
    // What a run keeps beside its file is of no use to anybody any more.
    let beside = path.with_extension("json.old");
    std::fs::write(&beside, &old).expect("a file");
    signs_in(&portal, &job, &[], alone).ended(0);
    assert!(!beside.exists());
    job.run().ended(0);
}
