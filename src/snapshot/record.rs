//! One version of one item: its files and what must be known of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Change;

/// `record.json`: every file of one version of an item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// [`super::FORMAT`].
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
    /// What decide compares, so that a later pass can adopt the record when this one dies before its commit.
    /// Records of the first versions have none, and are not adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
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
        Self {
            code: code.to_owned(),
            message: format!("layer {layer}: {message}"),
        }
    }

    /// A note on the whole item.
    pub fn on_item(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}
