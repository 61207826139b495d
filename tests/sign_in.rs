//! Signing in needs one refresh token or one key; a token is renewed once for all who wait, goes only where
//! it belongs, and a refusal that a person must act on ends the run with 10 at once.

mod refused;
mod renewed;

use serde_json::{Value, json};

use crate::support::portal::{API_KEY, CLIENT_ID, FakePortal, Host, REFRESH_TOKEN, Seen};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// A job whose refresh token is in a file of this content; nothing else is told of it.
fn by_file(portal: &FakePortal, content: &str) -> Job {
    let job = Job::bare().with("ARCGIS_URL", portal.url());
    let path = job.folder().join("token");
    std::fs::write(&path, content).expect("a file");
    job.with("ARCGIS_REFRESH_TOKEN_FILE", path)
}

/// The same, where the file cannot be replaced: its token is not renewed.
fn by_read_only_file(portal: &FakePortal, content: &str) -> Job {
    let job = by_file(portal, content);
    let path = job.folder().join("token");
    let mut rights = path.metadata().expect("a file").permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(path, rights).expect("rights");
    job
}

/// What `login` writes.
fn token_file(days: i64) -> String {
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days + 1);
    let redirect = "urn:ietf:wg:oauth:2.0:oob";
    json!({"refresh_token": REFRESH_TOKEN, "expires_at": end, "client_id": CLIENT_ID, "redirect_uri": redirect})
        .to_string()
}

#[test]
fn every_way_to_sign_in_gives_the_same_archive() {
    let portal = FakePortal::start_blocking(worlds::city());
    let bare = format!("\n  {REFRESH_TOKEN}\r\n");
    let key = Job::bare().with("ARCGIS_URL", portal.url());
    let key_file = key.folder().join("key");
    std::fs::write(&key_file, format!("{API_KEY}\n")).expect("a file");
    let jobs = [
        Job::against(&portal),
        by_file(&portal, &bare).with("ARCGIS_CLIENT_ID", CLIENT_ID),
        by_file(&portal, &token_file(60)),
        Job::bare()
            .with("ARCGIS_URL", portal.url())
            .with("ARCGIS_API_KEY", API_KEY),
        key.with("ARCGIS_API_KEY_FILE", key_file),
    ];
    let archives = jobs.each_ref().map(|job| {
        job.run().ended(0);
        job.archive().assert_whole();
        job.archive().contents()
    });
    assert!(archives[0].len() > 60, "hardly anything is there");
    assert!(archives.windows(2).all(|two| two[0] == two[1]));
}

#[test]
fn a_portal_below_a_path_is_signed_in_to() {
    let mut world = worlds::large_listing(2);
    world.settings.enterprise = true;
    "/portal".clone_into(&mut world.settings.context);
    let portal = FakePortal::start_blocking(world);
    for tail in ["", "/", "/home", "/sharing/rest", "/home/index.html?tab=1"] {
        let job = Job::against(&portal);
        job.with("ARCGIS_URL", portal.url() + tail).run().ended(0);
    }
}

/// The days left in the closing line, the summary file and the line of the sign-in, and the warnings.
fn days_left(job: Job) -> ([Value; 3], usize) {
    let path = job.folder().join("summary.json");
    let job = job.with("BACKUP_SUMMARY_FILE", &path);
    let run = job.run();
    let summary: Value =
        serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    let lines = [
        run.ended(0).summary(),
        summary,
        run.events("signed in").remove(0),
    ];
    let warned = run.events("refresh token ends soon");
    assert!(
        warned
            .iter()
            .all(|line| line["level"] == "WARN" && line["remedy"].is_string())
    );
    (
        lines.map(|mut line| line["token_days_left"].take()),
        warned.len(),
    )
}

#[test]
fn the_days_that_a_refresh_token_has_left_are_told() {
    let portal = FakePortal::start_blocking(worlds::large_listing(1));
    for (days, warnings) in [(60, 0), (14, 0), (13, 1), (0, 1)] {
        let told = days_left(by_read_only_file(&portal, &token_file(days)));
        assert_eq!(
            told,
            ([(); 3].map(|()| json!(days)), warnings),
            "{days} days"
        );
    }
}

#[test]
fn days_that_nobody_knows_are_told_as_unknown() {
    let portal = FakePortal::start_blocking(worlds::large_listing(1));
    let bare = by_read_only_file(&portal, REFRESH_TOKEN).with("ARCGIS_CLIENT_ID", CLIENT_ID);
    let key = Job::bare()
        .with("ARCGIS_URL", portal.url())
        .with("ARCGIS_API_KEY", API_KEY);
    for job in [Job::against(&portal), bare, key] {
        assert_eq!(days_left(job), ([(); 3].map(|()| json!("unknown")), 0));
    }
}

/// The routes of the requests to a host, with a token or without.
fn routes(seen: &[Seen], host: Host, with_token: bool) -> Vec<&'static str> {
    let wanted = seen
        .iter()
        .filter(|seen| seen.host == host && seen.has_token == with_token);
    let mut routes: Vec<_> = wanted.map(|seen| seen.route).collect();
    routes.sort_unstable();
    routes.dedup();
    routes
}

#[test]
fn a_token_goes_to_the_portal_and_its_own_services_and_nowhere_else() {
    for method in ["query", "export"] {
        let portal = FakePortal::start_blocking(worlds::city());
        portal.edit(|world| world.settings.export_polls = 0);
        Job::against(&portal)
            .with("BACKUP_METHOD", method)
            .run()
            .ended(0);
        let seen = portal.requests();
        assert_eq!(routes(&seen, Host::Portal, false), ["token"], "{method}");
        assert_eq!(
            routes(&seen, Host::Services, false),
            ["rest_info"],
            "{method}"
        );
        for host in [Host::Blob, Host::Elsewhere] {
            assert_eq!(routes(&seen, host, true), [""; 0], "{method}");
            assert!(!routes(&seen, host, false).is_empty(), "{host:?} was asked");
        }
    }
}

#[test]
fn a_token_follows_no_redirect() {
    let portal = FakePortal::start_blocking(worlds::large_listing(1));
    refused::redirect_away(&portal);
    Job::against(&portal).run().ended(3);
    let there: Vec<Seen> = portal
        .requests()
        .into_iter()
        .filter(|seen| seen.host == Host::Elsewhere)
        .collect();
    assert_eq!(there.len(), 1, "it was followed");
    assert!(
        !there[0].has_token && there[0].referer.is_none(),
        "{:?}",
        there[0]
    );
}

/// The reason that a run gives for ending with 10 before it made anything.
#[track_caller]
fn turned_away(job: &Job, run: &Run) -> String {
    let summary = run.ended(10).summary();
    assert_eq!(summary["outcome"], "sign-in");
    assert!(job.archive().files().is_empty(), "nothing is written");
    summary["error"].as_str().expect("a reason").to_owned()
}
