//! What the documents repeat is compared with the code, and the commands that the README shows are run.

use std::collections::BTreeSet;

use agol_backup::config::{Service, Setting, VARIABLES};
use agol_backup::exit::Exit;

use crate::architecture::source::{files, quoted, read, rust_files};

#[test]
fn the_readme_lists_every_variable_with_its_default() {
    let told: Vec<_> = table("README.md", "variable")
        .into_iter()
        .map(|row| {
            (
                row[0].replace('`', ""),
                row[1].clone(),
                row[2].contains("`_FILE`"),
            )
        })
        .collect();
    let known: Vec<_> = VARIABLES
        .iter()
        .map(|variable| {
            (
                variable.name.to_owned(),
                variable.default.to_owned(),
                variable.secret,
            )
        })
        .collect();
    assert_eq!(told, known);
}

#[test]
fn the_readme_lists_every_exit_code() {
    let told: Vec<_> = table("README.md", "code")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let known: Vec<_> = Exit::ALL
        .iter()
        .map(|exit| (exit.code().to_string(), exit.name().to_owned()))
        .collect();
    assert_eq!(told, known);
}

#[test]
fn the_readme_lists_every_log_line() {
    assert_eq!(first_column("README.md", "event"), events());
}

#[test]
fn the_readme_lists_every_note() {
    assert_eq!(first_column("README.md", "note"), note_codes());
}

#[test]
fn the_settings_of_stores_are_those_of_the_program() {
    let settings = |service: Service| {
        let cells = move |setting: &Setting| {
            let secret = if setting.secret { ", secret" } else { "" };
            let name = setting.key.to_ascii_uppercase();
            vec![
                format!("`SINK_{name}`"),
                format!("{}{secret}", service.scheme()),
            ]
        };
        service.settings().iter().map(cells)
    };
    let known: Vec<_> = Service::ALL.into_iter().flat_map(settings).collect();
    assert_eq!(table("README.md", "setting"), known);
}

#[test]
fn the_map_in_the_architecture_names_every_file() {
    let document = read("ARCHITECTURE.md");
    let paths = document
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let told: Vec<&str> = paths.filter(|word| word.starts_with("src/")).collect();
    assert_eq!(
        told.iter().collect::<BTreeSet<_>>().len(),
        told.len(),
        "a file is named twice"
    );
    let there = files("src");
    assert_eq!(
        BTreeSet::from_iter(told),
        there.iter().map(String::as_str).collect()
    );
}

#[test]
fn the_deploy_files_and_the_readmes_commands_use_only_known_variables() {
    let known = known_names();
    let recipes = files("deploy").into_iter().chain(files(".github"));
    let mut texts: Vec<(String, String)> = recipes
        .chain(["Dockerfile".to_owned()])
        .map(|path| (path.clone(), read(&path)))
        .collect();
    texts.push(("README.md".to_owned(), commands("README.md").concat()));
    for (path, text) in texts {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let ours = |word: &&str| {
            ["BACKUP_", "ARCGIS_", "SINK_"]
                .iter()
                .any(|own| word.starts_with(own))
        };
        for word in words.filter(ours) {
            assert!(known.contains(word), "{path} uses {word}");
        }
    }
}

/// Of variables and of stores' settings, those of files included.
fn known_names() -> BTreeSet<String> {
    let variables = VARIABLES
        .iter()
        .map(|variable| (variable.name.to_owned(), variable.secret));
    let settings = Service::ALL
        .into_iter()
        .flat_map(|service| service.settings().iter())
        .map(|setting| {
            (
                format!("SINK_{}", setting.key.to_ascii_uppercase()),
                setting.secret,
            )
        });
    let names = variables.chain(settings).flat_map(|(name, secret)| {
        let file = secret.then(|| format!("{name}_FILE"));
        [Some(name), file].into_iter().flatten()
    });
    names.collect()
}

#[test]
fn every_failure_in_the_architecture_is_shown_by_tests_that_exist() {
    let text = read("ARCHITECTURE.md");
    let tables = text.split("| shown by |\n| --- | --- | --- |\n").skip(1);
    let rows = tables.flat_map(|table| table.lines().take_while(|line| line.starts_with('|')));
    let told: Vec<(&str, Vec<&str>)> = rows.map(|row| (row, in_backticks(row))).collect();
    assert!(told.len() > 40, "only {} failures are told", told.len());
    for (row, names) in &told {
        assert!(!names.is_empty(), "no test shows: {row}");
    }
    assert_tests(told.into_iter().flat_map(|(_, names)| names));
}

fn assert_tests<'a>(names: impl Iterator<Item = &'a str>) {
    let tests = rust_files("tests");
    for name in names {
        let test = format!("\nfn {name}()");
        let there = tests.iter().any(|file| file.text.contains(&test));
        assert!(there, "there is no test {name}");
    }
}

/// What stands in backticks in the last cell of a row.
fn in_backticks(row: &str) -> Vec<&str> {
    let cells = row.trim_end_matches(" |");
    let cell = cells.rsplit(" | ").next().unwrap_or_default();
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_claim_of_security_names_a_test_that_there_is() {
    let document = read("SECURITY.md");
    let quoted = document.split('`').skip(1).step_by(2);
    let names: Vec<&str> = quoted
        .filter(|word| word.matches('_').count() > 2 && !word.contains(' '))
        .collect();
    assert!(names.len() > 25, "{names:?}");
    assert_tests(names.into_iter());
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ] {
        let text = read(document);
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (path, _place) = link.split_once('#').unwrap_or((link, ""));
            if !path.contains("://") && !path.is_empty() {
                assert!(exists(path), "{document} links to {link}");
            }
        }
    }
}

fn exists(path: &str) -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(path)
        .exists()
}

/// The rows of the table whose first column has this head.
pub(crate) fn table(document: &str, head: &str) -> Vec<Vec<String>> {
    let text = read(document);
    let begins = format!("| {head} |");
    let mut rows = text.lines().skip_while(|line| !line.starts_with(&begins));
    assert!(rows.next().is_some(), "{document} has no table of {head}");
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        row.trim_matches('|')
            .split(" |")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.map(cells).collect()
}

fn first_column(document: &str, head: &str) -> BTreeSet<String> {
    let rows = table(document, head);
    let count = rows.len();
    let names: BTreeSet<String> = rows
        .into_iter()
        .map(|row| row[0].replace('`', ""))
        .collect();
    assert_eq!(names.len(), count, "a {head} is listed twice");
    names
}

/// The fenced blocks of a document.
fn commands(document: &str) -> Vec<String> {
    read(document)
        .split("```")
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect()
}

/// The messages of all log lines: the last text in the call of a logging macro.
fn events() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in rust_files("src") {
        let code = file.code();
        for call in ["info!(", "warn!(", "error!(", "$level!("] {
            for (at, _) in code.match_indices(call) {
                let message = texts(arguments(&code[at + call.len()..])).pop();
                found.insert(
                    message.unwrap_or_else(|| panic!("{}: {call} without a message", file.path)),
                );
            }
        }
    }
    found
}

/// Up to the bracket that closes a call.
fn arguments(code: &str) -> &str {
    let (mut depth, mut at) = (1_usize, 0);
    while at < code.len() {
        let rest = &code[at..];
        let first = rest.chars().next().expect("more text");
        match first {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[..at];
        }
        at += quoted(rest).unwrap_or(first.len_utf8());
    }
    panic!("a call without an end: {code:.60}")
}

/// The texts in quotes.
fn texts(code: &str) -> Vec<String> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < code.len() {
        let rest = &code[at..];
        let length = quoted(rest).unwrap_or(rest.chars().next().map_or(1, char::len_utf8));
        if rest.starts_with('"') {
            found.push(rest[1..length - 1].to_owned());
        }
        at += length;
    }
    found
}

/// Codes are the words with underscores in the pipeline, and whatever else a note is made with.
fn note_codes() -> BTreeSet<String> {
    let word = |text: &String| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let mut found = BTreeSet::new();
    for file in rust_files("src/pass") {
        let code = file.code();
        found.extend(
            texts(&code)
                .into_iter()
                .filter(|text| word(text) && text.contains('_')),
        );
        for call in ["note(", "Note::on_item(", "Note::on_layer("] {
            for (at, _) in code.match_indices(call) {
                found.extend(
                    texts(arguments(&code[at + call.len()..]))
                        .into_iter()
                        .take(1)
                        .filter(word),
                );
            }
        }
    }
    found
}

/// The README's check of an archive, run as it stands there.
#[cfg(unix)]
mod check {
    use std::path::Path;
    use std::process::{Command, Output};

    use crate::support::portal::FakePortal;
    use crate::support::run::Job;
    use crate::support::worlds;

    #[test]
    fn the_readmes_check_finds_an_archive_whole_and_an_altered_or_missing_file_in_it() {
        let portal = FakePortal::start_blocking(worlds::city());
        let job = Job::against(&portal);
        job.run().ended(0);
        let good = check(&job.destination());
        assert!(good.status.success(), "{good:?}");

        let archive = job.archive();
        let rows = archive.files_of("Hydrants", "rows")[0]["path"]
            .as_str()
            .expect("a path")
            .to_owned();
        let thumbnail = archive.files_of("Trails", "thumbnail")[0]["path"]
            .as_str()
            .expect("a path")
            .to_owned();
        let record = archive.entry("Parks")["record"]
            .as_str()
            .expect("a path")
            .to_owned();
        for path in [rows, thumbnail, record] {
            let path = archive.root.join(path);
            let bytes = std::fs::read(&path).expect("a file");
            std::fs::write(&path, [&bytes, b" ".as_slice()].concat()).expect("a longer file");
            assert!(
                !check(&archive.root).status.success(),
                "altered: {}",
                path.display()
            );
            std::fs::remove_file(&path).expect("a file");
            assert!(
                !check(&archive.root).status.success(),
                "missing: {}",
                path.display()
            );
            std::fs::write(&path, bytes).expect("the file again");
        }
        assert!(check(&archive.root).status.success());
    }

    fn check(archive: &Path) -> Output {
        let blocks = super::commands("README.md");
        let mut blocks = blocks
            .iter()
            .filter(|block| block.contains("sha256sum --check"));
        let block = blocks
            .next()
            .expect("the README shows how to check an archive");
        let script = block.trim_start_matches("sh\n");
        let shell = Command::new("sh")
            .arg("-c")
            .arg(script)
            .current_dir(archive)
            .output();
        let output = shell.expect("a shell");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !told.contains("not found"),
            "install what the check needs, as tests/run does: {told}"
        );
        output
    }
}
