//! Every snapshot there is, in outline: small enough to have them all at hand.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Archive, Damage, Error};
use crate::snapshot::{Snapshot, Stamp, State};

/// What stands in `snapshots/`, the oldest first.
#[derive(Debug, Default)]
pub struct Survey {
    /// One for each name, damaged and lost ones too.
    pub snapshots: Vec<Listed>,
    /// Every record that a snapshot names, by its path.
    pub(super) records: HashMap<String, Named>,
}

/// One snapshot.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub stamp: Stamp,
    /// What it holds, if it can be read.
    pub outline: Result<Outline, Damage>,
}

/// What a snapshot holds, in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Outline {
    /// No item failed.
    pub complete: bool,
    /// When the pass began.
    pub started_at: Timestamp,
    /// Items with a copy.
    pub items: u64,
    /// Those read in this pass.
    pub stored: u64,
    /// Those whose earlier copy stands in for a reading that failed.
    pub kept: u64,
    /// Items without a copy.
    pub missing: u64,
    /// Items not to be read.
    pub skipped: u64,
    /// Rows of all copies.
    pub rows: u64,
    /// Bytes of all copies, whether or not other snapshots name the same files.
    pub bytes: u64,
}

/// A record, and who names it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) sha256: String,
    /// Positions in [`Survey::snapshots`].
    pub(super) by: Vec<usize>,
}

impl Archive {
    /// Reads every snapshot, one after another. Those that should be there and are not count as damaged: what is
    /// not seen is not gone.
    pub async fn survey(&self) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        let mut stamps = self.all_stamps().await?;
        stamps.extend(self.lost_snapshots(&stamps, None).await?);
        stamps.sort();
        for stamp in stamps {
            let outline = match self.snapshot(&stamp).await? {
                Ok(snapshot) => Ok(survey.add(snapshot)),
                Err(damage) => Err(damage),
            };
            survey.snapshots.push(Listed { stamp, outline });
        }
        Ok(survey)
    }
}

impl Survey {
    fn add(&mut self, snapshot: Snapshot) -> Outline {
        let outline = Outline::of(&snapshot);
        for entry in snapshot.items {
            if let (Some(path), Some(sha256)) = (entry.record, entry.record_sha256) {
                let named = self.records.entry(path).or_insert(Named {
                    sha256,
                    by: Vec::new(),
                });
                named.by.push(self.snapshots.len());
            }
        }
        outline
    }
}

impl Outline {
    fn of(snapshot: &Snapshot) -> Self {
        let in_state = |state| {
            let entries = snapshot.items.iter().filter(|entry| entry.state == state);
            entries.count() as u64
        };
        let copies = || snapshot.items.iter().filter(|entry| entry.record.is_some());
        Self {
            complete: snapshot.complete,
            started_at: snapshot.started_at,
            items: copies().count() as u64,
            stored: in_state(State::Stored),
            kept: in_state(State::Kept),
            missing: in_state(State::Missing),
            skipped: in_state(State::Skipped),
            rows: copies().map(|entry| entry.rows).sum(),
            bytes: copies().map(|entry| entry.bytes).sum(),
        }
    }
}
