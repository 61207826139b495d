//! What is defined for one operating system is defined for the others too.

use super::source::rust_files;

/// How one system is asked for, and how the others are.
const SYSTEMS: [(&str, [&str; 2]); 3] = [
    ("unix", ["windows", "not(unix)"]),
    ("windows", ["unix", "not(windows)"]),
    (
        "target_os = \"linux\"",
        ["not(unix)", "not(target_os = \"linux\")"],
    ),
];

/// A statement may be for one alone: a new file's mode, which on Windows its folder decides.
#[test]
fn what_is_defined_for_one_system_is_defined_for_the_others_in_the_same_file() {
    let mut found = 0;
    for file in rust_files("src") {
        let code = file.code();
        for (one, others) in SYSTEMS {
            let here = definitions_for(&code, one);
            let there = others.map(|other| definitions_for(&code, other));
            let told = format!("{}: {here} for {one}, {there:?} for {others:?}", file.path);
            assert!(here <= there.iter().sum(), "{told}");
            found += here;
        }
    }
    assert!(found > 8, "the definitions are not found any more");
}

fn definitions_for(code: &str, system: &str) -> usize {
    let attribute = format!("#[cfg({system})]");
    code.split(&attribute)
        .skip(1)
        .filter(|rest| defines(rest))
        .count()
}

/// Whether a definition follows, behind further attributes and `pub`.
fn defines(code: &str) -> bool {
    let mut lines = code.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with("#["));
    let mut words = line.unwrap_or_default().split_whitespace();
    let word = words.find(|word| !word.starts_with("pub") && *word != "super)");
    let kinds = [
        "async", "const", "enum", "fn", "impl", "mod", "static", "struct", "use",
    ];
    word.is_some_and(|word| kinds.contains(&word))
}

#[test]
fn a_definition_is_told_from_a_statement() {
    let code = "#[cfg(unix)]\n#[derive(Debug)]\npub(super) struct A;\n\
                #[cfg(unix)]\n    use_it(&mut options);\n#[cfg(unix)]\n    async fn told() {}\n";
    assert_eq!(definitions_for(code, "unix"), 2);
    assert_eq!(definitions_for(code, "windows"), 0);
}
