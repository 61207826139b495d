//! What a verification found.

use std::collections::BTreeSet;

use super::super::{Damage, snapshot_path};
use super::{Named, Versions};
use crate::snapshot::Stamp;

/// What was looked at, and what is wrong.
#[derive(Debug, Default)]
pub struct Verified {
    /// Snapshots.
    pub snapshots: u64,
    /// Items, once for each version.
    pub items: u64,
    /// Files, records included.
    pub files: u64,
    /// Those of them that were read and compared.
    pub read: u64,
    /// Their length.
    pub bytes: u64,
    /// In the order of their paths.
    pub findings: Vec<Finding>,
}

/// One file that is not as it was stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Of the file.
    pub path: String,
    /// What is wrong, in words that follow the path.
    pub damage: String,
    /// The record that names it; `None` for a snapshot.
    pub record: Option<String>,
    /// The item's id and title.
    pub item: Option<(String, String)>,
    /// Who needs it.
    pub snapshots: Vec<Stamp>,
}

impl Verified {
    pub(super) fn and(mut self, other: Self) -> Self {
        self.items += other.items;
        self.files += other.files;
        self.read += other.read;
        self.bytes += other.bytes;
        self.findings.extend(other.findings);
        self
    }

    pub(super) fn add_snapshot(&mut self, stamp: &Stamp, damage: &Damage) {
        self.findings.push(Finding {
            path: snapshot_path(stamp),
            damage: damage.to_string(),
            record: None,
            item: None,
            snapshots: vec![stamp.clone()],
        });
    }

    /// Of a file that these records of an item name.
    pub(super) fn add(&mut self, item: &Versions, by: &[usize], path: &str, damage: &Damage) {
        let named: Vec<&Named> = by.iter().filter_map(|at| item.records.get(*at)).collect();
        let snapshots: BTreeSet<&Stamp> = named.iter().flat_map(|named| &named.by).collect();
        let newest = named.last();
        self.findings.push(Finding {
            path: path.to_owned(),
            damage: damage.to_string(),
            record: newest.map(|named| named.path.clone()),
            item: newest.map(|named| (item.id.clone(), named.title.clone())),
            snapshots: snapshots.into_iter().cloned().collect(),
        });
    }
}
