//! The formats of the archive, version 1: snapshots, records and what they name. Plain data, no I/O.
//! A file written by any earlier version is read by every later one, so members are only ever added.

mod record;
mod stamp;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use record::{File, Note, Record, Role};
pub use stamp::Stamp;

/// The archive's format, written into every snapshot and record.
pub const FORMAT: u32 = 1;

/// Now, to the second, as times are written into archives.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// `snapshots/<stamp>.json`: what one committed pass vouches for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`FORMAT`].
    pub format: u32,
    /// Also the file's name.
    pub stamp: Stamp,
    /// Name and version of the program.
    pub program: String,
    /// When the pass began.
    pub started_at: Timestamp,
    /// When the snapshot was written.
    pub finished_at: Timestamp,
    /// Whose content it is.
    pub portal: Origin,
    /// No item is kept or missing.
    pub complete: bool,
    /// In the order of their ids.
    pub items: Vec<Entry>,
}

/// The account a snapshot was read with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Without a trailing slash.
    pub url: String,
    /// The organisation's id.
    pub org_id: Option<String>,
    /// The signed-in user; `None` for an application's own key.
    pub username: Option<String>,
}

/// One item of a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The item's title.
    pub title: String,
    /// The item's type, such as `Web Map`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The item's owner.
    pub owner: String,
    /// What this pass did about it.
    pub state: State,
    /// What decide compares next time.
    pub change: Option<Change>,
    /// Path of the record; `None` when there is no good copy.
    pub record: Option<String>,
    /// Of the record's bytes, in lower-case hexadecimal.
    pub record_sha256: Option<String>,
    /// Files named by the record.
    pub files: u64,
    /// Their total length.
    pub bytes: u64,
    /// Their total number of rows.
    pub rows: u64,
    /// Notes in the record.
    pub notes: u64,
    /// Why the item is kept or missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Why the item is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Entry {
    /// Of an item without a copy.
    pub fn without_copy(id: &str, title: &str, kind: &str, owner: &str, state: State) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            kind: kind.to_owned(),
            owner: owner.to_owned(),
            state,
            change: None,
            record: None,
            record_sha256: None,
            files: 0,
            bytes: 0,
            rows: 0,
            notes: 0,
            error: None,
            reason: None,
        }
    }

    /// Reading failed. The last good copy stays named; without one the item is what `missing` says.
    pub fn failed(missing: Self, copy: Option<Self>, failure: Failure) -> Self {
        let (state, entry) = match copy {
            Some(copy) => (State::Kept, copy),
            None => (State::Missing, missing),
        };
        Self {
            state,
            error: Some(failure),
            reason: None,
            ..entry
        }
    }
}

/// What a pass did about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Read in this pass.
    Stored,
    /// An earlier record still holds.
    Unchanged,
    /// Reading failed; the last good record is named.
    Kept,
    /// Reading failed, and no good copy exists.
    Missing,
    /// Not to be read; the reason is named.
    Skipped,
}

/// Why an item failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which part of the item: `item`, `data`, `resources`, `service`, `rows`, `attachments`, `export`, `time`.
    pub stage: String,
    /// For a person.
    pub message: String,
}

/// The marks by which the next pass sees whether an item changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The item's `modified`, in milliseconds.
    pub modified: i64,
    /// Last edit of each layer and table, in milliseconds; a layer that does not say is absent.
    #[serde(default)]
    pub layers: BTreeMap<u32, i64>,
    /// When the oldest part of the copy was read.
    pub read_at: Timestamp,
    /// What was asked for: formats, method, attachments. Another wish is another copy.
    pub settings: String,
}
