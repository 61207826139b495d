//! Credentials that the portal refuses end the run with 10, the remedy and no storm of requests.

use serde_json::json;

use super::{by_file, turned_away};
use crate::support::begun::Begun;
use crate::support::portal::{API_KEY, FakePortal, Fault, FaultKind, Reply};
use crate::support::run::Job;
use crate::support::worlds;

/// The next file is said to lie on somebody else's server.
pub(super) fn redirect_away(portal: &FakePortal) {
    let away = portal.elsewhere_url() + "/file?expires=1";
    let answer = FaultKind::custom(move |_| Reply::redirect(away.clone()));
    portal.add_fault(Fault::on("data", answer).forever());
    portal.add_fault(Fault::on("elsewhere:*", FaultKind::TextPlainError(403, "No.")).forever());
}

#[test]
fn a_refused_refresh_token_is_told_with_the_remedy() {
    let portal = FakePortal::start_blocking(worlds::city());
    portal.revoke_refresh();
    for job in [
        Job::against(&portal),
        by_file(&portal, &super::token_file(1)),
    ] {
        portal.reset_log();
        let line = turned_away(&job, &job.run());
        for word in [
            "ARCGIS_REFRESH_TOKEN_FILE",
            "agol-backup login",
            "Invalid refresh_token",
        ] {
            assert!(line.contains(word), "{line}");
        }
        assert_eq!(
            (portal.count("token"), portal.count("*")),
            (1, 1),
            "asked once"
        );
    }
}

#[test]
fn a_refresh_token_that_has_ended_is_told_as_such() {
    let mut world = worlds::empty();
    world.settings.refresh_token_seconds = 0;
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal);
    assert!(turned_away(&job, &job.run()).contains("refresh_token expired"));
}

#[test]
fn an_unknown_application_is_told_by_its_variable() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal).with("ARCGIS_CLIENT_ID", "another-client");
    assert!(turned_away(&job, &job.run()).contains("ARCGIS_CLIENT_ID"));
    assert_eq!(portal.count("*"), 1, "asked once");
}

#[test]
fn a_refused_key_is_told_by_its_variable() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::bare().with("ARCGIS_URL", portal.url());
    let job = job.with("ARCGIS_API_KEY", format!("{API_KEY}-old"));
    assert!(turned_away(&job, &job.run()).contains("ARCGIS_API_KEY"));
    assert!(portal.count("*") <= 2, "{}", portal.count("*"));
}

#[test]
fn a_refusal_in_plain_oauth_is_understood() {
    let body = json!({"error": "invalid_grant", "error_description": "Token has been revoked"});
    for status in [200, 400, 401] {
        let portal = FakePortal::start_blocking(worlds::city());
        let answer = Reply::json(&body).status(status);
        portal.add_fault(Fault::on("token", FaultKind::custom(move |_| answer.clone())).forever());
        let job = Job::against(&portal);
        let line = turned_away(&job, &job.run());
        assert!(line.contains("Token has been revoked"), "{status}: {line}");
        assert_eq!(portal.count("*"), 1, "asked once");
    }
}

#[test]
fn a_key_without_a_user_is_told_which_scope_it_can_read() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let nobody = FaultKind::alter(|_, mut reply| {
        let mut answer: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        answer["user"].take();
        reply.body = answer.to_string().into();
        reply
    });
    portal.add_fault(Fault::on("self", nobody).forever());
    let key = || {
        Job::bare()
            .with("ARCGIS_URL", portal.url())
            .with("ARCGIS_API_KEY", API_KEY)
    };
    let summary = key().run().summary();
    assert!(
        summary["error"]
            .as_str()
            .expect("a reason")
            .contains("BACKUP_SCOPE"),
        "{summary}"
    );
    key().with("BACKUP_SCOPE", "org").run().ended(0);
}

#[test]
fn a_refresh_token_revoked_in_mid_run_ends_the_pass_without_a_snapshot() {
    let portal = FakePortal::start_blocking(worlds::city());
    portal.add_fault(Fault::on("query", FaultKind::Slow(1000)).forever());
    let job = Job::against(&portal).with("BACKUP_METHOD", "query");
    let begun = Begun::of(&job).until("rows are asked for", |_| portal.count("query") > 0);
    portal.revoke_refresh();
    let run = begun.end();
    let summary = run.ended(10).summary();
    assert!(
        summary["error"]
            .as_str()
            .expect("a reason")
            .contains("ARCGIS_REFRESH_TOKEN")
    );
    let archive = job.archive();
    assert!(archive.stamps().is_empty() && archive.names("passes").is_empty());
    assert_eq!(archive.history()["exit"], 10);
}

#[test]
fn a_fresh_token_refused_again_and_again_fails_the_item_and_not_the_pass() {
    let portal = FakePortal::start_blocking(worlds::large_listing(5));
    let id = portal.edit(|world| world.titled("Map 3").id.clone());
    let refusal = FaultKind::ErrorInBody(json!({"code": 498, "message": "Invalid token."}));
    portal.add_fault(Fault::on("data", refusal).only(&id).forever());
    let job = Job::against(&portal);
    assert_eq!(job.run().ended(3).summary()["stored"], 4);
    let entry = job.archive().entry("Map 3");
    assert_eq!(
        (&entry["state"], &entry["error"]["stage"]),
        (&"missing".into(), &"data".into())
    );
    assert!(
        portal.count("token") <= 3,
        "no loop: {} tokens",
        portal.count("token")
    );
    assert!(
        portal
            .requests_to("data")
            .iter()
            .filter(|seen| seen.path.contains(&id))
            .count()
            <= 3
    );
}
