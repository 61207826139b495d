//! The formats of the archive, version 1: snapshots, records and what they name. Plain data, no I/O.
//! A file written by any earlier version is read by every later one, so members are only ever added.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The archive's format, written into every snapshot and record.
pub const FORMAT: u32 = 1;

/// Names a pass: UTC to the second, `20261123T020000Z`. Sorts as text in the order of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(String);

impl Stamp {
    const PATTERN: &'static str = "%Y%m%dT%H%M%SZ";

    /// The stamp of a moment, cut to the second.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.strftime(Self::PATTERN).to_string())
    }

    /// Reads a stamp back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let stamp = Self(text.to_owned());
        (text.len() == 16 && stamp.moment().is_some_and(|moment| Self::of(moment) == stamp)).then_some(stamp)
    }

    /// The moment that it names.
    pub fn moment(&self) -> Option<Timestamp> {
        let civil = jiff::civil::DateTime::strptime(Self::PATTERN, &self.0).ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    }

    /// As it stands in names.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
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

/// `record.json`: every file of one version of an item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`].
    pub format: u32,
    /// The item's id.
    pub id: String,
    /// The item's title.
    pub title: String,
    /// The item's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The item's owner.
    pub owner: String,
    /// When the version was complete.
    pub taken_at: Timestamp,
    /// In the order of their paths.
    pub files: Vec<File>,
    /// What is not covered, or not certain.
    pub notes: Vec<Note>,
}

impl Record {
    /// Total length of its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Total rows of its files.
    pub fn rows(&self) -> u64 {
        self.files.iter().filter_map(|file| file.rows).sum()
    }
}

/// One stored file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Relative to the destination.
    pub path: String,
    /// What it holds.
    pub role: Role,
    /// The layer or table it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// Of rows and exports: `geojson`, `esrijson`, `csv`…
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The engine that read it: `query` or `export`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Length.
    pub bytes: u64,
    /// Of the bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Rows counted in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Rows that the server counted after the file was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_rows: Option<u64>,
    /// The feature an attachment belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<i64>,
    /// The attachment's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment_id: Option<i64>,
    /// The name of an attachment or resource in the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl File {
    /// A file that is still to be written: everything but its length and hash. The path is relative to the
    /// item's version until it is stored.
    pub fn to_be(role: Role, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            role,
            layer: None,
            format: None,
            method: None,
            bytes: 0,
            sha256: String::new(),
            rows: None,
            server_rows: None,
            object_id: None,
            attachment_id: None,
            name: None,
        }
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The item's properties.
    Item,
    /// The item's own content.
    Data,
    /// The picture shown in listings.
    Thumbnail,
    /// Formal metadata, XML.
    Metadata,
    /// Whom it is shared with.
    Sharing,
    /// Items it is related to.
    Related,
    /// A file kept beside the item's data.
    Resource,
    /// A service's definition.
    Service,
    /// The definitions of all its layers and tables.
    Layers,
    /// What a view reads.
    View,
    /// The rows of one layer or table.
    Rows,
    /// A file attached to a row.
    Attachment,
    /// A container with the whole service.
    Export,
}

/// Something a reader of the backup must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// For machines, such as `changed_during_read`.
    pub code: String,
    /// For a person.
    pub message: String,
}

impl Note {
    /// A note on one layer or table.
    pub fn on_layer(code: &str, layer: u32, message: &str) -> Self {
        Self { code: code.to_owned(), message: format!("layer {layer}: {message}") }
    }

    /// A note on the whole item.
    pub fn on_item(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_back_as_the_moment_it_names() {
        let moment: Timestamp = "2026-11-23T02:00:00Z".parse().expect("a timestamp");
        let stamp = Stamp::of(moment);
        assert_eq!(stamp.as_str(), "20261123T020000Z");
        assert_eq!(Stamp::parse("20261123T020000Z").and_then(|stamp| stamp.moment()), Some(moment));
        for wrong in ["", "20261123T020000", "20261323T020000Z", "2026-11-23", "20261123T020000Z.json"] {
            assert_eq!(Stamp::parse(wrong), None, "{wrong}");
        }
    }
}
