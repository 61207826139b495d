//! The organisation's people come first: a host that asks for a pause gets it from everybody at once, the
//! quota is never used up, and no more requests are in flight than were allowed.

mod quota;

use std::time::Duration;

use serde_json::json;

use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind, Host, Seen};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// What was in flight when a pause was asked for may still arrive for so long.
const IN_FLIGHT: Duration = Duration::from_millis(1500);

/// A pass by query over that many services, on a portal that takes its time.
fn services(count: usize) -> (FakePortal, Job) {
    let mut world = worlds::many_services(count);
    world.settings.latency_ms = 20;
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal).with("BACKUP_METHOD", "query");
    (portal, job)
}

/// The requests to a host, in the order of their arrival.
fn arrivals(portal: &FakePortal, host: Host) -> Vec<Seen> {
    let mut seen = portal.requests();
    seen.retain(|seen| seen.host == host);
    seen.sort_by_key(|seen| seen.at);
    seen
}

/// Nobody came to that host from the request that was told to wait until the pause was over; then they did.
#[track_caller]
fn left_alone(portal: &FakePortal, host: Host, (route, nth): (&str, usize), seconds: u64) {
    let seen = arrivals(portal, host);
    let told = seen.iter().filter(|seen| seen.route == route).nth(nth);
    let told = told.expect("the faulted request").at;
    let over = told + Duration::from_secs(seconds);
    let came = seen.iter().filter(|seen| told + IN_FLIGHT < seen.at);
    let came: Vec<&Seen> = came.collect();
    assert!(came.len() > 10, "hardly anything was left to do");
    assert!(came[0].at >= over, "{:#?}", came[0]);
}

/// The host was left alone once, for so many seconds; the lines that tell it.
#[track_caller]
fn paused(run: &Run, address: &str, seconds: u64) {
    let slowed = run.ended(0).events("slowed down");
    let host = address.trim_start_matches("http://");
    let told: Vec<_> = slowed
        .iter()
        .map(|line| (&line["host"], &line["seconds"]))
        .collect();
    assert_eq!(told, [(&json!(host), &json!(seconds))]);
    let retried = run.events("request retried").remove(0);
    assert_eq!(
        (&retried["wait_ms"], &retried["attempt"]),
        (&json!(seconds * 1000), &json!(1))
    );
}

#[test]
fn a_service_that_is_asked_too_much_is_left_alone_by_all() {
    let (portal, job) = services(12);
    portal.add_fault(Fault::on("query", FaultKind::Throttle429InBody(3)).skip(2));
    paused(&job.run(), &portal.services_url(), 3);
    left_alone(&portal, Host::Services, ("query", 2), 3);
    job.archive().assert_whole();
}

#[test]
fn a_portal_that_tells_a_time_in_its_header_is_left_alone_by_all() {
    let mut world = worlds::large_listing(40);
    world.settings.latency_ms = 20;
    let portal = FakePortal::start_blocking(world);
    portal.add_fault(Fault::on("user_item", FaultKind::Status(429, Some(3))).skip(5));
    let job = Job::against(&portal);
    paused(&job.run(), &portal.url(), 3);
    left_alone(&portal, Host::Portal, ("user_item", 5), 3);
}

#[test]
fn a_pause_of_one_host_is_none_of_the_others() {
    let (mut world, maps) = (worlds::many_services(2), worlds::large_listing(30));
    world.folders.extend(maps.folders);
    world.items.extend(maps.items);
    let portal = FakePortal::start_blocking(world);
    portal.add_fault(Fault::on("layers", FaultKind::Throttle429InBody(3)));
    let job = Job::against(&portal).with("BACKUP_METHOD", "query");
    paused(&job.run(), &portal.services_url(), 3);
    left_alone(&portal, Host::Services, ("layers", 0), 3);
    let asked = portal.requests_to("layers").remove(0).at;
    let meanwhile = asked + Duration::from_secs(3);
    let maps = portal.requests_to("data").into_iter();
    let maps = maps.filter(|seen| seen.at < meanwhile).count();
    assert!(maps >= 30, "only {maps} maps were read meanwhile");
}

#[test]
fn pauses_are_no_failures_however_often_they_are_asked_for() {
    let portal = FakePortal::start_blocking(worlds::large_listing(1));
    portal.add_fault(Fault::on("data", FaultKind::Throttle429InBody(1)).times(7));
    let run = Job::against(&portal).run();
    assert_eq!(run.ended(0).events("request retried").len(), 7);
    assert_eq!(portal.count("data"), 8);
}

#[test]
fn no_more_requests_are_in_flight_than_allowed() {
    for (allowed, settings) in [(3, Some("3")), (1, Some("1")), (8, None)] {
        let (portal, mut job) = services(8);
        if let Some(settings) = settings {
            job.set("BACKUP_CONCURRENCY", settings);
        }
        job.run().ended(0);
        let peak = portal.peak_in_flight();
        assert!(peak <= allowed, "{peak} of {allowed} were in flight");
        assert!(
            peak > allowed / 2,
            "only {peak} of {allowed} were in flight"
        );
    }
}

#[test]
fn a_host_that_tells_no_time_is_left_alone_for_a_minute() {
    let (portal, job) = services(4);
    let speechless = json!({"code": 429, "message": "Slow down."});
    portal.add_fault(Fault::on("layers", FaultKind::ErrorInBody(speechless)).forever());
    let begun = Begun::of(&job).until("it slows down", |begun| {
        begun.heard().contains("slowed down")
    });
    std::thread::sleep(IN_FLIGHT);
    let run = begun.told("TERM");
    let slowed = run.ended(143).events("slowed down").remove(0);
    assert_eq!(slowed["seconds"], 60);
    assert!(portal.count("layers") <= 4, "nobody asks again");
}
