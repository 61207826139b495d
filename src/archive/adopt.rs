//! What passes finished that came to no commit: a record is the last file of its version, so where one is, the
//! version is whole.

use sha2::{Digest, Sha256};
use tracing::warn;

use super::version::{item_folder, record_path, version_folder};
use super::{Archive, Error, Hold, Sealed, hex};
use crate::item::Item;
use crate::snapshot::{Record, Stamp};

impl Archive {
    /// Passes that are over and committed nothing, and came after this one: older ones were looked at by it.
    /// Most nights there is none, and nothing is asked.
    pub async fn uncommitted(
        &self,
        hold: &Hold,
        newest: Option<&Stamp>,
    ) -> Result<Vec<Stamp>, Error> {
        let mut stamps: Vec<Stamp> = hold.over().into_iter().collect();
        stamps.retain(|stamp| newest.is_none_or(|newest| stamp > newest));
        if stamps.is_empty() {
            return Ok(stamps);
        }
        // One that did commit is there for a reason of its own: its snapshot cannot be read.
        let committed = self.stamps("snapshots").await?;
        stamps.retain(|stamp| !committed.contains(stamp));
        stamps.sort();
        Ok(stamps)
    }

    /// The newest version of an item that one of these passes finished.
    pub async fn finished_version(
        &self,
        item: &Item,
        passes: &[Stamp],
    ) -> Result<Option<Sealed>, Error> {
        let there = self.sink.folders(&item_folder(item)).await?;
        let begun = |stamp: &&Stamp| there.iter().any(|name| name == stamp.as_str());
        for stamp in passes.iter().rev().filter(begun) {
            if let Some(sealed) = self.sealed(item, stamp).await? {
                return Ok(Some(sealed));
            }
        }
        Ok(None)
    }

    /// A version's record; `None` when it was never finished, or is not what it should be.
    async fn sealed(&self, item: &Item, stamp: &Stamp) -> Result<Option<Sealed>, Error> {
        let path = record_path(&version_folder(item, stamp));
        let Some(bytes) = self.sink.read(&path).await? else {
            return Ok(None);
        };
        match serde_json::from_slice::<Record>(&bytes) {
            Ok(record) if record.id == item.id => Ok(Some(Sealed {
                path,
                sha256: hex(&Sha256::digest(&bytes)),
                record,
            })),
            Ok(_) => {
                warn!(path, error = "it is another item's", "record not readable");
                Ok(None)
            }
            Err(error) => {
                warn!(path, error = %error, "record not readable");
                Ok(None)
            }
        }
    }
}
