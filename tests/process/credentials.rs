//! Credentials that are missing, doubled or in contradiction, and portals that must not get them.

use super::configuration::{all_refused, refused};
use crate::support::portal::{API_KEY, FakePortal, REFRESH_TOKEN};
use crate::support::run::Job;
use crate::support::worlds;

#[test]
fn a_credential_that_is_missing_is_named() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let without = |name| refused(&portal, &Job::against(&portal).without(name));
    let line = without("ARCGIS_REFRESH_TOKEN");
    for word in [
        "ARCGIS_REFRESH_TOKEN",
        "ARCGIS_API_KEY",
        "agol-backup login",
    ] {
        assert!(line.contains(word), "{line}");
    }
    let line = without("ARCGIS_CLIENT_ID");
    assert!(line.starts_with("ARCGIS_CLIENT_ID is missing"), "{line}");
}

#[test]
fn credentials_that_contradict_each_other_are_refused() {
    all_refused(&[
        (&["ARCGIS_REFRESH_TOKEN"], &[("ARCGIS_REFRESH_TOKEN", "")]),
        (
            &["ARCGIS_REFRESH_TOKEN"],
            &[("ARCGIS_REFRESH_TOKEN", " \t ")],
        ),
        (&["ARCGIS_CLIENT_ID"], &[("ARCGIS_CLIENT_ID", "")]),
        (
            &["ARCGIS_API_KEY", "ARCGIS_REFRESH_TOKEN"],
            &[("ARCGIS_API_KEY", "k")],
        ),
        (
            &["ARCGIS_REFRESH_TOKEN"],
            &[("ARCGIS_REFRESH_TOKEN", "{\"access_token\":1}")],
        ),
    ]);
}

#[test]
fn a_secrets_file_that_holds_none_is_refused() {
    let portal = FakePortal::start_blocking(worlds::empty());
    for (content, problem) in [(None, "cannot be read"), (Some("\n"), "empty")] {
        let job = Job::against(&portal).without("ARCGIS_REFRESH_TOKEN");
        let path = job.folder().join("token");
        if let Some(content) = content {
            std::fs::write(&path, content).expect("a file");
        }
        let line = refused(&portal, &job.with("ARCGIS_REFRESH_TOKEN_FILE", &path));
        assert!(line.starts_with("ARCGIS_REFRESH_TOKEN_FILE"), "{line}");
        assert!(line.contains(problem), "{line}");
    }
}

#[test]
fn a_secret_given_twice_is_refused_and_not_said() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = Job::against(&portal);
    let path = job.folder().join("key");
    std::fs::write(&path, API_KEY).expect("a file");
    let job = job
        .with("ARCGIS_API_KEY", API_KEY)
        .with("ARCGIS_API_KEY_FILE", &path);
    let line = refused(&portal, &job);
    assert!(line.contains("ARCGIS_API_KEY_FILE"), "{line}");
    assert!(
        !line.contains(API_KEY) && !line.contains(REFRESH_TOKEN),
        "{line}"
    );
}

#[test]
fn a_portal_address_that_tokens_must_not_travel_to_is_refused() {
    all_refused(&[
        (
            &["ARCGIS_URL", "https://"],
            &[("ARCGIS_URL", "city.maps.arcgis.com")],
        ),
        (
            &["ARCGIS_URL", "https://"],
            &[("ARCGIS_URL", "ftp://city.gov/portal")],
        ),
        (
            &["ARCGIS_URL", "plain http"],
            &[("ARCGIS_URL", "http://gis.city.gov/portal")],
        ),
        (
            &["ARCGIS_URL", "plain http"],
            &[("ARCGIS_URL", "http://127.0.0.1.city.gov")],
        ),
        (
            &["ARCGIS_URL", "user name"],
            &[("ARCGIS_URL", "https://anna:pass-word@city.gov")],
        ),
    ]);
}

#[test]
fn the_password_in_a_portal_address_is_not_said() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = Job::against(&portal).with("ARCGIS_URL", "https://anna:pass-word@city.gov");
    let line = refused(&portal, &job);
    assert!(!line.contains("pass-word"), "{line}");
}

#[test]
fn authorities_that_are_none_are_refused() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let broken = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----\n";
    for content in [
        None,
        Some("no certificate at all"),
        Some(""),
        Some(broken),
        Some(key),
    ] {
        let job = Job::against(&portal);
        let path = job.folder().join("ca.pem");
        if let Some(content) = content {
            std::fs::write(&path, content).expect("a file");
        }
        let line = refused(&portal, &job.with("ARCGIS_CA_FILE", &path));
        assert!(line.starts_with("ARCGIS_CA_FILE"), "{content:?}: {line}");
    }
}
