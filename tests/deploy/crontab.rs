//! The crontab's line, run as cron runs it: by `sh -c`, with next to nothing in the environment.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::architecture::source::read;
use crate::support::portal::{CLIENT_ID, FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::worlds;

#[test]
fn cron_has_nothing_to_mail_after_a_complete_backup_and_its_log_is_kept() {
    let portal = FakePortal::start_blocking(worlds::city());
    let home = home(&portal.url());
    let night = run(home.path());
    assert_eq!(mail(&night), "");
    let log = fs::read_to_string(home.path().join("agol-backup.log")).expect("a log");
    assert!(log.contains(r#""outcome":"complete""#), "{log}");
    assert!(home.path().join("archive/snapshots").is_dir());
}

#[test]
fn cron_mails_what_failed_and_nothing_else() {
    let portal = FakePortal::start_blocking(worlds::city());
    let id = portal.edit(|world| world.titled("Annual report").id.clone());
    let refusal = FaultKind::ErrorInBody(json!({"code": 403, "message": "Not for you."}));
    portal.add_fault(Fault::on("data", refusal).only(&id).forever());
    let home = home(&portal.url());
    let mail = mail(&run(home.path()));
    assert!(
        mail.contains("item failed") && mail.contains(r#""exit":3"#),
        "{mail}"
    );
    assert!(!mail.contains(r#""level":"INFO""#), "{mail}");
}

#[test]
fn cron_mails_when_the_settings_are_wrong_or_the_program_is_not_there() {
    let home = home("http://127.0.0.1:1");
    let settings = home.path().join("agol-backup.env");
    let good = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, good.replace("=mine", "=everything")).expect("settings");
    assert!(mail(&run(home.path())).contains("BACKUP_SCOPE"));
    let gone = shell(
        home.path(),
        &line().replace(INSTALLED, "/nowhere/agol-backup"),
    );
    assert!(mail(&gone).contains("/nowhere/agol-backup"));
    fs::remove_file(settings).expect("settings");
    assert!(mail(&run(home.path())).contains("agol-backup.env"));
}

const INSTALLED: &str = "/usr/local/bin/agol-backup";

/// A home folder with the recipe's settings, changed where a user would.
fn home(portal: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name).display().to_string();
    let settings = read("deploy/agol-backup.env")
        .replace("https://www.arcgis.com", portal)
        .replace("replace-me", CLIENT_ID)
        .replace("/var/lib/agol-backup/token.json", &at("token.json"))
        .replace("/srv/agol-backup", &at("archive"));
    fs::write(home.path().join("agol-backup.env"), settings).expect("settings");
    fs::write(home.path().join("token.json"), REFRESH_TOKEN).expect("a token");
    home
}

/// The command of the crontab.
fn line() -> String {
    let crontab = read("deploy/crontab");
    let line = crontab
        .lines()
        .find(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let command = line
        .expect("a line")
        .splitn(6, ' ')
        .nth(5)
        .expect("a command");
    assert!(
        !command.contains('%'),
        "cron takes % for the end of the line"
    );
    command.to_owned()
}

fn run(home: &Path) -> Output {
    shell(
        home,
        &line().replace(INSTALLED, env!("CARGO_BIN_EXE_agol-backup")),
    )
}

fn shell(home: &Path, command: &str) -> Output {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).current_dir(home).env_clear();
    shell
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh");
    shell.env("LOGNAME", "gis").output().expect("a shell")
}

/// cron mails both streams.
fn mail(night: &Output) -> String {
    let both = [&night.stdout[..], &night.stderr[..]].concat();
    String::from_utf8(both).expect("text")
}
