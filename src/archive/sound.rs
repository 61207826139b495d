//! Whether a copy of an item is all there: asked before a snapshot names it again, so that nothing is vouched for
//! that somebody has deleted or cut meanwhile.

use std::collections::{BTreeMap, HashSet};

use super::verify::{Wish, wrong_length};
use super::{Archive, Damage, Error};
use crate::progress::Progress;
use crate::snapshot::{Entry, Record};

impl Archive {
    /// The record of a copy, if it is the one that the snapshot vouches for and every file of it is there with its
    /// length; else what is wrong with which file. `OneDrive` would have to be asked file by file, so there only
    /// the record is looked at.
    pub async fn sound_record(
        &self,
        path: &str,
        sha256: &str,
    ) -> Result<Result<Record, (String, Damage)>, Error> {
        let record = match self.readable(self.record(path, sha256).await).await? {
            Ok(record) => record,
            Err(damage) => return Ok(Err((path.to_owned(), damage))),
        };
        if !self.sink.tells_lengths() {
            return Ok(Ok(record));
        }
        let paths = record.files.iter().map(|file| file.path.as_str());
        let lengths = self.sink.lengths(paths).await?;
        let damage = record.files.iter().find_map(|file| {
            let damage = wrong_length(file, lengths.get(&file.path).copied())?;
            Some((file.path.clone(), damage))
        });
        Ok(damage.map_or(Ok(record), Err))
    }

    /// For each of these items its newest copy that is whole, read to the last byte. `besides` are the records
    /// that are known to be damaged.
    pub async fn whole_copies(
        &self,
        mut ids: HashSet<String>,
        besides: &HashSet<String>,
    ) -> Result<BTreeMap<String, Entry>, Error> {
        let mut found = BTreeMap::new();
        let mut damaged = besides.clone();
        for stamp in self.all_stamps().await?.into_iter().rev() {
            if ids.is_empty() {
                break;
            }
            let Ok(snapshot) = self.snapshot(&stamp).await? else {
                continue;
            };
            for entry in snapshot.items {
                let Some(record) = entry.record.clone().filter(|_| ids.contains(&entry.id)) else {
                    continue;
                };
                if damaged.contains(&record) {
                    continue;
                }
                let findings = self
                    .verify_copy(&entry, &Wish::everything(), &Progress::default())
                    .await?;
                if findings.is_empty() {
                    ids.remove(&entry.id);
                    found.insert(entry.id.clone(), entry);
                } else {
                    damaged.insert(record);
                }
            }
        }
        Ok(found)
    }
}
