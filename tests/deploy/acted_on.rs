//! Each scheduler is told of every exit code whether it is worth another try, as the README's table says it.

use std::collections::BTreeSet;

use agol_backup::exit::Exit;

use crate::architecture::source::read;
use crate::documents::table;

const CRONJOB: &str = "deploy/kubernetes/cronjob.yaml";
const SHARDS: &str = "deploy/kubernetes/shards.yaml";

#[test]
fn kubernetes_gives_up_where_another_try_is_no_use_and_tries_again_where_it_is() {
    for (manifest, give_up) in [(CRONJOB, "FailJob"), (SHARDS, "FailIndex")] {
        let text = read(manifest);
        assert_eq!(values(&text, give_up), codes("no"), "{manifest}: {give_up}");
        assert_eq!(values(&text, "Count"), codes("yes"), "{manifest}: Count");
    }
}

#[test]
fn systemd_tries_again_unless_that_is_no_use() {
    let unit = read("deploy/systemd/agol-backup.service");
    let prevented = setting(&unit, "RestartPreventExitStatus").expect("codes");
    assert_eq!(numbers(prevented), codes("no"));
    assert_eq!(setting(&unit, "Restart"), Some("on-failure"));
    assert_eq!(setting(&unit, "SuccessExitStatus"), None, "only 0 is green");
}

#[test]
fn gitlab_tries_again_what_may_pass_but_not_a_run_that_somebody_stopped() {
    let pipeline = read("deploy/ci/gitlab-ci.yml");
    let tried = pipeline.split("exit_codes: [").nth(1).expect("codes");
    let stopped = [Exit::Interrupted, Exit::Terminated].map(Exit::code);
    let expected = codes("yes").into_iter();
    assert_eq!(
        numbers(tried.split(']').next().expect("an end")),
        expected.filter(|code| !stopped.contains(code)).collect()
    );
}

#[test]
fn the_readme_says_of_every_failure_whether_to_try_again() {
    let said: BTreeSet<u8> = codes("yes").union(&codes("no")).copied().collect();
    let failures = Exit::ALL.iter().map(|exit| exit.code());
    assert_eq!(said, failures.filter(|code| *code != 0).collect());
}

/// The README's codes with this word about another try; the next night is none of the same night.
fn codes(retry: &str) -> BTreeSet<u8> {
    let rows = table("README.md", "code").into_iter();
    let said = |row: &Vec<String>| match row[3].as_str() {
        "next schedule" => retry == "no",
        word => retry == word,
    };
    let number = |row: Vec<String>| row[0].parse().expect("a code");
    rows.filter(said).map(number).collect()
}

/// The exit codes below an action of a Job's rules.
fn values(manifest: &str, action: &str) -> BTreeSet<u8> {
    let rule = manifest
        .split("- action: ")
        .find(|rule| rule.starts_with(action));
    let list = rule.and_then(|rule| rule.split("values: [").nth(1));
    numbers(list.and_then(|list| list.split(']').next()).expect("codes"))
}

fn setting<'a>(unit: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = unit.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

fn numbers(list: &str) -> BTreeSet<u8> {
    let words = list.split(|c: char| !c.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}
