//! The organisation's request units: a pass leaves a tenth of every minute to the people.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{IN_FLIGHT, arrivals, services};
use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Host, Units};
use crate::support::run::Job;
use crate::support::worlds;

fn metered(portal: &FakePortal, units: Units) {
    portal.edit(|world| world.settings.units = Some(units));
}

/// Somebody asks for so many units every 200 milliseconds until the pass has ended; how often, and how often in vain.
fn beside_a_person(portal: &FakePortal, cost: u64, pass: impl FnOnce()) -> (usize, usize) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let person = scope.spawn(|| {
            let (mut asked, mut refused) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                asked += 1;
                refused += usize::from(!portal.person_asks(cost));
                std::thread::sleep(Duration::from_millis(200));
            }
            (asked, refused)
        });
        pass();
        over.store(true, Ordering::Relaxed);
        person.join().expect("a person")
    })
}

/// A pass over that many services, beside a person who is never refused. The most of a minute that was used.
#[track_caller]
fn in_peace(portal: &FakePortal, services: usize, person: u64, concurrency: &str) -> f64 {
    let job = Job::against(portal)
        .with("BACKUP_METHOD", "query")
        .with("BACKUP_CONCURRENCY", concurrency);
    let (asked, refused) = beside_a_person(portal, person, || {
        let summary = job.run().ended(0).summary();
        assert_eq!(summary["stored"], services);
    });
    assert!(asked > 5 && refused == 0, "{refused} of {asked} refused");
    portal.peak_share()
}

/// An organisation of that many services that may use 1,000 units in so many seconds.
fn organisation(services: usize, minute: u64) -> FakePortal {
    let portal = FakePortal::start_blocking(worlds::services_with(services, 10));
    let units = Units {
        each: 1,
        minute: Duration::from_secs(minute),
        ..Units::used(0, 1_000)
    };
    metered(&portal, units);
    portal
}

#[test]
fn a_pass_over_500_services_leaves_a_tenth_of_every_minute_to_the_people() {
    let portal = organisation(500, 4);
    let peak = in_peace(&portal, 500, 1, "16");
    assert!(peak <= 0.9, "{peak} of the quota was used");
    assert!(peak > 0.5, "the quota was not put to use: {peak}");
}

#[test]
fn who_uses_half_of_every_minute_is_left_that_half() {
    let portal = organisation(80, 8);
    portal.edit(|world| world.settings.latency_ms = 60);
    let peak = in_peace(&portal, 80, 12, "12");
    assert!(peak > 0.5, "the quota was not put to use: {peak}");
}

#[test]
fn an_organisation_with_units_to_spare_is_read_at_full_speed() {
    let (portal, job) = services(4);
    metered(&portal, Units::used(8_000, 10_000));
    assert_eq!(job.run().ended(0).events("slowed down"), [Value::Null; 0]);
    assert!(portal.peak_in_flight() > 4);
}

#[test]
fn near_the_limit_requests_go_one_by_one() {
    let (portal, job) = services(4);
    portal.edit(|world| world.settings.latency_ms = 60);
    metered(&portal, Units::used(8_850, 10_000));
    job.run().ended(0);
    let seen = arrivals(&portal, Host::Services);
    assert!(seen.len() > 20, "{}", seen.len());
    let apart = seen.windows(2).map(|two| two[1].at - two[0].at);
    let least = apart.min().expect("several requests");
    assert!(
        least >= Duration::from_millis(60),
        "two were in flight together: {least:?}"
    );
}

#[test]
fn a_quota_that_is_nearly_gone_stops_the_pass() {
    let (portal, job) = services(4);
    metered(&portal, Units::used(9_500, 10_000));
    let begun = Begun::of(&job).until("it slows down", |begun| {
        begun.heard().contains("slowed down")
    });
    std::thread::sleep(IN_FLIGHT);
    let run = begun.told("TERM");
    let slowed = run.ended(143).events("slowed down").remove(0);
    let seconds = slowed["seconds"].as_u64().expect("a number");
    assert!((1..=61).contains(&seconds), "{slowed}");
    assert_eq!(slowed["share_of_quota"], json!(0.95));
    assert_eq!(
        slowed["host"],
        portal.services_url().trim_start_matches("http://")
    );
    let seen = arrivals(&portal, Host::Services);
    assert_eq!(seen.len(), 1, "the first answer stops all: {seen:#?}");
}

#[test]
fn a_quota_that_others_have_used_up_is_waited_for() {
    let (portal, job) = services(2);
    let minute = Duration::from_secs(2);
    let used_up = Units {
        minute,
        ..Units::used(9_990, 10_000)
    };
    metered(&portal, used_up);
    let asked = || arrivals(&portal, Host::Services);
    let begun = Begun::of(&job).until("it has waited twice", |_| asked().len() >= 3);
    let apart = asked()
        .windows(2)
        .all(|two| two[1].at - two[0].at > minute / 2);
    assert!(apart, "in every minute one asks whether there is room");
    let told = begun.heard().matches("slowed down").count();
    assert_eq!(told, 1, "all that time is one stop");
    metered(
        &portal,
        Units {
            usage: 0,
            ..used_up
        },
    );
    begun.end().ended(0);
    job.archive().assert_whole();
}
