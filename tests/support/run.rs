//! Runs the built program as a scheduler would, and looks at what it left in the folder.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use agol_backup::config::Environment;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::portal::{self, FakePortal};

/// A destination folder and the variables of a run. Each test has its own.
pub struct Job {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, OsString>,
}

/// What a run said and how it ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Job {
    /// Three variables, as the README asks for, against a portal.
    pub fn against(portal: &FakePortal) -> Self {
        Self::bare()
            .with("ARCGIS_URL", portal.url())
            .with("ARCGIS_CLIENT_ID", portal::CLIENT_ID)
            .with("ARCGIS_REFRESH_TOKEN", portal::REFRESH_TOKEN)
    }

    /// Only a destination.
    pub fn bare() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let destination = folder.path().join("archive");
        Self {
            folder,
            variables: BTreeMap::new(),
        }
        .with("BACKUP_DESTINATION", destination)
    }

    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.set(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// As the program would read them.
    pub fn environment(&self) -> Environment {
        let variables = self.variables.iter();
        variables
            .map(|(name, value)| (OsString::from(name), value.clone()))
            .collect()
    }

    /// A place for files that are not in the archive.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn destination(&self) -> PathBuf {
        PathBuf::from(
            self.variables
                .get("BACKUP_DESTINATION")
                .expect("a destination"),
        )
    }

    /// Runs to the end.
    pub fn run(&self) -> Run {
        self.run_with(&[])
    }

    pub fn run_with(&self, arguments: &[&str]) -> Run {
        Run::of(
            self.command()
                .args(arguments)
                .output()
                .expect("the program runs"),
        )
    }

    /// Runs beside the test, to be sent a signal.
    pub fn spawn(&self) -> Child {
        self.command().spawn().expect("the program starts")
    }

    /// The same with arguments, and somebody who can type.
    pub fn spawn_typed(&self, arguments: &[&str]) -> Child {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agol-backup"));
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn archive(&self) -> Archive {
        Archive {
            root: self.destination(),
        }
    }
}

impl Run {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Every line of standard output, which must be JSON.
    pub fn lines(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The lines of one event.
    pub fn events(&self, name: &str) -> Vec<Value> {
        self.lines()
            .into_iter()
            .filter(|line| line["message"] == name)
            .collect()
    }

    /// The closing line.
    pub fn summary(&self) -> Value {
        let mut closing = self.events("pass finished");
        assert_eq!(
            closing.len(),
            1,
            "exactly one closing line in:\n{}",
            self.stdout
        );
        closing.remove(0)
    }

    /// Fails with everything that was said.
    #[track_caller]
    pub fn ended(&self, code: i32) -> &Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// An archive as a stranger reads it.
pub struct Archive {
    pub root: PathBuf,
}

impl Archive {
    /// The names of the snapshots, ascending.
    pub fn stamps(&self) -> Vec<String> {
        let names = self.names("snapshots");
        names
            .iter()
            .map(|name| name.trim_end_matches(".json").to_owned())
            .collect()
    }

    /// File names in a folder, sorted; none when it is not there.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.root.join(folder)) else {
            return Vec::new();
        };
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).into_string().expect("text"))
            .collect();
        names.sort();
        names
    }

    /// All files below the destination, relative, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let relative = path.strip_prefix(&self.root).expect("below the root");
                    found.push(relative.to_str().expect("text").to_owned());
                }
            }
        }
        found.sort();
        found
    }

    pub fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.bytes(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Value {
        let stamp = self.stamps().pop().expect("a snapshot");
        self.json(&format!("snapshots/{stamp}.json"))
    }

    /// The newest history.
    pub fn history(&self) -> Value {
        let name = self.names("history").pop().expect("a history");
        self.json(&format!("history/{name}"))
    }

    /// An item of the newest snapshot, by its title.
    pub fn entry(&self, title: &str) -> Value {
        let snapshot = self.snapshot();
        let items = snapshot["items"].as_array().expect("items");
        let found = items.iter().find(|item| item["title"] == title);
        found
            .unwrap_or_else(|| panic!("no {title} in {snapshot:#}"))
            .clone()
    }

    /// The record behind an entry.
    pub fn record(&self, title: &str) -> Value {
        self.json(self.entry(title)["record"].as_str().expect("a record"))
    }

    /// The files of an item with a role.
    pub fn files_of(&self, title: &str, role: &str) -> Vec<Value> {
        let record = self.record(title);
        let files = record["files"].as_array().expect("files");
        files
            .iter()
            .filter(|file| file["role"] == role)
            .cloned()
            .collect()
    }

    /// The first file of an item with a role, parsed.
    pub fn content(&self, title: &str, role: &str) -> Value {
        let files = self.files_of(title, role);
        let file = files
            .first()
            .unwrap_or_else(|| panic!("{title} has no {role}"));
        self.json(file["path"].as_str().expect("a path"))
    }

    /// What the newest snapshot holds, without its stamps: each file's place and hash.
    pub fn contents(&self) -> BTreeMap<String, String> {
        let snapshot = self.snapshot();
        let items = snapshot["items"].as_array().expect("items");
        let records = items.iter().filter_map(|item| item["record"].as_str());
        let files = records.flat_map(|record| match self.json(record)["files"].take() {
            Value::Array(files) => files,
            other => panic!("no files in {record}: {other}"),
        });
        let place = |file: &Value| {
            let path = file["path"].as_str().expect("a path");
            let parts: Vec<&str> = path.splitn(4, '/').collect();
            let hash = file["sha256"].as_str().expect("a hash");
            (format!("{}/{}", parts[1], parts[3]), hash.to_owned())
        };
        files.map(|file| place(&file)).collect()
    }

    /// The codes of an item's notes.
    pub fn notes(&self, title: &str) -> Vec<String> {
        let record = self.record(title);
        let notes = record["notes"].as_array().expect("notes");
        notes
            .iter()
            .map(|note| note["code"].as_str().expect("a code").to_owned())
            .collect()
    }

    /// Walks snapshot → record → file of every snapshot: present, of the length and the hash that is vouched for.
    #[track_caller]
    pub fn assert_whole(&self) {
        for stamp in self.stamps() {
            let snapshot = self.json(&format!("snapshots/{stamp}.json"));
            for item in snapshot["items"].as_array().expect("items") {
                let Some(path) = item["record"].as_str() else {
                    continue;
                };
                let bytes = self.bytes(path);
                assert_eq!(sha256(&bytes), item["record_sha256"], "{path}");
                let record: Value = serde_json::from_slice(&bytes).expect("a record");
                for file in record["files"].as_array().expect("files") {
                    let bytes = self.bytes(file["path"].as_str().expect("a path"));
                    assert_eq!(
                        (sha256(&bytes), bytes.len() as u64),
                        hash_and_length(file),
                        "{file}"
                    );
                }
            }
        }
    }
}

fn hash_and_length(file: &Value) -> (String, u64) {
    (
        file["sha256"].as_str().expect("a hash").to_owned(),
        file["bytes"].as_u64().expect("a length"),
    )
}

pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("text");
    }
    text
}
