//! The project's own text, as the tests that watch over it read it.

use std::path::{Path, PathBuf};

/// A file of the project.
pub(crate) struct Source {
    /// From the project's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A file by its path from the project's root.
pub(crate) fn read(path: &str) -> String {
    let found = root().join(path);
    let text = std::fs::read_to_string(found).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.replace("\r\n", "\n")
}

/// All Rust files below a folder, by path.
pub(crate) fn rust_files(folder: &str) -> Vec<Source> {
    let rust = |path: &String| Path::new(path).extension().is_some_and(|end| end == "rs");
    let files = files(folder).into_iter().filter(rust);
    files
        .map(|path| Source {
            text: read(&path),
            path,
        })
        .collect()
}

/// The paths of all files below a folder, sorted.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(root()).expect("below the root");
                found.push(below.to_str().expect("text").replace('\\', "/"));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} is empty");
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl Source {
    /// What the compiler reads, without comments and without the unit tests at the end.
    pub(crate) fn code(&self) -> String {
        let end = self
            .text
            .find("#[cfg(test)]\nmod tests")
            .unwrap_or(self.text.len());
        without_comments(&self.text[..end])
    }

    /// The module's name: `x` for `x.rs`.
    pub(crate) fn name(&self) -> &str {
        let name = self.path.rsplit('/').next().expect("a name");
        name.trim_end_matches(".rs")
    }
}

/// Blanks comments out; what stands in quotes stays.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            rest = &rest[end..];
            continue;
        } else if let Some(length) = quoted(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        code.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    code
}

/// The length of the text, raw text or character that begins here.
pub(crate) fn quoted(text: &str) -> Option<usize> {
    let marks = text.strip_prefix("br").or_else(|| text.strip_prefix('r'));
    if let Some(after) = marks {
        let hashes = after.len() - after.trim_start_matches('#').len();
        if after[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let begin = text.len() - after.len() + hashes + 1;
            return Some(begin + text[begin..].find(&end)? + end.len());
        }
    }
    let plain = text.strip_prefix('b').unwrap_or(text);
    let before = text.len() - plain.len();
    let quote = plain.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (at, c) in plain.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(before + at + 1),
            // A lifetime is no character.
            _ if quote == '\'' && at > 1 && !plain[1..].starts_with('\\') => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn comments_are_told_from_text() {
    let text = "let a = \"// no\"; // yes\nlet c = '\"'; // yes\nfn f<'a>(x: &'a str) {} // \"\nr#\"//\"#;b'\\''";
    let code = "let a = \"// no\"; \nlet c = '\"'; \nfn f<'a>(x: &'a str) {} \nr#\"//\"#;b'\\''";
    assert_eq!(without_comments(text), code);
}
