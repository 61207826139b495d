//! A job with a file for its refresh token needs no person: the token is exchanged in time, never at the price of the
//! one there is, and whoever must act is told before.

mod at_once;
#[cfg(target_os = "linux")]
mod killed;
mod lost;
mod not_asked_for;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::portal::{CLIENT_ID, Catalogue, FakePortal, OUT_OF_BAND, REFRESH_TOKEN};
use crate::support::run::Job;
use crate::support::worlds;

const EXCHANGE: &str = "exchange_refresh_token";

/// A token file in a folder of its own, with so many of so many days left.
fn kept(portal: &FakePortal, left: i64, of: i64) -> (Job, PathBuf) {
    let now = jiff::Timestamp::now();
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let end = now + days(left) + jiff::SignedDuration::from_hours(1);
    let token = json!({"refresh_token": REFRESH_TOKEN, "expires_at": end, "issued_at": end - days(of),
                       "client_id": CLIENT_ID, "redirect_uri": OUT_OF_BAND});
    with_file(portal, &token.to_string())
}

fn with_file(portal: &FakePortal, content: &str) -> (Job, PathBuf) {
    let job = Job::bare()
        .with("ARCGIS_URL", portal.url())
        .with("ARCGIS_CLIENT_ID", CLIENT_ID);
    let folder = job
        .folder()
        .canonicalize()
        .expect("a folder")
        .join("tokens");
    std::fs::create_dir(&folder).expect("a folder");
    let path = folder.join("token.json");
    std::fs::write(&path, content).expect("a file");
    let job = job.with("ARCGIS_REFRESH_TOKEN_FILE", &path);
    (job, path)
}

/// The refresh token in a file, bare or not.
fn secret(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a file");
    match serde_json::from_str::<Value>(&text) {
        Ok(json) => json["refresh_token"].as_str().expect("text").to_owned(),
        Err(_) => text.trim().to_owned(),
    }
}

/// A line that tells of the life that the portal grants in an exchange: 90 days, less what has passed.
fn is_new(line: &Value) -> bool {
    matches!(line["token_days_left"].as_i64(), Some(89 | 90))
}

/// Nothing lies beside the file but its lock.
#[track_caller]
fn assert_tidy(path: &Path) {
    let folder = path.parent().expect("a folder");
    let mut names: Vec<_> = folder
        .read_dir()
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["token.json", "token.json.lock"]);
}

fn exchanges(portal: &FakePortal) -> usize {
    let asked = portal.requests_to("token").into_iter();
    asked
        .filter(|seen| seen.params["grant_type"] == EXCHANGE)
        .count()
}

/// Portals whose exchange lets the old token live on, and those where it ends at once.
fn both_kinds() -> [(bool, Catalogue); 2] {
    [false, true].map(|kills| {
        let mut world = worlds::small_office();
        world.settings.rotation_kills_old = kills;
        (kills, world)
    })
}

#[test]
fn a_token_past_half_of_its_life_is_exchanged_and_the_new_one_used() {
    for (kills, world) in both_kinds() {
        let portal = FakePortal::start_blocking(world);
        let (job, path) = kept(&portal, 40, 90);
        let run = job.run();
        assert_eq!(run.ended(0).events("signed in")[0]["token_days_left"], 40);
        let renewed = run.events("refresh token renewed");
        assert_eq!(renewed.len(), 1, "{kills}: {}", run.stdout);
        assert!(is_new(&renewed[0]), "{}", renewed[0]);
        assert!(is_new(&run.summary()), "of the token in force");
        assert!(run.events("refresh token ends soon").is_empty());
        let written: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
        assert_eq!(written["refresh_token"], "refresh-secret-2");
        assert_eq!(written["client_id"], CLIENT_ID);
        assert_eq!(written["redirect_uri"], OUT_OF_BAND);
        assert_tidy(&path);
        let asked: Vec<_> = portal
            .requests_to("token")
            .into_iter()
            .map(|seen| {
                (
                    seen.params["grant_type"].clone(),
                    seen.params["refresh_token"].clone(),
                )
            })
            .collect();
        let told = |kind: &str, token: &str| (kind.to_owned(), token.to_owned());
        let expected = [
            told("refresh_token", REFRESH_TOKEN),
            told(EXCHANGE, REFRESH_TOKEN),
            told("refresh_token", "refresh-secret-2"),
        ];
        assert_eq!(asked, expected);
        job.run().ended(0);
        assert_eq!(exchanges(&portal), 1, "its life is known now");
    }
}

/// A job that pauses for two weeks loses it, and its owner should know.
#[test]
fn a_renewed_token_that_lives_for_two_weeks_at_most_is_warned_of() {
    let mut world = worlds::small_office();
    world.settings.refresh_token_seconds = 14 * 86_400;
    let portal = FakePortal::start_blocking(world);
    let (job, _) = kept(&portal, 6, 14);
    let run = job.run();
    assert_eq!(run.ended(0).events("refresh token renewed").len(), 1);
    let warned = &run.events("refresh token ends soon")[0];
    assert_eq!(warned["token_days_left"], 13);
    let remedy = warned["remedy"].as_str().expect("text");
    assert!(remedy.contains("runs renew it"), "{remedy}");
}

#[test]
#[cfg(unix)]
fn a_renewed_file_can_be_read_by_whom_it_was() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    for (before, after) in [(0o600, 0o600), (0o640, 0o640), (0o644, 0o600)] {
        let portal = FakePortal::start_blocking(worlds::small_office());
        let (job, path) = kept(&portal, 1, 90);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(before)).expect("rights");
        let owner = path.metadata().expect("a file").uid();
        // Only root may give a file away.
        let given = owner == 0 && std::os::unix::fs::chown(&path, Some(4711), Some(4712)).is_ok();
        assert_eq!(job.run().ended(0).events("refresh token renewed").len(), 1);
        let rights = path.metadata().expect("a file");
        assert_eq!(rights.mode() & 0o777, after, "{before:o}");
        assert_eq!(rights.uid(), if given { 4711 } else { owner });
    }
}

#[test]
fn a_bare_token_is_exchanged_once_so_that_its_end_becomes_known() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let (job, path) = with_file(&portal, &format!("{REFRESH_TOKEN}\n"));
    assert!(is_new(&job.run().ended(0).summary()));
    assert_eq!(secret(&path), "refresh-secret-2");
    let job = job.without("ARCGIS_CLIENT_ID");
    assert!(is_new(&job.run().ended(0).summary()));
    assert_eq!(exchanges(&portal), 1);
}

#[test]
fn a_portal_that_tells_no_end_is_asked_only_once_a_week() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    portal.edit(|world| world.settings.tells_refresh_end = false);
    let (job, path) = with_file(&portal, REFRESH_TOKEN);
    for _ in 0..2 {
        assert_eq!(job.run().ended(0).summary()["token_days_left"], "unknown");
        assert_eq!(exchanges(&portal), 1);
    }
    let text = std::fs::read_to_string(&path).expect("a file");
    let mut token: Value = serde_json::from_str(&text).expect("JSON");
    token["issued_at"] = "2026-01-01T00:00:00Z".into();
    std::fs::write(&path, token.to_string()).expect("a file");
    job.run().ended(0);
    assert_eq!(exchanges(&portal), 2);
}

#[test]
fn a_linked_file_is_replaced_where_it_lies() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let (job, path) = kept(&portal, 1, 90);
    let link = job.folder().join("link.json");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    #[cfg(windows)]
    std::os::windows::fs::symlink_file(&path, &link).expect("a link");
    let job = job.with("ARCGIS_REFRESH_TOKEN_FILE", &link);
    job.run().ended(0);
    assert_eq!(secret(&path), "refresh-secret-2");
    assert!(link.is_symlink());
    assert_tidy(&path);
}
