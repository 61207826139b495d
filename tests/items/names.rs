//! Titles and names that would break a careless path.

use std::collections::BTreeSet;

use super::{Kept, named, web_map};
use crate::support::portal::{Item, Service};
use crate::support::worlds;

/// Names that every file system takes: letters, digits, `-` and `.`, no reserved word, nothing at an end.
fn is_safe(path: &str) -> bool {
    const RESERVED: [&str; 8] = ["con", "prn", "aux", "nul", "com1", "com9", "lpt1", "lpt9"];
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let sound = |part: &str| {
        let stem = part
            .split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !stem.is_empty()
            && part.chars().all(plain)
            && !part.ends_with(['.', '-'])
            && !RESERVED.contains(&stem.as_str())
    };
    path.len() < 200 && path.split('/').all(sound)
}

#[test]
fn no_title_breaks_a_path() {
    let mut world = worlds::city();
    for title in [
        "CON",
        "nul.txt",
        "a/b\\c:d*e?",
        "   ",
        "parks",
        "PARKS",
        "...",
        &"long ".repeat(60),
    ] {
        world.add_item(web_map(title));
    }
    let mut layer = worlds::notes(1);
    layer.name = "../../up: CON ".to_owned();
    layer.attach(1, "..\\..\\aux.", "x");
    layer.attach(1, "nul", "x");
    world.add_service(
        Item::new("Feature Service", "Hostile"),
        Service::new("Hostile", vec![layer]),
    );
    let kept = Kept::of(world);
    let files = kept.archive().files();
    let unsafe_ones: Vec<&String> = files.iter().filter(|path| !is_safe(path)).collect();
    assert!(unsafe_ones.is_empty(), "{unsafe_ones:#?}");
    let unique: BTreeSet<String> = files.iter().map(|path| path.to_ascii_lowercase()).collect();
    assert_eq!(unique.len(), files.len());
    let beside = std::fs::read_dir(kept.job.folder()).expect("the test's folder");
    assert_eq!(beside.count(), 1, "nothing lies outside the destination");
    let titles = kept.portal.edit(|world| world.items.len());
    assert_eq!(
        kept.archive().names("items").len(),
        titles - 1,
        "one folder an item, but for the skipped"
    );
}

#[test]
fn resources_whose_names_differ_in_case_are_all_kept() {
    let mut map = web_map("Map");
    let names = [
        "Legend.png",
        "legend.png",
        "legend-2.png",
        "images/legend.png",
        "empty.txt",
        "EMPTY.txt",
    ];
    let content = |name: &str| {
        if name.ends_with("txt") {
            Vec::new()
        } else {
            name.as_bytes().to_vec()
        }
    };
    map.resources = names
        .iter()
        .map(|name| ((*name).to_owned(), content(name).into()))
        .collect();
    let mut world = worlds::empty();
    world.add_item(map);
    let kept = Kept::of(world);
    let mut expected: Vec<_> = names
        .iter()
        .map(|name| ((*name).to_owned(), content(name)))
        .collect();
    expected.sort();
    assert_eq!(named(&kept.archive(), "Map", "resource"), expected);
}

#[test]
fn a_web_page_is_a_file_like_any_other() {
    let page = "<!DOCTYPE html><html><body>Help</body></html>";
    let mut map = web_map("Map");
    map.resources = vec![("help/index.html".to_owned(), page.into())];
    let mut layer = worlds::notes(1);
    layer.attach(1, "report.html", page);
    let mut world = worlds::one_layer(layer);
    world.add_item(map);
    let kept = Kept::of(world);
    let resources = named(&kept.archive(), "Map", "resource");
    assert_eq!(
        resources,
        [("help/index.html".to_owned(), page.as_bytes().to_vec())]
    );
    let attachments = named(&kept.archive(), "Notes", "attachment");
    assert_eq!(
        attachments,
        [("report.html".to_owned(), page.as_bytes().to_vec())]
    );
}
