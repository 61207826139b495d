//! What can be wrong with a file of the archive, and reading back what others vouch for.

use std::fmt;

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{Archive, Error, hex, history_path, snapshot_path};
use crate::snapshot::{FORMAT, Record, Snapshot, Stamp};

/// What is wrong with a file. Its text follows the file's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is not there.
    Missing,
    /// It has another length, in bytes.
    Length {
        /// What the record says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Its bytes are not those that were stored.
    Altered,
    /// The store does not give it, or it is not what it should be.
    Unreadable(String),
    /// It has another number of rows than its record says.
    Rows {
        /// What the record says.
        expected: u64,
        /// What was counted.
        found: u64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("missing"),
            Self::Length { expected, found } => {
                write!(formatter, "{found} bytes instead of {expected}")
            }
            Self::Altered => formatter.write_str("altered"),
            Self::Unreadable(reason) => write!(formatter, "not readable: {reason}"),
            Self::Rows { expected, found } => {
                write!(formatter, "{found} rows instead of {expected}")
            }
        }
    }
}

/// What is read of the account of a pass.
#[derive(serde::Deserialize)]
struct Account {
    #[serde(default)]
    snapshot_sha256: Option<String>,
}

impl Archive {
    /// A snapshot, if its content can be trusted: it is its own, and the one that the account of its pass
    /// vouches for. A pass that died between the two left no account; its snapshot stands all the same.
    pub async fn snapshot(&self, stamp: &Stamp) -> Result<Result<Snapshot, Damage>, Error> {
        let Some(bytes) = self.sink.read(&snapshot_path(stamp)).await? else {
            return Ok(Err(Damage::Missing));
        };
        let snapshot = match parsed::<Snapshot>(&bytes) {
            Ok(snapshot) if snapshot.stamp != *stamp => return Ok(Err(Damage::Altered)),
            Ok(snapshot) if snapshot.format > FORMAT => return Ok(Err(newer(snapshot.format))),
            Ok(snapshot) => snapshot,
            Err(damage) => return Ok(Err(damage)),
        };
        let vouched = self.vouched(stamp).await?;
        if vouched.is_some_and(|sha256| sha256 != hex(&Sha256::digest(&bytes))) {
            return Ok(Err(Damage::Altered));
        }
        Ok(Ok(snapshot))
    }

    /// Snapshots later than this one that were committed, as the account of their pass says, and are not there.
    /// `there` are those that are.
    pub async fn lost_snapshots(
        &self,
        there: &[Stamp],
        after: Option<&Stamp>,
    ) -> Result<Vec<Stamp>, Error> {
        let mut lost = Vec::new();
        for stamp in self.stamps("history").await? {
            let is_later = after.is_none_or(|after| stamp > *after);
            if is_later && !there.contains(&stamp) && self.vouched(&stamp).await?.is_some() {
                lost.push(stamp);
            }
        }
        Ok(lost)
    }

    /// The SHA-256 of a snapshot, as the account of its pass says.
    async fn vouched(&self, stamp: &Stamp) -> Result<Option<String>, Error> {
        let account = self.sink.read(&history_path(stamp)).await?;
        let account = account.and_then(|bytes| serde_json::from_slice::<Account>(&bytes).ok());
        Ok(account.and_then(|account| account.snapshot_sha256))
    }

    /// A record, if its bytes are the ones that its snapshot vouches for.
    pub async fn record(&self, path: &str, sha256: &str) -> Result<Result<Record, Damage>, Error> {
        let Some(bytes) = self.sink.read(path).await? else {
            return Ok(Err(Damage::Missing));
        };
        if hex(&Sha256::digest(&bytes)) != sha256 {
            return Ok(Err(Damage::Altered));
        }
        Ok(match parsed::<Record>(&bytes) {
            Ok(record) if record.format > FORMAT => Err(newer(record.format)),
            parsed => parsed,
        })
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damage> {
    serde_json::from_slice(bytes).map_err(|error| Damage::Unreadable(error.to_string()))
}

fn newer(format: u32) -> Damage {
    Damage::Unreadable(format!(
        "it has format {format}: use the newer version of this program that wrote it"
    ))
}
