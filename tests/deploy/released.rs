//! What a release is made with stands in several files, which must agree.

use std::collections::BTreeSet;

use crate::architecture::source::read;

#[test]
fn a_release_lists_the_licences_that_are_allowed_and_no_others() {
    let allowed = listed("deny.toml", "\nallow = [");
    assert!(allowed.contains("MIT"), "{allowed:?}");
    assert_eq!(listed("deploy/about.toml", "\naccepted = ["), allowed);
}

#[test]
fn the_image_and_the_release_are_built_by_the_same_rust() {
    let between = |file, before, after| {
        let text = read(file);
        let rest = text.split(before).nth(1).expect("a version");
        rest.split(after).next().expect("an end").to_owned()
    };
    let image = between("Dockerfile", "FROM rust:", "-");
    let release = between(".github/workflows/release.yml", "toolchain install ", " ");
    assert_eq!(format!("{image}.0"), release);
}

/// The texts in quotes of a list, without the comments behind them.
fn listed(file: &str, head: &str) -> BTreeSet<String> {
    let text = read(file);
    let list = text
        .split(head)
        .nth(1)
        .and_then(|rest| rest.split("\n]").next());
    let lines = list.expect("a list").lines();
    let quoted = lines.filter_map(|line| line.split('"').nth(1));
    quoted.map(ToOwned::to_owned).collect()
}
