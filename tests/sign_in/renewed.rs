//! An access token that ends in mid-run is renewed: once for all who wait, and nothing is lost by it.

use crate::support::portal::{FakePortal, Fault, FaultKind, ORG, Reply};
use crate::support::run::Job;
use crate::support::worlds;

/// A pass by this method over items of these types.
fn pass(portal: &FakePortal, method: &str, types: &str) -> Job {
    let job = Job::against(portal).with("BACKUP_METHOD", method);
    let job = job.with("BACKUP_ITEM_TYPES", types);
    job.run().ended(0);
    job.archive().assert_whole();
    job
}

/// All tokens end on the first request of each route, in a pass of its own; nothing is missing by it.
#[track_caller]
fn ends_on(method: &str, types: &str, (routes, only): (&[&str], &str)) {
    let mut world = worlds::city();
    world.settings.export_polls = 0;
    let portal = FakePortal::start_blocking(world);
    let untroubled = pass(&portal, method, types).archive().contents();
    for route in routes {
        portal.reset_log();
        portal.add_fault(Fault::on(route, FaultKind::ExpireTokens).only(only));
        let troubled = pass(&portal, method, types).archive().contents();
        assert_eq!(troubled, untroubled, "{route}");
        assert_eq!(
            portal.count("token"),
            2,
            "{route}: one at the start, one for all"
        );
    }
    assert!(portal.exports_left().is_empty() && portal.recycle_bin().is_empty());
}

#[test]
fn a_token_may_end_at_any_request_for_an_item() {
    let parts = [
        "user_item",
        "data",
        "resources",
        "resource",
        "thumbnail",
        "metadata",
        "related",
    ];
    let routes = [&["self", "user_content"][..], &parts].concat();
    ends_on(
        "query",
        "Web Map,PDF,Dashboard",
        (&routes, "/sharing/rest/"),
    );
}

#[test]
fn a_token_may_end_at_any_request_to_a_service() {
    let rows = ["service", "layers", "layer", "sources", "count", "query"];
    let routes = [&rows[..], &["query_attachments", "attachment"]].concat();
    ends_on("query", "Feature Service", (&routes, ORG)); // nobody else knows our tokens
}

#[test]
fn a_token_may_end_at_any_request_of_an_export() {
    let routes = ["export", "status", "delete"];
    ends_on("export", "Feature Service", (&routes, "/sharing/rest/"));
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    let mut world = worlds::city();
    world.settings.access_token_seconds = 2;
    let portal = FakePortal::start_blocking(world);
    let untroubled = pass(&portal, "query", "").archive().contents();
    portal.edit(|world| world.settings.latency_ms = 100);
    portal.reset_log();
    assert_eq!(pass(&portal, "query", "").archive().contents(), untroubled);
    assert!(
        portal.count("token") >= 2,
        "the pass outlives its first token"
    );
}

#[test]
fn requests_that_meet_an_ended_token_together_share_one_renewal() {
    let portal = FakePortal::start_blocking(worlds::many_services(12));
    let together = Fault::on("*", FaultKind::Slow(1000)).skip(3).times(10);
    portal.add_fault(together);
    portal.add_fault(Fault::on("*", FaultKind::ExpireTokens).skip(12));
    let job = Job::against(&portal).with("BACKUP_CONCURRENCY", "10");
    job.run().ended(0);
    let seen = portal.requests();
    assert_eq!(
        seen[12].in_flight, 10,
        "ten are in flight when the token ends"
    );
    assert_eq!(portal.count("token"), 2, "one at the start, one for all");
}

#[test]
fn a_gateways_page_in_place_of_a_token_is_no_refusal() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    portal.add_fault(Fault::on("token", FaultKind::Html(502)));
    let run = Job::against(&portal).run();
    assert_eq!(run.ended(0).events("request retried").len(), 1);
    assert_eq!(portal.count("token"), 2);
}

#[test]
fn a_garbled_answer_in_place_of_a_token_is_no_refusal() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let garbled = FaultKind::custom(|_| Reply::json_text("{\"access_token\": \"a".to_owned()));
    portal.add_fault(Fault::on("token", garbled));
    let run = Job::against(&portal).run();
    assert!(matches!(run.code, 0 | 12), "{}", run.stdout);
}
