//! What it says: who signed in, until when, and what to set; to machines as two lines of JSON; no secret to anybody.

use serde_json::Value;

use super::{alone, file, newcomer, signs_in};
use crate::support::portal::{CLIENT_ID, FakePortal, Fault, FaultKind, Reply};
use crate::support::run::Run;
use crate::support::worlds;

#[test]
fn a_person_is_told_who_signed_in_until_when_and_what_to_set() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    let run = signs_in(&portal, &job, &[], alone);
    let end = file(&path)["expires_at"].as_str().expect("text")[..10].to_owned();
    let path = path.canonicalize().expect("a path");
    for words in [
        "Signed in as gis_backup (org_admin) of City of Lindenau".to_owned(),
        format!("It ends in 90 days, on {end}."),
        format!("export ARCGIS_URL={}", portal.url()),
        format!("export ARCGIS_REFRESH_TOKEN_FILE={}", path.display()),
    ] {
        assert!(
            run.ended(0).stdout.contains(&words),
            "{words}: {}",
            run.stdout
        );
    }
    assert!(!run.stdout.contains("allows no more"), "{}", run.stdout);
}

#[test]
fn a_life_that_the_organisation_shortened_is_told() {
    let portal = FakePortal::start_blocking(worlds::empty());
    portal.edit(|world| world.settings.longest_refresh_seconds = 14 * 86_400);
    let (job, _) = newcomer(&portal);
    let run = signs_in(&portal, &job, &[], alone);
    let told = "It ends in 14 days";
    assert!(run.ended(0).stdout.contains(told), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("Your organisation allows no more; 90 were asked for.")
    );
}

#[test]
fn an_end_that_the_portal_does_not_tell_is_told_as_unknown() {
    let portal = FakePortal::start_blocking(worlds::empty());
    portal.edit(|world| world.settings.tells_refresh_end = false);
    let (job, path) = newcomer(&portal);
    let run = signs_in(&portal, &job, &[], alone);
    let told = "The portal does not tell when it ends";
    assert!(run.ended(0).stdout.contains(told), "{}", run.stdout);
    assert_eq!(file(&path)["expires_at"], Value::Null);
}

#[test]
fn a_machine_reads_the_address_from_the_first_line_and_the_answer_from_the_second() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, path) = newcomer(&portal);
    let run = signs_in(&portal, &job, &["--json"], |code| {
        format!("\nno code\n{code}\n")
    });
    let lines = run.ended(0).lines();
    assert_eq!(lines.len(), 2, "{}", run.stdout);
    let address = lines[0]["open"].as_str().expect("an address");
    assert!(address.starts_with(&portal.url()) && address.contains("expiration=129600"));
    let answer = &lines[1];
    assert_eq!(
        (&answer["exit"], &answer["outcome"]),
        (&0.into(), &"complete".into())
    );
    assert_eq!(answer["username"], "gis_backup");
    assert_eq!(answer["client_id"], CLIENT_ID);
    assert_eq!(answer["lives_days"], 90);
    assert_eq!(answer["expires_at"], file(&path)["expires_at"]);
    assert_eq!(run.stderr, "");
}

#[track_caller]
fn says_no_secret(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        for secret in ["refresh-secret", "access-secret", "login-code"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[test]
fn no_secret_is_said_whatever_the_portal_repeats() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let (job, _) = newcomer(&portal);
    let job = job.with("RUST_LOG", "trace");
    says_no_secret(signs_in(&portal, &job, &[], alone).ended(0));
    says_no_secret(signs_in(&portal, &job, &["--json"], alone).ended(0));
    for route in ["token", "self"] {
        let echo = FaultKind::custom(|call| {
            let said: Vec<_> = call.params.values().chain(&call.token).cloned().collect();
            Reply::error(400, &format!("Unable to use {}", said.join(" or ")))
        });
        let skip = usize::from(route == "token");
        portal.add_fault(Fault::on(route, echo).skip(skip));
        let run = signs_in(&portal, &job, &[], alone);
        assert_ne!(run.code, 0, "{route}: {}", run.stdout);
        says_no_secret(&run);
        portal.clear_faults();
    }
}
