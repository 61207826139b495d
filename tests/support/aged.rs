//! Makes an archive look as if its passes had been earlier: every stamp moves back, in names and in contents, and
//! the chain of hashes is made anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use agol_backup::snapshot::Stamp;

use super::run::{Archive, sha256};

impl Archive {
    pub fn age(&self, days: u32) {
        let back = Duration::from_hours(24) * days;
        let new = |stamp: &Stamp| Stamp::of(stamp.moment().expect("a date") - back).to_string();
        let renamed: Vec<(String, String)> = self
            .all_stamps()
            .iter()
            .map(|stamp| (stamp.to_string(), new(stamp)))
            .collect();
        self.replace(&renamed);
        for path in self.files() {
            let to = renamed
                .iter()
                .fold(path.clone(), |path, (old, new)| path.replace(old, new));
            self.rename(&path, &to);
        }
    }

    /// Writes a document, and everything that vouches for it accordingly.
    pub fn rewrite(&self, path: &str, text: &str) {
        let before = self.bytes(path);
        std::fs::write(self.root.join(path), text).expect("written");
        self.replace(&[(sha256(&before), sha256(text.as_bytes()))]);
    }

    /// Replaces texts in all documents of the archive's own, and then the hashes of these.
    fn replace(&self, texts: &[(String, String)]) {
        let files = self.files();
        // What vouches comes after what it vouches for.
        let order = ["/record.json", "snapshots/", "history/", "passes/"];
        let documents = order
            .iter()
            .flat_map(|part| files.iter().filter(|path| path.contains(*part)));
        let mut hashes: Vec<(String, String)> = Vec::new();
        for path in documents {
            let before = self.bytes(path);
            let mut text = String::from_utf8(before.clone()).expect("text");
            for (old, new) in texts.iter().chain(&hashes) {
                text = text.replace(old, new);
            }
            hashes.push((sha256(&before), sha256(text.as_bytes())));
            std::fs::write(self.root.join(path), text).expect("written");
        }
    }

    /// In the names of files and folders.
    fn all_stamps(&self) -> BTreeSet<Stamp> {
        let paths = self.files();
        let parts = paths.iter().flat_map(|path| path.split(['/', '.']));
        parts.filter_map(Stamp::parse).collect()
    }

    fn rename(&self, from: &str, to: &str) {
        let (from, to) = (self.root.join(from), self.root.join(to));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        std::fs::rename(&from, &to).expect("renamed");
        remove_while_empty(from.parent().expect("a folder"));
    }
}

fn remove_while_empty(folder: &Path) {
    if std::fs::remove_dir(folder).is_ok() {
        remove_while_empty(folder.parent().expect("a folder"));
    }
}
