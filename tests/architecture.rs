//! The rules of the house, kept by a machine: who may know whom, and how large a room may grow.

pub(crate) mod source;
mod systems;

use source::{Source, rust_files};

/// What a room's code may not say. A room is a file and the folder of its name.
const FORBIDDEN: [(&str, &[&str]); 9] = [
    ("src/portal", &["archive", "pass"]),
    ("src/archive", &["portal", "pass"]),
    ("src/item", &["portal", "archive", "pass"]),
    ("src/snapshot", &["portal", "archive", "pass"]),
    ("src/summary", &["portal", "archive", "pass"]),
    ("src/decide", &["portal", "archive", "pass"]),
    ("src/shard", &["portal", "archive", "pass"]),
    ("src/retention", &["portal", "archive", "pass"]),
    ("src/notify", &["portal", "archive", "pass"]),
];

/// Plain data and pure functions.
const PURE: [&str; 6] = [
    "src/item",
    "src/snapshot",
    "src/summary",
    "src/decide",
    "src/shard",
    "src/retention",
];

/// The two edges meet only where they are put together, and where their errors become a number.
const KNOWS_BOTH: [&str; 3] = ["src/pass", "src/commands", "src/exit"];

const LONGEST_FILE: usize = 300;
const LONGEST_MAIN: usize = 60;
const LONGEST_FUNCTION: usize = 60;

#[test]
fn the_portal_and_the_archive_never_import_each_other_and_the_middle_neither() {
    let mut broken = Vec::new();
    for (room, forbidden) in FORBIDDEN {
        for file in in_room(room) {
            let code = file.code();
            let known = forbidden.iter().filter(|name| imports(&code, name));
            broken.extend(known.map(|name| format!("{} imports {name}", file.path)));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn only_the_pipeline_the_commands_and_the_exit_code_know_both_edges() {
    let both = |file: &Source| {
        let code = file.code();
        imports(&code, "portal") && imports(&code, "archive")
    };
    let elsewhere = |file: &Source| !KNOWS_BOTH.iter().any(|room| is_in(file, room));
    let broken: Vec<_> = rust_files("src")
        .into_iter()
        .filter(|file| both(file) && elsewhere(file))
        .collect();
    assert!(broken.is_empty(), "{:#?}", paths(&broken));
}

#[test]
fn the_middle_waits_for_nothing() {
    for room in PURE {
        for file in in_room(room) {
            for word in ["async", "await", "tokio", "reqwest", "opendal", "tracing"] {
                assert!(!has_word(&file.code(), word), "{} says {word}", file.path);
            }
        }
    }
}

#[test]
fn only_one_room_reads_the_environment_and_only_one_holds_the_store() {
    let users = |uses: fn(&str) -> bool| {
        let files = rust_files("src")
            .into_iter()
            .filter(|file| uses(&file.code()));
        files.map(|file| file.path).collect::<Vec<_>>()
    };
    assert_eq!(users(reads_environment), ["src/config/environment.rs"]);
    let stores = users(|code| has_word(code, "opendal"));
    let elsewhere = |path: &&String| !path.starts_with("src/archive/sink");
    assert_eq!(stores.iter().find(elsewhere), None);
    assert!(stores.len() > 3, "{stores:?}");
}

/// Who else may wait: the gate that all requests pass, and who looks whether the portal has made something.
const MAY_WAIT: [&str; 4] = [
    "src/portal/patience.rs",
    "src/portal/throttle.rs",
    "src/portal/export.rs",
    "src/portal/temporary.rs",
];

#[test]
fn only_one_room_asks_the_portal_again() {
    for file in in_room("src/portal").into_iter().chain(in_room("src/pass")) {
        let code = file.code();
        let retries = code.contains("request retried") || has_word(&code, "count_retry");
        let tells = ["src/portal/patience.rs", "src/portal/wire.rs"].contains(&&*file.path);
        assert!(!retries || tells, "{} retries by itself", file.path);
        let waits = has_word(&code, "sleep") || has_word(&code, "backon");
        let may = MAY_WAIT.contains(&&*file.path);
        assert!(!waits || may, "{} waits by itself", file.path);
    }
}

#[test]
fn a_file_fits_in_a_head() {
    let limit = |file: &Source| {
        if file.path == "src/main.rs" {
            LONGEST_MAIN
        } else {
            LONGEST_FILE
        }
    };
    let mut broken = Vec::new();
    for file in rust_files("src") {
        let lines = file.text.lines().count();
        if lines > limit(&file) {
            broken.push(format!(
                "{} has {lines} lines, {} are allowed",
                file.path,
                limit(&file)
            ));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_function_fits_on_a_screen_and_most_are_far_shorter() {
    let mut lengths = Vec::new();
    for file in rust_files("src") {
        lengths.extend(
            functions(&file.text).map(|(name, lines)| (lines, format!("{}: {name}", file.path))),
        );
    }
    lengths.sort();
    let broken: Vec<_> = lengths
        .iter()
        .filter(|(lines, _)| *lines > LONGEST_FUNCTION)
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(lengths.len() > 100, "the functions are not found any more");
    let (median, _) = lengths[lengths.len() / 2];
    assert!(median < 12, "the median function has {median} lines");
}

#[test]
fn rooms_are_named_after_what_they_hold() {
    for file in rust_files("src") {
        for name in [
            "util", "utils", "common", "types", "helpers", "misc", "shared",
        ] {
            assert_ne!(
                file.name(),
                name,
                "{} says nothing about what it holds",
                file.path
            );
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    for file in rust_files("src").into_iter().chain(rust_files("tests")) {
        let opening = file.text.lines().next().unwrap_or_default();
        assert!(
            opening.starts_with("//! ") && opening.len() > 15,
            "{} opens with {opening:?}",
            file.path
        );
        assert!(
            !opening.contains("To be written"),
            "{} is not written",
            file.path
        );
    }
}

fn in_room(room: &str) -> Vec<Source> {
    let files: Vec<Source> = rust_files("src")
        .into_iter()
        .filter(|file| is_in(file, room))
        .collect();
    assert!(!files.is_empty(), "no room {room}");
    files
}

fn is_in(file: &Source, room: &str) -> bool {
    let rest = file.path.strip_prefix(room);
    rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

fn paths(files: &[Source]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

/// Whether code names a module of the crate: `crate::x`, `super::x`, or `x` in `use crate::{…}`.
fn imports(code: &str, module: &str) -> bool {
    named_modules(code).iter().any(|named| named == module)
}

fn named_modules(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for root in ["crate::", "super::", "agol_backup::"] {
        for (at, _) in code.match_indices(root) {
            let after = &code[at + root.len()..];
            match after.strip_prefix('{') {
                Some(list) => names.extend(parts(list).map(|part| first_word(part.trim()))),
                None => names.push(first_word(after)),
            }
        }
    }
    names
}

/// The parts of a list in braces, up to its end; what is nested stays in its part.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut end, mut cuts) = (0_usize, list.len(), Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                end = at;
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => cuts.push(at),
            _ => {}
        }
    }
    cuts.push(end);
    let begins = std::iter::once(0).chain(cuts.clone().into_iter().map(|cut| cut + 1));
    begins.zip(cuts).map(|(from, to)| &list[from..to])
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn has_word(code: &str, word: &str) -> bool {
    let whole = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        whole(code[..at].chars().next_back()) && whole(code[at + word.len()..].chars().next())
    })
}

/// `env!` speaks to the compiler, not to the environment of the process.
fn reads_environment(code: &str) -> bool {
    ["std::env", "env::var", "env::args"]
        .iter()
        .any(|call| code.contains(call))
}

/// Every function's name and lines: rustfmt ends it with a brace that stands as deep as its first line.
fn functions(text: &str) -> impl Iterator<Item = (String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let measure = move |at: usize| {
        let line = lines.get(at)?;
        let name = name_of_function(line)?;
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        if line.ends_with('}') || line.ends_with(';') {
            return Some((name, 1));
        }
        let length = lines[at..].iter().position(|line| *line == end)?;
        Some((name, length + 1))
    };
    (0..text.lines().count()).filter_map(measure)
}

fn name_of_function(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| {
        matches!(*word, "pub" | "const" | "async" | "unsafe" | "extern")
            || word.starts_with("pub(")
            || *word == "super)"
    });
    (words.next()? == "fn").then(|| first_word(words.next().unwrap_or_default()))
}

#[test]
fn the_eyes_of_these_tests_see() {
    let code = "use crate::{PROGRAM, archive::{self, Hold}, notify};\nuse super::portal::X;";
    assert!(imports(code, "archive") && imports(code, "portal") && imports(code, "notify"));
    assert!(!imports(code, "Hold") && !imports(code, "pass"));
    let text = "impl X {\n    pub(super) async fn long(\n        &self,\n    ) {\n        if a {\n        }\n    }\n    fn short() {}\n}\n";
    let found: Vec<_> = functions(text).collect();
    assert_eq!(found, [("long".to_owned(), 6), ("short".to_owned(), 1)]);
}
