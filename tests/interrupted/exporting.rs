//! A signal while exports are under way: every temporary item is gone when the process is, whatever the portal
//! does meanwhile. A pass that cleans up ends after ten seconds, so what is gone at its end went within these.

use std::time::Duration;

use super::ended_in_order;
use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind, Item, Seen, now};
use crate::support::run::Job;
use crate::support::worlds;

/// That many exports under way, one for each service, all of them stuck.
fn stuck(exports: usize) -> (FakePortal, Job, Begun) {
    let portal = FakePortal::start_blocking(worlds::many_services(exports));
    portal.add_fault(Fault::on("export", FaultKind::ExportStuck).forever());
    let job = Job::against(&portal)
        .with("BACKUP_METHOD", "export")
        .with("BACKUP_CONCURRENCY", exports.to_string());
    let begun = Begun::of(&job).until("all are polled", |_| {
        let polled = portal.requests_to("status").into_iter();
        let polled: std::collections::BTreeSet<String> = polled.map(|seen| seen.path).collect();
        polled.len() == exports
    });
    (portal, job, begun)
}

/// All went by their ids.
#[track_caller]
fn all_removed(portal: &FakePortal, exports: usize) {
    let (mut made, mut deleted) = (portal.exports_created(), portal.deleted());
    made.sort();
    deleted.sort();
    assert_eq!((made.len(), &deleted), (exports, &made));
}

#[test]
fn a_host_that_asked_for_a_pause_is_not_waited_for() {
    let (portal, job, begun) = stuck(3);
    portal.add_fault(Fault::on("status", FaultKind::Throttle429InBody(600)).forever());
    let begun = begun.until("the host is paused", |begun| {
        begun.heard().contains("slowed down")
    });
    ended_in_order(&begun.told("TERM"), 143, &portal, &job);
    all_removed(&portal, 3);
}

#[test]
fn a_host_that_asks_for_a_pause_now_is_asked_again() {
    let (portal, job, begun) = stuck(3);
    portal.add_fault(Fault::on("delete", FaultKind::Throttle429InBody(600)).times(3));
    ended_in_order(&begun.told("TERM"), 143, &portal, &job);
    all_removed(&portal, 3);
}

#[test]
fn a_token_that_has_expired_meanwhile_is_renewed() {
    let (portal, job, begun) = stuck(3);
    portal.expire_tokens();
    ended_in_order(&begun.told("INT"), 130, &portal, &job);
    all_removed(&portal, 3);
}

#[test]
fn a_deletion_that_fails_is_asked_for_again() {
    for failure in [
        FaultKind::DeleteFails,
        FaultKind::Status(502, None),
        FaultKind::Hang,
        FaultKind::TimeoutAfterActing,
    ] {
        let (portal, job, begun) = stuck(2);
        portal.add_fault(Fault::on("delete", failure).times(2));
        ended_in_order(&begun.told("TERM"), 143, &portal, &job);
        all_removed(&portal, 2);
    }
}

#[test]
fn forty_exports_go_at_once_from_a_portal_that_takes_two_seconds_for_each_answer() {
    let (portal, job, begun) = stuck(40);
    portal.edit(|world| world.settings.latency_ms = 2_000);
    ended_in_order(&begun.told("TERM"), 143, &portal, &job);
    all_removed(&portal, 40);
}

#[test]
fn a_second_signal_changes_nothing() {
    let (portal, job, mut begun) = stuck(5);
    portal.edit(|world| world.settings.latency_ms = 1_000);
    begun.tell("TERM");
    let mut begun = begun.until("it cleans up", |_| portal.count("delete") > 0);
    begun.tell("INT");
    ended_in_order(&begun.told("TERM"), 143, &portal, &job);
    all_removed(&portal, 5);
}

/// What the portal makes of an export whose question it took, and never answered.
fn made_late(asked: &Seen) -> Item {
    let mut item = Item::new("GeoJson", &asked.params["title"]);
    item.tags = vec![asked.params["tags"].clone()];
    item.created = now();
    item
}

#[test]
fn an_item_that_appears_after_the_signal_is_found_and_removed() {
    let portal = FakePortal::start_blocking(worlds::one_layer(worlds::notes(5)));
    portal.add_fault(Fault::on("export", FaultKind::Hang));
    let job = Job::against(&portal).with("BACKUP_METHOD", "export");
    let mut begun = Begun::of(&job).until("it asks", |_| portal.count("export") == 1);
    begun.tell("TERM");
    std::thread::sleep(Duration::from_secs(2));
    let late = made_late(&portal.requests_to("export").remove(0));
    let late = portal.adopt_export(late);
    ended_in_order(&begun.end(), 143, &portal, &job);
    assert_eq!(portal.deleted(), [late]);
}

#[test]
fn an_export_stays_within_its_time_while_the_host_is_throttled_and_the_token_expires() {
    let portal = FakePortal::start_blocking(worlds::one_layer(worlds::notes(5)));
    portal.add_fault(Fault::on("export", FaultKind::ExportStuck).forever());
    portal.add_fault(Fault::on("status", FaultKind::ExpireTokens));
    portal.add_fault(
        Fault::on("status", FaultKind::Throttle429InBody(4))
            .skip(1)
            .forever(),
    );
    let job = Job::against(&portal)
        .with("BACKUP_METHOD", "export")
        .with("BACKUP_EXPORT_TIMEOUT", "6s");
    job.run().ended(3);
    let asked = portal.count("status");
    assert!(asked <= 5, "asked {asked} times, four seconds apart");
    let error = job.archive().entry("Notes")["error"].clone();
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("BACKUP_EXPORT_TIMEOUT"), "{message}");
    assert_eq!(error["stage"], "export");
    assert_eq!(portal.exports_left(), [""; 0]);
    assert_eq!(portal.recycle_bin(), [""; 0]);
}
