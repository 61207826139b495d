//! What to do about each item, as a value: read it, keep the copy there is, or skip it. No I/O, no clock:
//! everything that decides is an argument.

mod select;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::item::Item;
use crate::shard::Shard;
use crate::snapshot::{Change, Entry, State};
pub use select::{Selected, select};

/// The wishes that bear on the decision.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// When the pass began.
    pub now: Timestamp,
    /// Older copies are read anew.
    pub full_every: Duration,
    /// What the copies must have been made for: [`Change::settings`].
    pub settings: &'a str,
    /// Exact item types; empty for all.
    pub types: &'a [String],
    /// Items with this tag are skipped.
    pub exclude_tag: &'a str,
    /// One part of the selection.
    pub shard: Option<Shard>,
}

impl<'a> Policy<'a> {
    /// What the configuration wishes. `settings` is [`crate::config::Reading::fingerprint`].
    pub fn of(config: &'a Config, now: Timestamp, settings: &'a str) -> Self {
        Self {
            now,
            full_every: config.full_every,
            settings,
            types: &config.selection.types,
            exclude_tag: &config.selection.exclude_tag,
            shard: config.selection.shard,
        }
    }
}

/// The edit dates of a service's layers, as far as it tells them.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Milliseconds by layer.
    pub dates: BTreeMap<u32, i64>,
    /// No layer with rows is silent about its date.
    pub tells_all: bool,
}

/// What is to be done about one item.
#[derive(Clone, Debug)]
pub enum Action {
    /// Read it. Parts of the earlier copy may serve again.
    Read {
        /// Why, for the log.
        reason: Reason,
        /// The newest entry, when it has a copy.
        earlier: Option<Box<Entry>>,
    },
    /// The earlier copy still holds.
    Keep(Box<Entry>),
    /// Leave it out, and say why.
    Skip(String),
}

/// Why an item is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no copy.
    New,
    /// It was edited, or does not tell.
    Changed,
    /// It failed the last time.
    Failed,
    /// The copy was made with other settings.
    Settings,
    /// The copy is older than `BACKUP_FULL_EVERY`.
    Old,
    /// The copy is not there as it was stored.
    Damaged,
}

impl Reason {
    /// Layers that did not change need not be read again.
    pub fn allows_reuse(self) -> bool {
        matches!(self, Self::Changed | Self::Failed | Self::Damaged)
    }
}

/// All decisions of a pass, in the order of the items' ids.
#[derive(Debug, Default)]
pub struct Plan {
    /// Each item once.
    pub actions: Vec<(Item, Action)>,
}

impl Plan {
    /// How many are to be read, kept as they are, and skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Action) -> bool| {
            self.actions
                .iter()
                .filter(|(_, action)| wanted(action))
                .count()
        };
        (
            count(|action| matches!(action, Action::Read { .. })),
            count(|action| matches!(action, Action::Keep(_))),
            count(|action| matches!(action, Action::Skip(_))),
        )
    }
}

/// The newest entries, as everything here looks them up.
pub fn by_id(entries: &[Entry]) -> HashMap<&str, &Entry> {
    entries
        .iter()
        .map(|entry| (entry.id.as_str(), entry))
        .collect()
}

/// Whether the listing leaves it open that an item will be read.
pub fn may_be_read(item: &Item, earlier: Option<&Entry>, policy: &Policy<'_>) -> bool {
    item.has_valid_id()
        && !is_excluded(item, policy)
        && (item.is_feature_service() || why_read(item, earlier, policy).is_some())
}

/// Whether only a look at the service can tell if an item changed.
pub fn needs_a_look(item: &Item, earlier: Option<&Entry>, policy: &Policy<'_>) -> bool {
    item.is_feature_service()
        && !is_excluded(item, policy)
        && why_read(item, earlier, policy).is_none()
}

/// Decides about every item.
pub fn decide(
    items: Vec<Item>,
    earlier: &[Entry],
    observed: &BTreeMap<String, Observed>,
    policy: &Policy<'_>,
) -> Plan {
    let earlier = by_id(earlier);
    let decide_one = |item: Item| {
        let action = decide_item(
            &item,
            earlier.get(item.id.as_str()).copied(),
            observed.get(&item.id),
            policy,
        );
        (item, action)
    };
    let mut actions: Vec<(Item, Action)> = items.into_iter().map(decide_one).collect();
    actions.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    Plan { actions }
}

fn decide_item(
    item: &Item,
    earlier: Option<&Entry>,
    observed: Option<&Observed>,
    policy: &Policy<'_>,
) -> Action {
    if let Some(why) = why_skipped(item, policy) {
        return Action::Skip(why);
    }
    let copy = earlier.filter(|entry| entry.record.is_some());
    let reason = why_read(item, earlier, policy).or_else(|| why_read_rows(item, copy, observed));
    match (reason, copy) {
        (Some(reason), copy) => Action::Read {
            reason,
            earlier: copy.cloned().map(Box::new),
        },
        (None, Some(copy)) => {
            let entry = Entry {
                state: State::Unchanged,
                error: None,
                reason: None,
                ..copy.clone()
            };
            Action::Keep(Box::new(entry))
        }
        (None, None) => Action::Read {
            reason: Reason::New,
            earlier: None,
        },
    }
}

/// Why an item is left out, unless it is not.
pub fn why_skipped(item: &Item, policy: &Policy<'_>) -> Option<String> {
    if !item.has_valid_id() {
        return Some("its id is not of the form that ArcGIS gives".to_owned());
    }
    is_excluded(item, policy).then(|| format!("it has the tag {}", policy.exclude_tag))
}

fn is_excluded(item: &Item, policy: &Policy<'_>) -> bool {
    item.has_tag(policy.exclude_tag)
}

/// What the listing alone tells.
fn why_read(item: &Item, earlier: Option<&Entry>, policy: &Policy<'_>) -> Option<Reason> {
    let Some((entry, change)) = earlier.and_then(|entry| Some((entry, entry.change.as_ref()?)))
    else {
        return Some(Reason::New);
    };
    if entry.record.is_none() {
        return Some(Reason::New);
    }
    if change.settings != policy.settings {
        return Some(Reason::Settings);
    }
    if is_old(change, policy) {
        return Some(Reason::Old);
    }
    if entry.state == State::Kept {
        return Some(Reason::Failed);
    }
    (change.modified != item.modified).then_some(Reason::Changed)
}

/// A copy from the future is as suspect as an old one.
fn is_old(change: &Change, policy: &Policy<'_>) -> bool {
    let age = policy.now.duration_since(change.read_at);
    age.is_negative() || age.unsigned_abs() >= policy.full_every
}

/// What the service tells: rows are edited without the item's date moving. A layer that does not tell may
/// have changed.
fn why_read_rows(item: &Item, copy: Option<&Entry>, observed: Option<&Observed>) -> Option<Reason> {
    if !item.is_feature_service() {
        return None;
    }
    let change = copy.and_then(|entry| entry.change.as_ref());
    match (observed, change) {
        (Some(observed), Some(change)) if observed.tells_all && observed.dates == change.layers => {
            None
        }
        _ => Some(Reason::Changed),
    }
}
