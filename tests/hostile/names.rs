//! Whatever people and servers call things: each path in the archive is one that every file system takes, and each
//! name is still there, letter for letter, in the record or the snapshot.

use std::collections::BTreeSet;

use super::{by_query, map};
use crate::support::portal::{FakePortal, Fault, FaultKind, Item, Reply, Service};
use crate::support::run::Archive;
use crate::support::worlds;

const NAMES: [&str; 30] = [
    "../../../etc/passwd",
    "..\\..\\windows\\system32",
    "/absolute",
    "C:\\temp\\x.txt",
    "C:relative",
    "\\\\server\\share\\x",
    "CON",
    "con.txt",
    "NUL.txt",
    "aux",
    "COM1.geojson",
    "LPT9",
    ".",
    "..",
    "...",
    ".hidden",
    "trailing dot.",
    "trailing space ",
    " leading space",
    "report.pdf.",
    "parks",
    "PARKS",
    "Parks",
    "right\u{202e}fdp.exe",
    "zero\u{0}byte.txt",
    "line\nbreak\ttab\u{7f}.txt",
    "a:b*c?d\"e<f>g|h.txt",
    "日本語🗾.pdf",
    "%2e%2e%2fescaped",
    "$(reboot);`id`&'.sh",
];

/// Letters, digits, `-` and single dots within; no reserved word before the first dot.
fn is_portable(path: &str) -> bool {
    let reserved = |stem: &str| {
        let numbered = |word: &str| {
            let digit = stem.strip_prefix(word).unwrap_or_default();
            digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit()
        };
        matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let sound = |part: &str| {
        let stem = part
            .split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !part.is_empty()
            && part.len() <= 100
            && part.chars().all(plain)
            && !part.starts_with('.')
            && !part.ends_with(['.', '-'])
            && !part.contains("..")
            && !reserved(&stem)
    };
    path.len() < 250 && path.split('/').all(sound)
}

/// Every file's path is portable, and none differs from another only in case.
#[track_caller]
fn assert_portable(archive: &Archive) {
    let files = archive.files();
    let odd: Vec<_> = files.iter().filter(|path| !is_portable(path)).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    let apart: BTreeSet<_> = files.iter().map(|path| path.to_ascii_lowercase()).collect();
    assert_eq!(apart.len(), files.len());
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = NAMES.map(ToOwned::to_owned).to_vec();
    names.extend([
        "long ".repeat(60),
        format!("{}.{}", "n".repeat(300), "e".repeat(300)),
    ]);
    names
}

#[test]
fn every_title_gives_portable_paths_and_is_still_there() {
    let mut world = worlds::empty();
    for (number, name) in names().iter().enumerate() {
        let mut item = map(name);
        item.id = format!("{number:032x}");
        item.name = Some(name.clone());
        item.tags = vec![name.clone()];
        world.add_item(item);
    }
    let portal = FakePortal::start_blocking(world);
    let job = by_query(&portal);
    job.run().ended(0);
    job.archive().assert_whole();
    assert_portable(&job.archive());
    for name in names() {
        assert_eq!(job.archive().record(&name)["title"], name);
    }
    let beside = std::fs::read_dir(job.folder()).expect("the test's folder");
    assert_eq!(beside.count(), 1, "nothing lies outside the destination");
}

#[test]
fn every_attachment_resource_and_layer_gives_portable_paths_and_is_still_there() {
    let mut layer = worlds::notes(1);
    let mut plan = map("Plan");
    for name in names() {
        layer.attach(1, &name, name.clone().into_bytes());
    }
    // A resource's address ends at what an address cannot say.
    let resources = || {
        names()
            .into_iter()
            .filter(|name| !matches!(&**name, "." | ".." | "..."))
    };
    let inside = |name: &String| {
        !name.split('/').any(|part| matches!(part, "." | "..")) && !name.starts_with('/')
    };
    let resources: Vec<String> = resources().filter(inside).collect();
    plan.resources = resources
        .iter()
        .map(|name| (name.clone(), name.clone().into_bytes().into()))
        .collect();
    let mut world = worlds::empty();
    world.add_item(plan);
    for (number, name) in names().into_iter().enumerate() {
        let mut layer = if number == 0 {
            layer.clone()
        } else {
            worlds::notes(1)
        };
        layer.name = name;
        let title = format!("Service {number}");
        let service = Service::new(&format!("S{number}"), vec![layer]);
        world.add_service(Item::new("Feature Service", &title), service);
    }
    let portal = FakePortal::start_blocking(world);
    let job = by_query(&portal);
    job.run().ended(0);
    let archive = job.archive();
    archive.assert_whole();
    assert_portable(&archive);
    let kept = |title: &str, role: &str| {
        let files = archive.files_of(title, role);
        let mut kept: Vec<_> = files
            .iter()
            .map(|file| {
                let name = file["name"].as_str().expect("a name").to_owned();
                let bytes = archive.bytes(file["path"].as_str().expect("a path"));
                assert_eq!(bytes, name.as_bytes(), "its own bytes");
                name
            })
            .collect();
        kept.sort();
        kept
    };
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(kept("Service 0", "attachment"), sorted(names()));
    assert_eq!(kept("Plan", "resource"), sorted(resources));
}

#[test]
fn a_resource_that_leads_out_of_its_item_is_not_asked_for() {
    let mut plan = map("Plan");
    plan.resources = vec![("a/../../../users".to_owned(), "x".into())];
    let mut world = worlds::empty();
    world.add_item(plan);
    let portal = FakePortal::start_blocking(world);
    let job = by_query(&portal);
    super::only_missing(&job, &job.run(), "Plan", "leads out of the item");
    assert_eq!(portal.count("resource"), 0);
}

#[test]
fn the_name_that_a_server_gives_a_file_tells_its_kind_at_most() {
    for (header, ending) in [
        ("attachment; filename=\"../../../evil.sh\"", "data.sh"),
        (
            "attachment; filename=\"C:\\\\temp\\\\evil.pdf\"",
            "data.pdf",
        ),
        ("attachment; filename=\"a;b.pdf\"; size=7", "data.pdf"),
        (
            "attachment; filename*=UTF-8''..%2F..%2Fna%C3%AFve.PDF",
            "data.pdf",
        ),
        (
            "attachment; filename=x.bin; filename*=UTF-8''y.csv",
            "data.csv",
        ),
        ("attachment; filename=\"CON\"", "data.json"),
        ("attachment; filename=\"x.a/b\"", "data.json"),
        (
            "attachment; filename=\"x.waytoolongtobeanextension\"",
            "data.json",
        ),
        ("attachment; filename=\"\u{1f5fa}.zip\"", "data.zip"),
    ] {
        let mut world = worlds::empty();
        world.add_item(map("Plan"));
        let portal = FakePortal::start_blocking(world);
        let named =
            FaultKind::alter(move |_, reply: Reply| reply.header("content-disposition", header));
        portal.add_fault(Fault::on("data", named).forever());
        let job = by_query(&portal);
        job.run().ended(0);
        assert_portable(&job.archive());
        let file = job.archive().files_of("Plan", "data").remove(0);
        let path = file["path"].as_str().expect("a path");
        assert_eq!(path.rsplit('/').next(), Some(ending), "{header}");
    }
}
