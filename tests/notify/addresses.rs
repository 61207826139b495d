//! The addresses are keys: wrong ones are refused, and none is ever said.

use crate::support::portal::FakePortal;
use crate::support::receiver::{Manner, Receiver};
use crate::support::run::{Archive, Job};
use crate::support::worlds;

use super::{SECRET, ping_url, pinging};

#[test]
fn what_is_no_address_is_refused_without_being_repeated() {
    for (name, wrong) in [
        ("BACKUP_PING_URL", "hc-ping.com/secret-check"),
        ("BACKUP_PING_URL", "secret-check"),
        ("BACKUP_WEBHOOK_URL", "ftp://host/secret-check"),
        ("BACKUP_WEBHOOK_URL", "data:secret-check"),
    ] {
        let run = Job::bare()
            .with("ARCGIS_API_KEY", "k")
            .with(name, wrong)
            .run();
        let error = run.ended(2).summary()["error"].clone();
        let error = error.as_str().expect("a reason");
        assert!(
            error.starts_with(name) && error.contains("https://"),
            "{error}"
        );
        assert!(!run.stdout.contains("secret-check"), "{}", run.stdout);
    }
}

#[test]
fn a_wish_without_an_address_and_an_unknown_wish_are_refused() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = Job::against(&portal).with("BACKUP_WEBHOOK_ON", "always");
    let error = job.run().ended(2).summary()["error"].to_string();
    assert!(error.contains("BACKUP_WEBHOOK_URL is not"), "{error}");
    let job = job
        .with("BACKUP_WEBHOOK_URL", "https://127.0.0.1:1/x")
        .with("BACKUP_WEBHOOK_ON", "success");
    let error = job.run().ended(2).summary()["error"].to_string();
    assert!(error.contains("one of failure, always"), "{error}");
}

#[test]
fn the_addresses_can_lie_in_files() {
    let receiver = Receiver::start();
    let (_portal, job) = pinging(&receiver);
    let files = ["ping", "hook"].map(|name| job.folder().join(name));
    std::fs::write(&files[0], ping_url(&receiver) + "\n").expect("a file");
    std::fs::write(&files[1], receiver.url() + "/hook\n").expect("a file");
    let job = job
        .without("BACKUP_PING_URL")
        .with("BACKUP_PING_URL_FILE", &files[0])
        .with("BACKUP_WEBHOOK_URL_FILE", &files[1])
        .with("BACKUP_WEBHOOK_ON", "always");
    job.run().ended(0);
    let mut paths = receiver.paths();
    paths.sort();
    let ping = format!("/ping/{SECRET}");
    assert_eq!(
        paths,
        [
            "/hook".to_owned(),
            format!("{ping}/0"),
            format!("{ping}/start")
        ]
    );
}

/// Every manner of a receiver, and a run that tells everything it does.
#[test]
fn an_address_is_in_no_line_and_in_no_file() {
    let manners = [
        Manner::Answers(200, "OK"),
        Manner::Answers(200, "OK (not found)"),
        Manner::Answers(404, "nobody here"),
        Manner::Redirects,
    ];
    for manner in manners {
        let receiver = Receiver::that(&[], manner);
        let (_portal, job) = pinging(&receiver);
        let summary = job.folder().join("summary.json");
        let job = job
            .with("BACKUP_WEBHOOK_URL", ping_url(&receiver))
            .with("BACKUP_WEBHOOK_ON", "always")
            .with("BACKUP_SUMMARY_FILE", summary)
            .with("RUST_LOG", "trace");
        let run = job.run();
        assert!(run.ended(0).stdout.contains("TRACE"), "it tells everything");
        assert_eq!(
            receiver.messages().len(),
            3,
            "all were tried, once: {manner:?}"
        );
        let written = Archive {
            root: job.folder().to_owned(),
        };
        let mut texts = vec![run.stdout.into_bytes(), run.stderr.into_bytes()];
        texts.extend(written.files().iter().map(|path| written.bytes(path)));
        for text in texts {
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(SECRET), "{manner:?}: {text}");
        }
    }
}
