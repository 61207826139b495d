//! Lets go of what the rules no longer keep: snapshots first, then the files that no snapshot names. What
//! cannot be understood is left alone, and told.
//!
//! Every file is named by a record, its own version's or a later one's of the same item. So a version that no
//! snapshot names any more is taken apart by its record, and the record goes last: after a crash on the way the
//! next prune finds it there and goes on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Add;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future};
use jiff::Timestamp;
use tracing::{info, warn};

use super::survey::Survey;
use super::{Archive, Error, Hold, history_path, snapshot_path};
use crate::retention::{self, Candidate, Rules};
use crate::snapshot::{Record, Stamp};

/// What no snapshot names may be younger than the pass that needs it.
const LEFT_ALONE: Duration = Duration::from_hours(24);
/// The account of a pass without a snapshot.
const HISTORY: Duration = Duration::from_hours(366 * 24);
/// Items looked at side by side.
const AT_ONCE: usize = 8;

/// What was let go of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Snapshots.
    pub snapshots: u64,
    /// Versions of items, some with files that others still name.
    pub versions: u64,
    /// Files that records named.
    pub files: u64,
    /// Their length.
    pub bytes: u64,
    /// Items whose files were left alone, because a record of theirs is damaged.
    pub left: u64,
}

/// Records by the id of their item.
type Records<'a> = HashMap<&'a str, Vec<(&'a str, &'a str)>>;

impl Archive {
    /// Applies the rules. Only for who holds the destination, and after the commit.
    pub async fn prune(&self, rules: &Rules, hold: &Hold) -> Result<Pruned, Error> {
        let mut pruned = Pruned::default();
        if rules.is_empty() {
            return Ok(pruned);
        }
        hold.confirm().await?;
        let survey = self.survey().await?;
        let kept = kept(&survey, rules, &hold.stamp)?;
        // An account whose snapshot is not there tells of a loss: so it goes first.
        self.prune_histories(&survey, &kept, hold).await?;
        for (listed, kept) in survey.snapshots.iter().zip(&kept) {
            if !kept {
                self.sink.remove(&snapshot_path(&listed.stamp)).await?;
                info!(stamp = listed.stamp.as_str(), "snapshot removed");
                pruned.snapshots += 1;
            }
        }
        let records = records(&survey, &kept);
        drop(kept);
        let before = Stamp::of(moment(&hold.stamp)? - LEFT_ALONE);
        let items = by_id(self.sink.folders("items").await?);
        let (records, before) = (&records, &before);
        let work = futures::stream::iter(items)
            .map(async move |(id, folders)| {
                let named = records.get(id.as_str()).map_or(&[][..], Vec::as_slice);
                self.prune_item(&folders, named, before).await
            })
            .buffer_unordered(AT_ONCE);
        work.try_fold(pruned, |sum, item| future::ok(sum + item))
            .await
    }

    /// An account is kept as long as its snapshot, without one for a year.
    async fn prune_histories(
        &self,
        survey: &Survey,
        kept: &[bool],
        hold: &Hold,
    ) -> Result<(), Error> {
        let fates = survey.snapshots.iter().zip(kept);
        let fates: HashMap<&Stamp, bool> =
            fates.map(|(listed, kept)| (&listed.stamp, *kept)).collect();
        let long_ago = Stamp::of(moment(&hold.stamp)? - HISTORY);
        let stamps = self.stamps("history").await?;
        let over = stamps
            .iter()
            .filter(|stamp| !fates.get(stamp).copied().unwrap_or(**stamp >= long_ago));
        self.sink.remove_all(over.map(history_path).collect()).await
    }

    /// `folders` are the item's, one for each title that it had.
    async fn prune_item(
        &self,
        folders: &[String],
        named: &[(&str, &str)],
        before: &Stamp,
    ) -> Result<Pruned, Error> {
        let mut pruned = Pruned::default();
        let in_use = |version: &str| named.iter().any(|(path, _)| path.starts_with(version));
        let mut idle: Vec<String> = Vec::new();
        let mut emptied: Vec<&String> = Vec::new();
        for folder in folders {
            let there = self.sink.folders(folder).await?;
            let versions = there
                .iter()
                .filter(|name| Stamp::parse(name).is_some_and(|stamp| stamp < *before))
                .map(|name| format!("{folder}/{name}/"))
                .filter(|version| !in_use(version));
            let others = idle.len();
            idle.extend(versions);
            if idle.len() - others == there.len() {
                emptied.push(folder);
            }
        }
        if idle.is_empty() {
            return Ok(pruned);
        }
        let Some(reached) = self.reached(named).await? else {
            pruned.left = 1;
            return Ok(pruned);
        };
        self.take_apart(&idle, &reached, &mut pruned).await?;
        for folder in emptied {
            let is_reached = reached.iter().any(|path| path.starts_with(folder.as_str()));
            if !is_reached && self.sink.names(folder).await?.is_empty() {
                self.sink.remove_folder(folder).await?;
            }
        }
        Ok(pruned)
    }

    /// Every file that the records name; nothing when one of them cannot be read.
    async fn reached(&self, named: &[(&str, &str)]) -> Result<Option<HashSet<String>>, Error> {
        let mut reached = HashSet::new();
        for (path, sha256) in named {
            match self.record(path, sha256).await? {
                Ok(record) => reached.extend(record.files.into_iter().map(|file| file.path)),
                Err(damage) => {
                    warn!(path, damage = %damage, "record damaged");
                    return Ok(None);
                }
            }
        }
        Ok(Some(reached))
    }

    /// Removes what only these versions of an item named. What a record names elsewhere is not its to remove.
    async fn take_apart(
        &self,
        idle: &[String],
        reached: &HashSet<String>,
        pruned: &mut Pruned,
    ) -> Result<(), Error> {
        let mut doomed: HashMap<String, u64> = HashMap::new();
        let mut sealed: HashSet<String> = HashSet::new();
        for version in idle {
            let path = record_of(version);
            let Some(bytes) = self.sink.read(&path).await? else {
                continue;
            };
            sealed.insert(path);
            // A damaged one names nothing any more; its version goes as a whole, or stays.
            let files = serde_json::from_slice::<Record>(&bytes).map_or(Vec::new(), |it| it.files);
            let is_idle = |path: &str| idle.iter().any(|version| path.starts_with(version));
            let files = files
                .into_iter()
                .filter(|file| !reached.contains(&file.path) && is_idle(&file.path));
            doomed.extend(files.map(|file| (file.path, file.bytes)));
        }
        let is_whole = |version: &&String| !reached.iter().any(|path| path.starts_with(*version));
        let (whole, parts): (Vec<_>, Vec<_>) = idle.iter().partition(is_whole);
        let beside = |path: &&String| !whole.iter().any(|version| path.starts_with(*version));
        let single = doomed.keys().filter(beside).cloned().collect();
        self.sink.remove_all(single).await?;
        for version in &whole {
            self.sink
                .remove_folder(version.trim_end_matches('/'))
                .await?;
        }
        let records = parts.into_iter().map(|version| record_of(version));
        let records: Vec<_> = records.filter(|path| sealed.contains(path)).collect();
        pruned.versions += (whole.len() + records.len()) as u64;
        pruned.files += doomed.len() as u64;
        pruned.bytes += doomed.values().sum::<u64>();
        self.sink.remove_all(records).await
    }
}

/// Whether each snapshot stays. What cannot be read might name anything, so then nothing is removed.
fn kept(survey: &Survey, rules: &Rules, own: &Stamp) -> Result<Vec<bool>, Error> {
    let mut candidates = Vec::new();
    for listed in &survey.snapshots {
        match &listed.outline {
            Ok(outline) => candidates.push(Candidate {
                stamp: listed.stamp.clone(),
                complete: outline.complete,
            }),
            Err(damage) => {
                let path = snapshot_path(&listed.stamp);
                return Err(Error::Store(format!(
                    "{path} is damaged ({damage}), so nobody knows which files it needs: restore it, or delete it and {} by hand",
                    history_path(&listed.stamp)
                )));
            }
        }
    }
    if candidates.last().is_none_or(|newest| newest.stamp != *own) {
        return Err(Error::Store(format!(
            "{} was written, and is not listed as the newest",
            snapshot_path(own)
        )));
    }
    let verdicts = retention::retain(&candidates, rules);
    Ok(verdicts
        .iter()
        .map(|verdict| !verdict.is_removal())
        .collect())
}

/// The records that a kept snapshot names, by the id in their paths: it is the one that folders are found by.
fn records<'a>(survey: &'a Survey, kept: &[bool]) -> Records<'a> {
    let mut records = Records::new();
    for (path, named) in &survey.records {
        let is_kept = |at: &usize| kept.get(*at).copied().unwrap_or(true);
        let id = path.split('/').nth(1).and_then(id_of);
        if let Some(id) = id.filter(|_| named.by.iter().any(is_kept)) {
            let of_item = records.entry(id).or_default();
            of_item.push((path.as_str(), named.sha256.as_str()));
        }
    }
    records
}

/// The folders below `items/` by the id of their item. What is not an item's is not ours.
fn by_id(folders: Vec<String>) -> BTreeMap<String, Vec<String>> {
    let mut items: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in folders {
        if let Some(id) = id_of(&folder) {
            let of_item = items.entry(id.to_owned()).or_default();
            of_item.push(format!("items/{folder}"));
        }
    }
    items
}

/// `parks-0123…` → `0123…`: the title in front may have changed, the id never does.
fn id_of(folder: &str) -> Option<&str> {
    let id = folder.rsplit('-').next()?;
    let is_hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (id.len() == 32 && is_hex).then_some(id)
}

fn record_of(version: &str) -> String {
    format!("{version}record.json")
}

fn moment(stamp: &Stamp) -> Result<Timestamp, Error> {
    let moment = stamp.moment();
    moment.ok_or_else(|| Error::Store(format!("{stamp} is not a date")))
}

impl Add for Pruned {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            snapshots: self.snapshots + other.snapshots,
            versions: self.versions + other.versions,
            files: self.files + other.files,
            bytes: self.bytes + other.bytes,
            left: self.left + other.left,
        }
    }
}
