//! Everything that is kept: opens the sink, holds the destination, stores, commits, reads back. Knows
//! nothing of ArcGIS.
//!
//! Invariants, cited by their numbers in the tests:
//!
//! 1. A snapshot is written after everything that it names, and removed before anything that it names.
//! 2. A name, once written, is never written again (the marks of running passes are the one exception).
//! 3. A failed item keeps its last good record.
//! 4. Nothing is deleted because it was not seen; only because the retention rules let it go.
//! 5. Prune runs only after a commit, and never removes the newest complete snapshot.
//! 6. Trouble with one item is the item's; trouble with the account or the sink is the pass's.

mod adopt;
mod damage;
mod hold;
mod probe;
mod prune;
mod sink;
mod sound;
mod survey;
mod verify;
mod version;

use std::sync::Arc;

use serde::Serialize;
use tracing::warn;

pub use damage::Damage;
pub use hold::Hold;
pub use prune::Pruned;
pub use sink::Draft;
use sink::Sink;
pub use survey::{Listed, Outline, Survey};
pub use verify::{Finding, Verified, WHOLE, Wish};
pub use version::{Sealed, Version};

use crate::config::Destination;
use crate::snapshot::{Snapshot, Stamp};

/// What ends a pass on the side of the destination.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another pass is at work here.
    #[error("{0}")]
    Locked(String),
    /// The store failed.
    #[error("BACKUP_DESTINATION: {0}")]
    Store(String),
    /// The store's settings are wrong; nothing was contacted.
    #[error("BACKUP_DESTINATION: {0}")]
    Settings(String),
}

/// An open destination.
#[derive(Clone, Debug)]
pub struct Archive {
    sink: Arc<Sink>,
}

impl Archive {
    /// Opens a destination. A folder is made when it is not there yet; no other store is contacted.
    pub fn open(destination: &Destination) -> Result<Self, Error> {
        Ok(Self {
            sink: Arc::new(Sink::open(destination)?),
        })
    }

    /// Opens one to look at it; nothing is made.
    pub fn open_existing(destination: &Destination) -> Result<Self, Error> {
        match destination {
            Destination::Folder(path) if !path.is_dir() => {
                Err(Error::Store(format!("{} is not a folder", path.display())))
            }
            _ => Self::open(destination),
        }
    }

    /// The newest snapshot that can be read. A damaged one is told and passed over: what it named is then
    /// read anew, never lost.
    pub async fn newest_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        let told = |stamp: &Stamp, damage: &Damage| {
            warn!(path = snapshot_path(stamp), damage = %damage, "snapshot damaged");
        };
        let mut stamps = self.all_stamps().await?;
        for lost in self.lost_snapshots(&stamps, stamps.last()).await? {
            told(&lost, &Damage::Missing);
        }
        while let Some(stamp) = stamps.pop() {
            match self.snapshot(&stamp).await? {
                Ok(snapshot) => return Ok(Some(snapshot)),
                Err(damage) => told(&stamp, &damage),
            }
        }
        Ok(None)
    }

    /// The moment from which a backup exists: after this line everything that it names is vouched for. Only for
    /// who still holds the destination. Returns the snapshot's SHA-256.
    pub async fn commit(&self, hold: &Hold, snapshot: &Snapshot) -> Result<String, Error> {
        hold.confirm().await?;
        self.sink
            .store(&snapshot_path(&snapshot.stamp), json(snapshot)?)
            .await
    }

    /// `history/<stamp>.json`: how a pass ended, whatever its end.
    pub async fn remember(&self, stamp: &Stamp, history: &impl Serialize) -> Result<(), Error> {
        self.sink
            .store(&history_path(stamp), json(history)?)
            .await
            .map(|_| ())
    }

    /// Every snapshot's name, ascending.
    pub async fn all_stamps(&self) -> Result<Vec<Stamp>, Error> {
        self.stamps("snapshots").await
    }

    /// The stamps of a folder's files, ascending.
    async fn stamps(&self, folder: &str) -> Result<Vec<Stamp>, Error> {
        let names = self.sink.names(folder).await?;
        let mut stamps: Vec<Stamp> = names
            .iter()
            .filter_map(|name| Stamp::parse(name.strip_suffix(".json")?))
            .collect();
        stamps.sort();
        Ok(stamps)
    }
}

fn snapshot_path(stamp: &Stamp) -> String {
    format!("snapshots/{stamp}.json")
}

fn history_path(stamp: &Stamp) -> String {
    format!("history/{stamp}.json")
}

/// For people too: indented, with a line's end.
fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| Error::Store(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string cannot fail.
            let written = write!(text, "{byte:02x}");
            debug_assert!(written.is_ok());
            text
        })
}
