//! No exchange where it is not due, where the new token could not be kept, or where only questions are asked.

use serde_json::Value;

use super::{exchanges, kept, with_file};
use crate::support::portal::{CLIENT_ID, FakePortal, REFRESH_TOKEN};
use crate::support::run::{Job, Run};
use crate::support::worlds;

fn portal() -> FakePortal {
    FakePortal::start_blocking(worlds::small_office())
}

#[test]
fn a_token_with_more_than_half_of_its_life_is_left_alone() {
    let portal = portal();
    for (left, of) in [(46, 90), (13, 14), (8, 14)] {
        let (job, path) = kept(&portal, left, of);
        let before = std::fs::read(&path).expect("a file");
        warned(&job.run(), left);
        assert_eq!(std::fs::read(&path).expect("a file"), before);
    }
    assert_eq!(exchanges(&portal), 0);
}

/// Few days are warned of, with the remedy.
#[track_caller]
fn warned(run: &Run, left: i64) {
    let warned = run.ended(0).events("refresh token ends soon");
    assert_eq!(
        warned.len(),
        usize::from(left < 14),
        "{left}: {}",
        run.stdout
    );
    for line in warned {
        let remedy = line["remedy"].as_str().expect("text");
        assert!(remedy.contains("agol-backup login"), "{remedy}");
    }
    assert_eq!(run.summary()["token_days_left"], left);
    assert!(run.events("refresh token not renewed").is_empty());
}

#[test]
fn what_could_not_be_kept_is_not_asked_for_and_few_days_are_warned_of() {
    let portal = portal();
    for left in [14, 13, 0] {
        let (job, path) = kept(&portal, left, 90);
        let mut rights = path.metadata().expect("a file").permissions();
        rights.set_readonly(true);
        std::fs::set_permissions(&path, rights).expect("rights");
        warned(&job.run(), left);
        let content = std::fs::read_to_string(&path).expect("a file");
        let job = job.without("ARCGIS_REFRESH_TOKEN_FILE");
        warned(&job.with("ARCGIS_REFRESH_TOKEN", content).run(), left);
    }
    assert_eq!(exchanges(&portal), 0);
}

/// A file that is mounted by itself, as containers do it: it can be written, and not replaced.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_can_be_written_and_not_replaced_is_not_exchanged() {
    let portal = portal();
    let (job, path) = kept(&portal, 13, 90);
    let inside = "mount --bind \"$1\" \"$1\" && shift && exec \"$@\"";
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", inside, "sh"]);
    command.arg(&path).arg(env!("CARGO_BIN_EXE_agol-backup"));
    command.env_clear().envs(
        job.command()
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    #[expect(clippy::disallowed_methods, reason = "to find the commands")]
    command.env("PATH", std::env::var_os("PATH").expect("a path"));
    let run = Run::of(command.output().expect("unshare"));
    if run.stderr.contains("unshare") || run.stderr.contains("mount:") {
        return; // nobody may mount here
    }
    warned(&run, 13);
    assert_eq!(exchanges(&portal), 0);
}

#[test]
fn check_only_asks_and_warns() {
    let portal = portal();
    for content in [kept(&portal, 3, 90), with_file(&portal, REFRESH_TOKEN)] {
        let (job, path) = content;
        let before = std::fs::read(&path).expect("a file");
        let run = job.run_with(&["check", "--json"]);
        let report: Value = serde_json::from_str(&run.ended(0).stdout).expect("JSON");
        let warnings = report["warnings"].as_array().expect("warnings");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let remedy = warnings[0]["remedy"].as_str().expect("text");
        assert!(remedy.contains("agol-backup login"), "{remedy}");
        assert_eq!(std::fs::read(&path).expect("a file"), before);
        let folder = path.parent().expect("a folder");
        assert_eq!(folder.read_dir().expect("a folder").count(), 1);
    }
    assert_eq!(exchanges(&portal), 0);
}

#[test]
fn a_run_that_finds_its_destination_taken_asks_for_nothing() {
    let portal = portal();
    let (job, _) = kept(&portal, 1, 90);
    let marker = job.destination().join("passes");
    std::fs::create_dir_all(&marker).expect("a folder");
    std::fs::write(marker.join("20990101T000000Z.json"), "{}").expect("a marker");
    job.run().ended(11);
    assert_eq!(exchanges(&portal), 0);
}

#[test]
fn a_key_has_nothing_to_renew() {
    let portal = portal();
    let key = Job::bare()
        .with("ARCGIS_URL", portal.url())
        .with("ARCGIS_CLIENT_ID", CLIENT_ID)
        .with("ARCGIS_API_KEY", crate::support::portal::API_KEY);
    key.run().ended(0);
    assert_eq!(portal.count("token"), 0);
}
