//! A receiver that is dead, slow, broken or elsewhere: told in a line, and no trouble of the pass.

use serde_json::Value;

use crate::support::receiver::{Manner, Receiver};
use crate::support::run::Run;

use super::{SECRET, ping_url, pinging, told_of_both};

/// The lines that say who was not told, by what and why.
fn not_told(run: &Run) -> Vec<(String, String)> {
    let text = |line: &Value, name: &str| line[name].as_str().expect("text").to_owned();
    let lines = run.events("not notified");
    lines
        .iter()
        .map(|line| (text(line, "by"), text(line, "reason")))
        .collect()
}

#[test]
fn nobody_there_is_told_and_changes_nothing() {
    let receiver = Receiver::start();
    let (_portal, mut job) = pinging(&receiver);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    job.set("BACKUP_PING_URL", format!("{nobody}/{SECRET}"));
    job.set("BACKUP_WEBHOOK_URL", format!("{nobody}/{SECRET}"));
    job.set("BACKUP_WEBHOOK_ON", "always");
    let run = job.run();
    let mut told = not_told(run.ended(0));
    told.sort();
    let by: Vec<&str> = told.iter().map(|(by, _)| by.as_str()).collect();
    assert_eq!(by, ["ping of the beginning", "ping of the end", "webhook"]);
    assert!(
        told.iter().all(|(_, why)| why.contains("refused")),
        "{told:?}"
    );
    assert!(!run.stdout.contains(SECRET) && job.archive().stamps().len() == 1);
    let counted =
        |line: &Value| line["elapsed_ms"].as_u64() == run.summary()["elapsed_ms"].as_u64();
    assert!(
        counted(&job.archive().history()),
        "telling others is not the pass' time"
    );
}

#[test]
fn what_breaks_once_is_tried_again() {
    let broken = [Manner::Answers(500, ""), Manner::Answers(429, "")];
    let receiver = Receiver::that(&broken, Manner::Answers(200, "OK"));
    let (_portal, mut job) = pinging(&receiver);
    job.set("BACKUP_WEBHOOK_URL", format!("{}/hook", receiver.url()));
    job = job
        .without("BACKUP_PING_URL")
        .with("BACKUP_WEBHOOK_ON", "always");
    let run = job.run();
    assert_eq!(not_told(run.ended(0)), []);
    assert_eq!(receiver.paths(), ["/hook"; 3]);
    let bodies = receiver.messages();
    assert!(
        bodies.iter().all(|one| one.body == bodies[0].body),
        "the same each time"
    );
}

#[test]
fn what_is_broken_for_ever_is_tried_five_times() {
    let receiver = Receiver::that(&[], Manner::Answers(500, "sorry"));
    let (_portal, job) = pinging(&receiver);
    let run = job.run();
    let told = not_told(run.ended(0));
    assert!(told.iter().all(|(_, why)| why.contains("500")), "{told:?}");
    let ends = |path: &&String| path.ends_with("/0");
    assert_eq!(receiver.paths().iter().filter(ends).count(), 5);
}

#[test]
fn a_refusal_is_not_tried_again_and_a_redirect_not_followed() {
    for (manner, word) in [
        (Manner::Answers(404, ""), "404"),
        (Manner::Answers(410, ""), "410"),
        (Manner::Answers(200, "OK (not found)"), "not found"),
        (Manner::Redirects, "redirect"),
    ] {
        let receiver = Receiver::that(&[], manner);
        let (_portal, job) = pinging(&receiver);
        let run = job.run();
        let told = not_told(run.ended(0));
        assert_eq!(told.len(), 2, "{manner:?}: {told:?}");
        assert!(told.iter().all(|(_, why)| why.contains(word)), "{told:?}");
        told_of_both(&receiver, 0);
    }
}

#[test]
fn a_slow_beginning_holds_nothing_up_and_is_not_overtaken() {
    let receiver = Receiver::that(&[Manner::Silent], Manner::Answers(200, "OK"));
    let (_portal, job) = pinging(&receiver);
    let run = job.run();
    let told = not_told(run.ended(0));
    assert!(
        told.len() == 1 && told[0].1.contains("10 seconds"),
        "{told:?}"
    );
    told_of_both(&receiver, 0);
    let names: Vec<Value> = run
        .lines()
        .iter()
        .map(|line| line["message"].clone())
        .collect();
    let place = |name: &str| names.iter().position(|own| own == name).expect(name);
    assert!(
        place("snapshot committed") < place("not notified"),
        "{names:?}"
    );
    assert!(
        place("not notified") < place("notified"),
        "the end waits: {names:?}"
    );
}

#[cfg(unix)]
mod signals {
    use super::*;
    use crate::support::begun::Begun;
    use crate::support::portal::{Fault, FaultKind};

    /// Whoever sends the signal waits for some seconds only, and then kills.
    #[test]
    fn a_pass_that_is_told_to_stop_waits_five_seconds_at_most_for_who_is_silent() {
        let receiver = Receiver::that(&[], Manner::Silent);
        let (portal, job) = pinging(&receiver);
        let job = job.with("BACKUP_WEBHOOK_URL", receiver.url());
        portal.add_fault(Fault::on("data", FaultKind::Hang).forever());
        let begun = Begun::of(&job).until("items are read", |_| portal.count("data") > 0);
        let run = begun.told("TERM");
        let told = not_told(run.ended(143));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told.iter()
                .any(|(by, why)| by == "webhook" && why == "no answer in time"),
            "{told:?}"
        );
        assert!(
            told.iter()
                .any(|(by, why)| by == "ping of the end" && why == "no answer in time"),
            "{told:?}"
        );
        assert_eq!(
            run.lines().pop().expect("lines")["message"],
            "pass finished"
        );
    }

    #[test]
    fn a_signal_while_others_are_told_ends_the_waiting_and_changes_no_outcome() {
        let receiver = Receiver::that(&[], Manner::Silent);
        let (_portal, job) = pinging(&receiver);
        let job = job.without("BACKUP_PING_URL");
        let job = job
            .with("BACKUP_WEBHOOK_URL", ping_url(&receiver))
            .with("BACKUP_WEBHOOK_ON", "always");
        let begun = Begun::of(&job).until("it is told", |_| !receiver.paths().is_empty());
        let run = begun.told("TERM");
        assert_eq!(run.ended(0).events("not notified").len(), 1);
        assert_eq!(run.summary()["outcome"], "complete");
        assert_eq!(receiver.paths().len(), 1, "it is not tried again");
    }
}
