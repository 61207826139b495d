//! Walks snapshot → record → file, and finds what is not as it was stored.

mod found;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future};

use super::{Archive, Damage, Error};
use crate::config::Format;
use crate::progress::Progress;
use crate::snapshot::{Entry, File, Role, Stamp};
use crate::tally::Tally;
pub use found::{Finding, Verified};

/// Items looked at side by side.
const ITEMS: usize = 4;
/// Files of an item, side by side.
const FILES: usize = 4;

/// Parts of a whole, for samples.
pub const WHOLE: u64 = 1_000_000;

/// Which snapshots, and how thoroughly.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Each must be there.
    pub stamps: Vec<Stamp>,
    /// How many files of [`WHOLE`] are read; the others must be there with their length.
    pub share: u64,
    /// Another seed reads other files.
    pub seed: u64,
}

/// A record that snapshots name.
struct Named {
    path: String,
    sha256: String,
    title: String,
    by: Vec<Stamp>,
}

/// All records of one item: they share files.
struct Versions {
    id: String,
    records: Vec<Named>,
}

impl Archive {
    /// Reads and compares. An error is the store's; damage is a finding.
    pub async fn verify(&self, wish: &Wish, progress: &Progress) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        let mut items: BTreeMap<String, Versions> = BTreeMap::new();
        for stamp in &wish.stamps {
            verified.snapshots += 1;
            match self.snapshot(stamp).await? {
                Ok(snapshot) => {
                    let entries = snapshot.items.iter();
                    entries.for_each(|entry| add(&mut items, entry, stamp));
                }
                Err(damage) => verified.add_snapshot(stamp, &damage),
            }
        }
        progress.expect(items.len());
        let work = futures::stream::iter(items.into_values())
            .map(async |item| {
                let found = self.verify_item(&item, wish, progress).await;
                progress.item_done();
                found
            })
            .buffer_unordered(ITEMS);
        let all = work.try_fold(verified, |sum, item| future::ok(sum.and(item)));
        let mut all = all.await?;
        all.findings.sort();
        Ok(all)
    }

    /// One copy of an item.
    pub(super) async fn verify_copy(
        &self,
        entry: &Entry,
        wish: &Wish,
        progress: &Progress,
    ) -> Result<Vec<Finding>, Error> {
        let copy = Versions {
            id: entry.id.clone(),
            records: Named::of(entry).into_iter().collect(),
        };
        let verified = self.verify_item(&copy, wish, progress).await?;
        Ok(verified.findings)
    }

    async fn verify_item(
        &self,
        item: &Versions,
        wish: &Wish,
        progress: &Progress,
    ) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        // A file of several versions is looked at once, unless they disagree about it.
        let mut files: HashMap<(String, String), (File, Vec<usize>)> = HashMap::new();
        for (at, named) in item.records.iter().enumerate() {
            verified.items += 1;
            verified.files += 1;
            verified.read += 1;
            match self
                .readable(self.record(&named.path, &named.sha256).await)
                .await?
            {
                Ok(record) => {
                    for file in record.files {
                        let key = (file.path.clone(), file.sha256.clone());
                        files
                            .entry(key)
                            .or_insert_with(|| (file, Vec::new()))
                            .1
                            .push(at);
                    }
                }
                Err(damage) => verified.add(item, &[at], &named.path, &damage),
            }
        }
        let lengths = self
            .sink
            .lengths(files.values().map(|(file, _)| file.path.as_str()));
        let lengths = lengths.await?;
        let work = futures::stream::iter(files.into_values())
            .map(async |(file, by)| {
                let there = lengths.get(&file.path).copied();
                let found = self.verify_file(&file, there, wish, progress).await?;
                Ok((file, by, found))
            })
            .buffer_unordered(FILES);
        let all = work.try_fold(verified, |mut sum, (file, by, (read, damage))| {
            sum.files += 1;
            sum.read += u64::from(read);
            sum.bytes += if read { file.bytes } else { 0 };
            if let Some(damage) = damage {
                sum.add(item, &by, &file.path, &damage);
            }
            future::ok(sum)
        });
        all.await
    }

    /// Whether it was read, and what is wrong with it.
    async fn verify_file(
        &self,
        file: &File,
        there: Option<u64>,
        wish: &Wish,
        progress: &Progress,
    ) -> Result<(bool, Option<Damage>), Error> {
        if let Some(damage) = wrong_length(file, there) {
            return Ok((false, Some(damage)));
        }
        if !wish.reads(&file.path) {
            return Ok((false, None));
        }
        let damage = self.readable(self.compare(file, progress).await).await?;
        Ok((true, damage.err()))
    }

    /// Reads a file to its end and compares it with what its record says.
    async fn compare(&self, file: &File, progress: &Progress) -> Result<Result<(), Damage>, Error> {
        let tally = tally(file);
        let each = async |piece: Bytes| {
            progress.come(0, piece.len());
            if let Some(tally) = &tally {
                tally.push(&piece).await;
            }
        };
        let Some((found, sha256)) = self.sink.digest(&file.path, each).await? else {
            return Ok(Err(Damage::Missing));
        };
        if let Some(damage) = wrong_length(file, Some(found)) {
            return Ok(Err(damage));
        }
        if sha256 != file.sha256 {
            return Ok(Err(Damage::Altered));
        }
        let (Some(tally), Some(expected)) = (tally, file.rows) else {
            return Ok(Ok(()));
        };
        Ok(match tally.finish().await {
            Ok(found) if found == expected => Ok(()),
            Ok(found) => Err(Damage::Rows { expected, found }),
            Err(reason) => Err(Damage::Unreadable(reason)),
        })
    }

    /// One file that the store does not give is damage. When it gives nothing at all, the store is in trouble.
    pub(super) async fn readable<T>(
        &self,
        read: Result<Result<T, Damage>, Error>,
    ) -> Result<Result<T, Damage>, Error> {
        match read {
            Err(Error::Store(reason)) => {
                self.sink.names("snapshots").await?;
                Ok(Err(Damage::Unreadable(reason)))
            }
            read => read,
        }
    }
}

impl Wish {
    /// Reads every file.
    pub(super) fn everything() -> Self {
        Self {
            stamps: Vec::new(),
            share: WHOLE,
            seed: 0,
        }
    }

    fn reads(&self, path: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (path, self.seed).hash(&mut hasher);
        hasher.finish() % WHOLE < self.share
    }
}

impl Named {
    fn of(entry: &Entry) -> Option<Self> {
        Some(Self {
            path: entry.record.clone()?,
            sha256: entry.record_sha256.clone()?,
            title: entry.title.clone(),
            by: Vec::new(),
        })
    }
}

fn add(items: &mut BTreeMap<String, Versions>, entry: &Entry, stamp: &Stamp) {
    let Some(mut named) = Named::of(entry) else {
        return;
    };
    let item = items.entry(entry.id.clone()).or_insert_with(|| Versions {
        id: entry.id.clone(),
        records: Vec::new(),
    });
    let same = |other: &&mut Named| other.path == named.path && other.sha256 == named.sha256;
    if let Some(known) = item.records.iter_mut().find(same) {
        known.by.push(stamp.clone());
    } else {
        named.by.push(stamp.clone());
        item.records.push(named);
    }
}

pub(super) fn wrong_length(file: &File, there: Option<u64>) -> Option<Damage> {
    match there {
        None => Some(Damage::Missing),
        Some(found) if found != file.bytes => Some(Damage::Length {
            expected: file.bytes,
            found,
        }),
        Some(_) => None,
    }
}

/// Only rows whose file is not a container are counted.
fn tally(file: &File) -> Option<Tally> {
    let format = file.format.as_deref().filter(|_| file.role == Role::Rows)?;
    let (_, format) = Format::CHOICES.iter().find(|(name, _)| *name == format)?;
    file.rows.and_then(|_| Tally::of(*format))
}
