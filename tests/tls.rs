//! Whom the program believes to be the portal: certificates of known authorities, and of those in
//! `ARCGIS_CA_FILE`. What is wrong with a certificate is never worked around.

use crate::support::portal::{Data, FakePortal, Item};
use crate::support::run::{Job, Run};
use crate::support::tls::{Front, file};
use crate::support::worlds;

/// Two maps and a file, all from the portal's own address.
fn maps() -> FakePortal {
    let mut world = worlds::large_listing(2);
    world.settings.files_inline = true;
    let mut plan = Item::new("PDF", "Plan");
    plan.data = Data::File {
        media: "application/pdf",
        bytes: worlds::pdf("Plan"),
    };
    world.add_item(plan);
    FakePortal::start_blocking(world)
}

fn job(portal: &FakePortal, front: &Front) -> Job {
    Job::against(portal).with("ARCGIS_URL", front.url())
}

/// The run could not begin; why.
#[track_caller]
fn refused(run: &Run) -> String {
    let summary = run.ended(12).summary();
    assert!(run.events("request retried").is_empty(), "it is final");
    summary["error"].as_str().expect("a reason").to_owned()
}

#[test]
fn an_unknown_authority_is_refused_and_the_remedy_named() {
    let portal = maps();
    let front = Front::of("server.pem", &portal.url());
    let why = refused(&job(&portal, &front).run());
    assert!(why.contains("ARCGIS_CA_FILE"), "{why}");
    assert_eq!(portal.count("*"), 0, "not a word is said to it");
}

#[test]
fn an_authority_in_the_file_is_believed() {
    let portal = maps();
    let front = Front::of("server.pem", &portal.url());
    let job = job(&portal, &front).with("ARCGIS_CA_FILE", file("authority.pem"));
    job.run().ended(0);
    job.archive().assert_whole();
    assert_eq!(job.archive().snapshot()["complete"], true);
}

#[test]
fn an_expired_a_foreign_and_a_self_signed_certificate_are_refused_all_the_same() {
    for (certificate, words) in [
        ("expired.pem", "expired"),
        ("other-name.pem", "gis.example.org"),
        ("self-signed.pem", "invalid peer certificate"),
    ] {
        let portal = maps();
        let front = Front::of(certificate, &portal.url());
        let job = job(&portal, &front).with("ARCGIS_CA_FILE", file("authority.pem"));
        let why = refused(&job.run());
        assert!(why.contains(words), "{certificate}: {why}");
        assert_eq!(portal.count("*"), 0, "not a word is said to it");
    }
}

#[test]
fn a_redirect_away_from_https_is_not_followed() {
    let portal = maps();
    portal.edit(|world| world.settings.files_inline = false);
    let front = Front::of("server.pem", &portal.url());
    let job = job(&portal, &front).with("ARCGIS_CA_FILE", file("authority.pem"));
    job.run().ended(3);
    let error = job.archive().entry("Plan")["error"].clone();
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("away from https"), "{message}");
    assert_eq!(portal.count("blob"), 0);
}
