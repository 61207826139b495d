//! Where each file lies.

use std::collections::BTreeSet;

use super::{backed_up, files, records, text};
use crate::support::worlds;

/// Whether a path of the destination has one of the promised forms.
fn is_promised(path: &str, stamp: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let named = format!("{stamp}.json");
    match parts.as_slice() {
        ["snapshots" | "history", name] => *name == named,
        ["items", folder, version, rest @ ..] => {
            let id = folder.rsplit('-').next().unwrap_or_default();
            let slug = folder.strip_suffix(id).unwrap_or_default();
            let valid = id.len() == 32 && slug.len() <= 41 && is_slug(slug.trim_end_matches('-'));
            valid && *version == stamp && is_part(rest)
        }
        _ => false,
    }
}

fn is_slug(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The files of a version whose name is always the same.
const PARTS: [&str; 8] = [
    "record.json",
    "item.json",
    "sharing.json",
    "related.json",
    "metadata.xml",
    "service.json",
    "layers.json",
    "view.json",
];

/// What may lie in a version of an item.
fn is_part(parts: &[&str]) -> bool {
    let numbered = |name: &str| {
        let (number, rest) = name.split_once('-').unwrap_or((name, ""));
        let slug = rest.split('.').next().unwrap_or_default();
        number
            .split('.')
            .next()
            .is_some_and(|number| number.parse::<u32>().is_ok())
            && is_slug(slug)
    };
    match parts {
        [name] => {
            let stem = name.split('.').next().unwrap_or_default();
            PARTS.contains(name) || matches!(stem, "data" | "thumbnail")
        }
        ["resources", ..] => parts.len() > 1,
        ["layers", name] => numbered(name) && name.ends_with(".geojson"),
        ["attachments", layer, row, name] => {
            [layer, row]
                .iter()
                .all(|number| number.parse::<i64>().is_ok())
                && numbered(name)
        }
        _ => false,
    }
}

#[test]
fn the_layout_is_the_promised_one_and_nothing_else_is_left() {
    let (_portal, job) = backed_up(worlds::city());
    let archive = job.archive();
    let stamp = archive.stamps().remove(0);
    let strange: Vec<String> = archive
        .files()
        .into_iter()
        .filter(|path| !is_promised(path, &stamp))
        .collect();
    assert_eq!(strange, Vec::<String>::new());
    let top = archive.names("").into_iter().collect::<BTreeSet<_>>();
    let folders = ["history", "items", "passes", "snapshots"].map(str::to_owned);
    assert!(
        top.is_subset(&folders.into()),
        "no folder of unfinished files: {top:?}"
    );
    let ours = ["history/", "snapshots/", "/record.json"];
    let ours = |path: &String| ours.iter().any(|part| path.contains(part));
    for path in archive.files().into_iter().filter(ours) {
        assert!(
            archive.bytes(&path).ends_with(b"}\n"),
            "{path}: a line's end"
        );
    }
    let named = records(&archive).into_iter().flat_map(|(entry, record)| {
        let files: Vec<String> = files(&record)
            .iter()
            .map(|file| text(file, "path").to_owned())
            .collect();
        files.into_iter().chain([text(&entry, "record").to_owned()])
    });
    let there = archive
        .files()
        .into_iter()
        .filter(|path| path.starts_with("items/"));
    assert_eq!(
        named.collect::<BTreeSet<_>>(),
        there.collect(),
        "each file is named by a record"
    );
}
