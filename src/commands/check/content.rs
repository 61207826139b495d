//! The portal's side: which items there are, what a pass would do about each, and what it would read.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;

use super::outlook::{self, Outlook};
use crate::config::{Config, Scope};
use crate::decide::{self, Action, Plan, Policy};
use crate::exit::Stop;
use crate::item::Item;
use crate::portal::{Error, Portal};
use crate::snapshot::Snapshot;
use crate::telemetry;

/// As the report tells it.
#[derive(Debug, Serialize)]
pub(super) struct Content {
    /// Items that the account may see in the organisation.
    pub(super) visible: Option<u64>,
    /// Found, and not of a type that was asked for.
    pub(super) of_other_types: u64,
    /// Of the selection, and not of the part that this run is about.
    pub(super) of_other_parts: u64,
    pub(super) counts: Counts,
    /// By type.
    pub(super) types: Vec<OfType>,
    /// How many items' rows are read in which way.
    pub(super) read_as: BTreeMap<String, u64>,
    /// Every item of the selection.
    pub(super) items: Vec<Line>,
    /// Items of the newest snapshot that are not found any more.
    pub(super) gone: u64,
    /// Temporary exports of other passes, by title. They are no content.
    pub(super) leftovers: Vec<String>,
    /// Why there is nothing to back up.
    pub(super) error: Option<String>,
}

/// One item.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) title: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) owner: String,
    pub(super) fate: Fate,
    /// Why it is skipped or unreadable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    /// As the portal tells it.
    pub(super) bytes: Option<u64>,
    pub(super) rows: Option<u64>,
    pub(super) read_as: Vec<String>,
    pub(super) exports: bool,
    /// What its copy will be without, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) without: Vec<String>,
}

/// What a pass would do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    Read,
    /// The copy there is still holds.
    Unchanged,
    Skipped,
    /// It would be tried, and fail.
    Unreadable,
}

/// The items of one type, without those that are skipped.
#[derive(Debug, Default, Serialize)]
pub(super) struct OfType {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) items: u64,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
}

/// Items by what a pass would do about them.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) unchanged: u64,
    pub(super) skipped: u64,
    pub(super) unreadable: u64,
}

pub(super) async fn look(
    portal: &Portal,
    config: &Config,
    newest: Option<&Snapshot>,
    started: Timestamp,
) -> Result<Content, Stop> {
    let settings = config.reading.fingerprint();
    let policy = Policy::of(config, started, &settings);
    let (temporary, listed) = discover(portal, &config.selection.scope).await?;
    let visible = portal.count_visible().await;
    let selected = decide::select(listed, &policy);
    let error = selected.why_empty(&policy);
    let of_other_types = selected.of_other_types as u64;
    let of_other_parts = selected.of_other_parts as u64;
    let items = selected.items;
    let mut outlooks = ask_all(portal, config, &items, &policy).await?;
    let gone = newest.map_or(0, |newest| count_gone(newest, &items));
    let observed = outlooks.iter_mut();
    let observed = observed.filter_map(|(id, look)| Some((id.clone(), look.observed.take()?)));
    let earlier = newest.map_or(&[][..], |newest| &newest.items);
    let plan = decide::decide(items, earlier, &observed.collect(), &policy);
    let items = lines(plan, outlooks);
    Ok(Content {
        visible,
        of_other_types,
        of_other_parts,
        counts: Counts::of(&items),
        types: by_type(&items),
        read_as: by_way(&items),
        items,
        gone,
        leftovers: temporary.into_iter().map(|item| item.title).collect(),
        error,
    })
}

/// Temporary exports of passes, and the content. A pass would remove some of the first; nothing is removed here.
async fn discover(portal: &Portal, scope: &Scope) -> Result<(Vec<Item>, Vec<Item>), Error> {
    let listed = portal.discover(scope).await?;
    let is_temporary = |item: &Item| portal.is_temporary(item);
    let (mut temporary, listed): (Vec<_>, Vec<_>) = listed.into_iter().partition(is_temporary);
    if matches!(scope, Scope::Query(_)) {
        temporary = portal.temporary_items().await?;
        temporary.retain(is_temporary);
    }
    Ok((temporary, listed))
}

/// Looks at every service that is not to be skipped.
async fn ask_all(
    portal: &Portal,
    config: &Config,
    items: &[Item],
    policy: &Policy<'_>,
) -> Result<BTreeMap<String, Outlook>, Error> {
    let services = items
        .iter()
        .filter(|item| item.is_feature_service() && decide::why_skipped(item, policy).is_none());
    let services: Vec<&Item> = services.collect();
    telemetry::bar().set_length(services.len() as u64);
    let looks = futures::stream::iter(services).map(async |item| {
        let outlook = outlook::ask(portal, item, &config.reading).await?;
        telemetry::bar().inc(1);
        Ok((item.id.clone(), outlook))
    });
    looks
        .buffer_unordered(config.concurrency)
        .try_collect()
        .await
}

fn count_gone(newest: &Snapshot, items: &[Item]) -> u64 {
    let listed: std::collections::HashSet<&str> =
        items.iter().map(|item| item.id.as_str()).collect();
    let copies = newest.items.iter().filter(|entry| entry.record.is_some());
    let gone = copies.filter(|entry| !listed.contains(entry.id.as_str()));
    gone.count() as u64
}

fn lines(plan: Plan, mut outlooks: BTreeMap<String, Outlook>) -> Vec<Line> {
    let line = |(item, action): (Item, Action)| {
        let outlook = outlooks.remove(&item.id).unwrap_or_default();
        Line::of(item, action, outlook)
    };
    plan.actions.into_iter().map(line).collect()
}

fn by_type(items: &[Line]) -> Vec<OfType> {
    let mut types: BTreeMap<&str, OfType> = BTreeMap::new();
    for line in items.iter().filter(|line| line.fate != Fate::Skipped) {
        let of_type = types.entry(&line.kind).or_default();
        of_type.kind.clone_from(&line.kind);
        of_type.items += 1;
        of_type.rows = sum([of_type.rows, line.rows]);
        of_type.bytes = sum([of_type.bytes, line.bytes]);
    }
    types.into_values().collect()
}

fn by_way(items: &[Line]) -> BTreeMap<String, u64> {
    let mut ways = BTreeMap::new();
    for line in items.iter().filter(|line| !line.read_as.is_empty()) {
        *ways.entry(line.read_as.join("; ")).or_default() += 1;
    }
    ways
}

impl Counts {
    fn of(items: &[Line]) -> Self {
        let mut counts = Self::default();
        for line in items {
            *match line.fate {
                Fate::Read => &mut counts.read,
                Fate::Unchanged => &mut counts.unchanged,
                Fate::Skipped => &mut counts.skipped,
                Fate::Unreadable => &mut counts.unreadable,
            } += 1;
        }
        counts
    }
}

/// Of what is known; `None` when nothing is.
pub(super) fn sum(parts: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    parts.into_iter().flatten().reduce(|a, b| a + b)
}

impl Line {
    fn of(item: Item, action: Action, outlook: Outlook) -> Self {
        let (fate, why) = match (action, outlook.trouble) {
            (Action::Skip(why), _) => (Fate::Skipped, Some(why)),
            (Action::Keep(_), _) => (Fate::Unchanged, None),
            (Action::Read { .. }, Some(why)) => (Fate::Unreadable, Some(why)),
            (Action::Read { .. }, None) => (Fate::Read, None),
        };
        let mut without = outlook.without;
        if item.is_of_pictures() {
            without.push("its tiles, scenes or images: no engine reads them".to_owned());
        }
        Self {
            fate,
            why,
            bytes: u64::try_from(item.size).ok().filter(|bytes| *bytes > 0),
            rows: outlook.rows,
            read_as: outlook.read_as.into_iter().collect(),
            exports: outlook.exports,
            without,
            id: item.id,
            title: item.title,
            kind: item.kind,
            owner: item.owner,
        }
    }
}

impl Content {
    /// Why a pass would end with nothing.
    pub(super) fn emptiness(&self) -> Option<Stop> {
        self.error.clone().map(Stop::Empty)
    }

    /// The items with that fate.
    pub(super) fn with(&self, fate: Fate) -> impl Iterator<Item = &Line> {
        self.items.iter().filter(move |line| line.fate == fate)
    }
}
