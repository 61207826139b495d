//! Whoever wants to be told is told how a pass goes and ends, and can neither change that nor hold it up.

mod addresses;
mod message;
mod summary_file;
mod trouble;

use serde_json::Value;

use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::receiver::{Message, Receiver};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// What stands in every address, and may stand nowhere else.
const SECRET: &str = "8f1c5d2e-secret-check";

fn ping_url(receiver: &Receiver) -> String {
    format!("{}/ping/{SECRET}", receiver.url())
}

/// A small portal, and a job that pings.
fn pinging(receiver: &Receiver) -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let job = Job::against(&portal).with("BACKUP_PING_URL", ping_url(receiver));
    (portal, job)
}

/// A portal of which one item cannot be read.
fn with_a_failure() -> FakePortal {
    let portal = FakePortal::start_blocking(worlds::large_listing(3));
    let id = portal.edit(|world| world.titled("Map 1").id.clone());
    let forbidden = FaultKind::TextPlainError(403, "You do not have permissions.");
    portal.add_fault(Fault::on("data", forbidden).only(&id).forever());
    portal
}

/// The beginning and the end, with one run id.
#[track_caller]
fn told_of_both(receiver: &Receiver, code: i32) -> Vec<Message> {
    let messages = receiver.messages();
    let [start, end] = &messages[..] else {
        panic!("a beginning and an end: {messages:#?}");
    };
    let run = |message: &Message, what: &str| {
        let rest = message
            .address
            .strip_prefix(&format!("/ping/{SECRET}/{what}?rid="));
        rest.unwrap_or_else(|| panic!("{what}: {message:?}"))
            .to_owned()
    };
    let id = run(start, "start");
    assert_eq!(run(end, &code.to_string()), id);
    assert!(id.len() == 36 && id.chars().nth(14) == Some('4'), "{id}");
    assert_eq!((&start.method[..], &end.method[..]), ("POST", "POST"));
    assert_eq!(start.body, Value::Null);
    messages
}

/// Each member of the summary in the body is that of the closing line.
#[track_caller]
fn same_summary(body: &Value, run: &Run) {
    let line = run.summary();
    let members = body.as_object().expect("an object");
    assert!(members.len() >= 14, "{body:#}");
    for (name, value) in members {
        if !["started_at", "portal", "destination"].contains(&name.as_str()) {
            assert_eq!(*value, line[name], "{name}");
        }
    }
}

#[test]
fn a_ping_tells_the_beginning_and_the_end_with_the_summary() {
    let receiver = Receiver::start();
    let (_portal, job) = pinging(&receiver);
    let run = job.run();
    run.ended(0);
    let messages = told_of_both(&receiver, 0);
    assert_eq!(messages[1].media_type.as_deref(), Some("application/json"));
    same_summary(&messages[1].body, &run);
    let told = run.events("notified");
    let told: Vec<_> = told.iter().map(|line| line["by"].as_str()).collect();
    assert_eq!(
        told,
        [Some("ping of the beginning"), Some("ping of the end")]
    );
    let last = run.lines().pop().expect("lines");
    assert_eq!(
        last["message"], "pass finished",
        "the last word is the run's"
    );
}

#[test]
fn an_address_keeps_its_query() {
    let receiver = Receiver::start();
    let (_portal, mut job) = pinging(&receiver);
    job.set(
        "BACKUP_PING_URL",
        format!("{}?create=1", ping_url(&receiver)),
    );
    job.run().ended(0);
    for (message, what) in receiver.messages().iter().zip(["start", "0"]) {
        let begins = format!("/ping/{SECRET}/{what}?create=1&rid=");
        assert!(message.address.starts_with(&begins), "{message:?}");
    }
}

#[test]
fn a_ping_tells_of_a_partial_pass() {
    let receiver = Receiver::start();
    let portal = with_a_failure();
    let job = Job::against(&portal).with("BACKUP_PING_URL", ping_url(&receiver));
    let run = job.run();
    run.ended(3);
    same_summary(&told_of_both(&receiver, 3)[1].body, &run);
}

#[test]
fn a_ping_tells_of_a_pass_that_found_nothing_and_of_a_refused_sign_in() {
    for code in [4, 10] {
        let receiver = Receiver::start();
        let portal = FakePortal::start_blocking(worlds::empty());
        if code == 10 {
            portal.revoke_refresh();
        }
        let job = Job::against(&portal).with("BACKUP_PING_URL", ping_url(&receiver));
        let run = job.run();
        run.ended(code);
        same_summary(&told_of_both(&receiver, code)[1].body, &run);
    }
}

#[test]
fn a_ping_tells_of_a_destination_that_cannot_be_used() {
    let receiver = Receiver::start();
    let (_portal, mut job) = pinging(&receiver);
    let file = job.folder().join("a-file");
    std::fs::write(&file, "").expect("a file");
    job.set("BACKUP_DESTINATION", &file);
    let run = job.run();
    run.ended(13);
    let end = receiver.messages().pop().expect("an end");
    assert!(end.address.contains("/13?rid="), "{end:?}");
    same_summary(&end.body, &run);
}

#[test]
fn a_ping_tells_of_a_portal_that_cannot_be_read() {
    let receiver = Receiver::start();
    let (portal, job) = pinging(&receiver);
    let broken = FaultKind::TextPlainError(500, "Internal error");
    portal.add_fault(Fault::on("user_content", broken).forever());
    let run = job.run();
    run.ended(12);
    same_summary(&told_of_both(&receiver, 12)[1].body, &run);
}

#[cfg(unix)]
#[test]
fn a_ping_tells_of_a_locked_destination_and_of_a_pass_that_was_told_to_stop() {
    use crate::support::begun::Begun;
    let receiver = Receiver::start();
    let (portal, mut job) = pinging(&receiver);
    portal.add_fault(Fault::on("data", FaultKind::Hang).forever());
    let first = Begun::of(&job).until("items are read", |_| portal.count("data") > 0);
    let other = Receiver::start();
    job.set("BACKUP_PING_URL", ping_url(&other));
    job.run().ended(11);
    told_of_both(&other, 11);
    let run = first.told("TERM");
    run.ended(143);
    same_summary(&told_of_both(&receiver, 143)[1].body, &run);
}

#[test]
fn a_wrong_setting_contacts_nobody() {
    let receiver = Receiver::start();
    let (_portal, job) = pinging(&receiver);
    let job = job.with("BACKUP_WEBHOOK_URL", receiver.url());
    let ca = job.folder().join("ca.pem");
    std::fs::write(&ca, "no certificate").expect("a file");
    let wrong = [
        ("BACKUP_CONCURRENCY", "many".into()),
        ("ARCGIS_CA_FILE", ca.into_os_string()),
        ("RUST_LOG", "loud=very=much".into()),
    ];
    let mut job = job;
    for (name, value) in wrong {
        job.set(name, value);
        job.run().ended(2);
        job = job.without(name);
    }
    assert_eq!(receiver.paths(), [""; 0]);
}
