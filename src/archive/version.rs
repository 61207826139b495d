//! One version of one item: its files, then the record that names them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tracing::warn;

use super::sink::{Draft, Sink};
use super::{Archive, Error, json};
use crate::item::Item;
use crate::snapshot::{Change, FORMAT, File, Note, Record, Stamp, now};

/// What a pass has stored of an item so far.
pub struct Version {
    sink: Arc<Sink>,
    /// `items/<slug>-<id>/<stamp>`.
    folder: String,
    /// The last good version, whose files may be named again.
    earlier: Option<Record>,
    contents: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    files: Vec<File>,
    notes: Vec<Note>,
    /// Lower case: two names that differ in case only are one name on Windows and OneDrive.
    names: HashSet<String>,
}

/// A finished version.
#[derive(Debug)]
pub struct Sealed {
    /// Of the record.
    pub path: String,
    /// Of the record's bytes.
    pub sha256: String,
    /// What it says.
    pub record: Record,
}

impl Archive {
    /// Begins a version of an item.
    pub fn version(&self, item: &Item, stamp: &Stamp, earlier: Option<Record>) -> Version {
        Version {
            sink: Arc::clone(&self.sink),
            folder: version_folder(item, stamp),
            earlier,
            contents: Mutex::default(),
        }
    }
}

impl Version {
    /// Opens a new file below the version's folder.
    pub async fn draft(&self, file: &File) -> Result<Draft, Error> {
        self.sink
            .draft(&format!("{}/{}", self.folder, file.path))
            .await
    }

    /// Finishes a file that was written, and names it. When the earlier version holds the same bytes for the
    /// same purpose, that file is named and this one thrown away. Returns the bytes that were stored.
    pub async fn finish(&self, draft: Draft, mut file: File) -> Result<u64, Error> {
        let (bytes, sha256) = draft.content();
        file.bytes = bytes;
        file.sha256 = sha256;
        if let Some(path) = self.earlier_path(&file) {
            draft.discard().await;
            file.path = path;
            self.contents().files.push(file);
            return Ok(0);
        }
        draft.finish().await?;
        file.path = format!("{}/{}", self.folder, file.path);
        self.contents().files.push(file);
        Ok(bytes)
    }

    /// A document as a whole. Returns the bytes that were stored.
    pub async fn store(&self, file: File, document: Bytes) -> Result<u64, Error> {
        let mut draft = self.draft(&file).await?;
        draft.write(document).await?;
        self.finish(draft, file).await
    }

    fn earlier_path(&self, file: &File) -> Option<String> {
        let same = |earlier: &&File| {
            File {
                path: file.path.clone(),
                ..(*earlier).clone()
            } == *file
        };
        self.earlier_files()
            .find(same)
            .map(|earlier| earlier.path.clone())
    }

    /// Names a file of the earlier version.
    pub fn reuse(&self, file: &File) {
        self.contents().files.push(file.clone());
    }

    /// The files of the earlier version.
    pub fn earlier_files(&self) -> impl Iterator<Item = &File> {
        self.earlier.iter().flat_map(|record| &record.files)
    }

    /// The notes of the earlier version.
    pub fn earlier_notes(&self) -> &[Note] {
        self.earlier.as_ref().map_or(&[], |record| &record.notes)
    }

    /// Says what a reader must know.
    pub fn note(&self, note: Note) {
        let mut contents = self.contents();
        if !contents.notes.contains(&note) {
            contents.notes.push(note);
        }
    }

    /// A path that no other file of this version has, on any file system: a number is added if need be.
    pub fn free_name(&self, folder: &str, stem: &str, extension: Option<&str>) -> String {
        let mut contents = self.contents();
        let ending = extension
            .map(|extension| format!(".{extension}"))
            .unwrap_or_default();
        let name = |number: usize| match number {
            1 => format!("{folder}/{stem}{ending}"),
            number => format!("{folder}/{stem}-{number}{ending}"),
        };
        let mut number = 1;
        while !contents.names.insert(name(number).to_ascii_lowercase()) {
            number += 1;
        }
        name(number)
    }

    /// Writes the record, last: with it the version is whole.
    pub async fn seal(self, item: &Item, change: Change) -> Result<Sealed, Error> {
        let contents = self
            .contents
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut record = Record {
            format: FORMAT,
            id: item.id.clone(),
            title: item.title.clone(),
            kind: item.kind.clone(),
            owner: item.owner.clone(),
            taken_at: now(),
            change: Some(change),
            files: contents.files,
            notes: contents.notes,
        };
        record.files.sort_by(|a, b| a.path.cmp(&b.path));
        record.notes.sort_by(|a, b| a.message.cmp(&b.message));
        let path = record_path(&self.folder);
        let sha256 = self.sink.store(&path, json(&record)?).await?;
        Ok(Sealed {
            path,
            sha256,
            record,
        })
    }

    /// Removes what was stored: without a record it is nobody's. Where that is not allowed it stays, and harms
    /// nobody.
    pub async fn discard(self) {
        if let Err(error) = self.sink.remove_folder(&self.folder).await {
            warn!(folder = self.folder, error = %error, "unfinished version left");
        }
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `items/<slug>-<id>`: all versions of an item, while its title stays.
pub(super) fn item_folder(item: &Item) -> String {
    format!("items/{}", item.folder())
}

pub(super) fn version_folder(item: &Item, stamp: &Stamp) -> String {
    format!("{}/{stamp}", item_folder(item))
}

pub(super) fn record_path(version: &str) -> String {
    format!("{version}/record.json")
}
