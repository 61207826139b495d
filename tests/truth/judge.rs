//! Holds what a pass said and left against what the portal held meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expected::{self, Groups};
use super::held;
use super::nights::{Gone, Nights};
use crate::support::portal::Catalogue;
use crate::support::run::{Archive, Run};

/// Notes that say of a copy that it is not certain or not all.
const DOUBTS: [&str; 9] = [
    "changed_during_read",
    "rows_not_counted",
    "rows_not_readable",
    "service_not_readable",
    "data_empty",
    "resource_empty",
    "metadata_not_readable",
    "thumbnail_not_readable",
    "resources_not_readable",
];

/// Everything about a night that is not as promised.
pub(super) fn wrongs(nights: &Nights, gone: &Gone<'_>) -> Vec<String> {
    let archive = nights.archive();
    archive.assert_whole();
    let mut wrongs = what_was_said(nights, gone);
    let stamps = archive.stamps();
    let new: Vec<&String> = stamps
        .iter()
        .filter(|stamp| !gone.before.contains(stamp))
        .collect();
    let committed = matches!(gone.run.code, 0 | 3);
    match new.as_slice() {
        [] if committed => wrongs.push("nothing was committed".to_owned()),
        [] => {}
        [_, _, ..] => wrongs.push(format!("several snapshots: {new:?}")),
        [_] if committed || gone.night.signal.is_some() => {
            let judge = Judge {
                nights,
                gone,
                archive,
            };
            wrongs.extend(judge.snapshot());
        }
        [_] => wrongs.push(format!("committed, and yet exit {}", gone.run.code)),
    }
    wrongs
}

/// Its lines, its exit code, and what it left in the organisation.
fn what_was_said(nights: &Nights, gone: &Gone<'_>) -> Vec<String> {
    let mut wrongs = nights.portal.violations();
    let run = &gone.run;
    if !run.stderr.is_empty() {
        wrongs.push(format!("stderr: {}", run.stderr));
    }
    let signal = gone.night.signal.map(|(signal, _)| signal);
    let possible: &[i32] = match signal {
        Some("KILL") => &[-1, 0, 3, 12],
        Some(_) => &[143, 0, 3, 12],
        None if gone.night.must_be_whole() => &[0],
        None if gone.victims.is_some() => &[0, 3],
        None => &[0, 3, 12],
    };
    if !possible.contains(&run.code) {
        wrongs.push(format!("exit {} of {possible:?}", run.code));
    }
    let closing = run.events("pass finished");
    if run.code != -1 && (closing.len() != 1 || closing[0]["exit"] != run.code) {
        wrongs.push(format!("closed by {closing:?}"));
    }
    let left = nights.portal.exports_left();
    let unheard = signal != Some("KILL") && !nights.have_told() && !tells_what_is_left(run);
    if unheard && !left.is_empty() {
        wrongs.push(format!("left in the organisation: {left:?}"));
    }
    if unheard && !nights.portal.recycle_bin().is_empty() {
        wrongs.push("something lies in the recycle bin".to_owned());
    }
    wrongs
}

/// Whether a pass said that it could not remove something from the organisation.
pub(super) fn tells_what_is_left(run: &Run) -> bool {
    let events = ["temporary exports left", "temporary export not removed"];
    events.iter().any(|event| !run.events(event).is_empty())
}

struct Judge<'n> {
    nights: &'n Nights,
    gone: &'n Gone<'n>,
    archive: Archive,
}

impl Judge<'_> {
    fn snapshot(&self) -> Vec<String> {
        let snapshot = self.archive.snapshot();
        let entries = snapshot["items"].as_array().expect("items");
        let mut wrongs = self.selection(entries);
        let failed = |entry: &&Value| entry["state"] == "kept" || entry["state"] == "missing";
        let failures = entries.iter().filter(failed).count();
        if snapshot["complete"] != (failures == 0) {
            wrongs.push(format!(
                "{failures} failed, complete: {}",
                snapshot["complete"]
            ));
        }
        if matches!(self.gone.run.code, 0 | 3) && (self.gone.run.code == 0) != (failures == 0) {
            wrongs.push(format!("{failures} failed, exit {}", self.gone.run.code));
        }
        for entry in entries {
            let about = |wrong: String| format!("{} {}: {wrong}", entry["id"], entry["title"]);
            wrongs.extend(self.entry(entry).into_iter().map(about));
        }
        wrongs
    }

    /// Every item that there was all the time is in the snapshot, once; and none that there never was.
    fn selection(&self, entries: &[Value]) -> Vec<String> {
        let id = |entry: &Value| entry["id"].as_str().expect("an id").to_owned();
        let told: BTreeSet<String> = entries.iter().map(id).collect();
        let at = |world: &Catalogue| -> BTreeSet<String> {
            let items = expected::selected(world, &self.nights.wish).into_iter();
            items.map(|item| item.id.clone()).collect()
        };
        let mut moments = self.gone.during.iter().map(at);
        let first = moments.next().expect("a beginning");
        let (mut always, mut ever) = (first.clone(), first);
        for moment in moments {
            always.retain(|id| moment.contains(id));
            ever.extend(moment);
        }
        let missing = always
            .difference(&told)
            .map(|id| format!("{id} is not in the snapshot"));
        let strange = told
            .difference(&ever)
            .map(|id| format!("{id} was never to be kept"));
        let mut wrongs: Vec<String> = missing.chain(strange).collect();
        if told.len() != entries.len() {
            wrongs.push("an item is there twice".to_owned());
        }
        wrongs
    }

    fn entry(&self, entry: &Value) -> Vec<String> {
        let state = entry["state"].as_str().expect("a state");
        let failed = matches!(state, "kept" | "missing");
        let id = entry["id"].as_str().expect("an id");
        let mut wrongs = Vec::new();
        if failed != entry["error"]["message"].is_string() {
            wrongs.push(format!("{state} with error {}", entry["error"]));
        }
        let in_danger = self.gone.victims.as_ref();
        if failed && in_danger.is_some_and(|victims| !victims.iter().any(|one| one == id)) {
            wrongs.push(format!(
                "{state} by what befell another: {}",
                entry["error"]
            ));
        }
        match state {
            "stored" | "unchanged" => wrongs.extend(self.copy(entry, id, &self.gone.during)),
            "kept" => wrongs.extend(self.copy(entry, id, &self.gone.ever)),
            "missing" => {
                if let Some(copy) = self.copy_before(id) {
                    wrongs.push(format!("missing, and there was {copy}"));
                }
            }
            "skipped" => {
                let excluded =
                    |world: &Catalogue| world.item(id).is_some_and(expected::is_excluded);
                if !self.gone.during.iter().any(excluded) {
                    wrongs.push(format!("skipped: {}", entry["reason"]));
                }
            }
            other => wrongs.push(format!("the state {other}")),
        }
        wrongs
    }

    /// What the newest snapshot before named for an item.
    fn copy_before(&self, id: &str) -> Option<String> {
        let stamp = self.gone.before.last()?;
        let path = format!("snapshots/{stamp}.json");
        if !self.archive.files().contains(&path) {
            return None; // the rules let it go
        }
        let entries = self.archive.json(&path)["items"].take();
        let entry = entries.as_array()?.iter().find(|entry| entry["id"] == id)?;
        entry["record"].as_str().map(str::to_owned)
    }

    /// Each group of a copy is as it was at one of these moments, or a note says what it is instead.
    fn copy(&self, entry: &Value, id: &str, moments: &[Catalogue]) -> Vec<String> {
        let record = self
            .archive
            .json(entry["record"].as_str().expect("a record"));
        let held = held::groups(&self.archive, &record);
        let at = |world: &Catalogue| {
            let item = world.item(id)?;
            Some(expected::groups(world, item, &self.nights.wish))
        };
        let truths: Vec<Groups> = moments.iter().filter_map(at).collect();
        let names: BTreeSet<&String> = truths
            .iter()
            .chain([&held])
            .flat_map(Groups::keys)
            .collect();
        let notes = record["notes"].as_array().expect("notes");
        let mut wrongs: Vec<String> = names
            .into_iter()
            .filter(|name| {
                !truths
                    .iter()
                    .any(|truth| truth.get(*name) == held.get(*name))
            })
            .filter(|name| !is_told(name, held.get(*name), &truths, notes))
            // An item that is gone is refused in the same words as metadata that never was.
            .filter(|name| *name != "metadata" || !self.vanished(id))
            .map(|name| unlike(name, held.get(name), &truths))
            .collect();
        if self.nights.were_calm() && self.gone.night.is_calm() {
            wrongs.extend(self.needless(notes, id));
        }
        wrongs
    }

    fn vanished(&self, id: &str) -> bool {
        self.gone
            .during
            .iter()
            .any(|world| world.item(id).is_none())
    }

    /// Doubts where nothing ever went wrong.
    fn needless(&self, notes: &[Value], id: &str) -> Option<String> {
        let world = self.gone.during.last()?;
        let service = world.item(id)?.service.as_ref();
        let service = service.and_then(|name| world.services.get(name));
        let is_limited = service.is_some_and(|service| {
            let silent = service
                .layers
                .iter()
                .any(|one| !one.formats.contains("geoJSON"));
            silent || !service.hosted || !service.capabilities.contains("Query")
        });
        let has_container = self
            .nights
            .wish
            .formats
            .split(',')
            .any(expected::is_container);
        let doubts = notes
            .iter()
            .filter(|note| DOUBTS.iter().any(|doubt| note["code"] == *doubt));
        let doubt = doubts.into_iter().next()?;
        (!is_limited && !has_container).then(|| format!("doubted without a reason: {doubt}"))
    }
}

/// What a group holds, and what it should, as far as they differ.
fn unlike(name: &str, held: Option<&String>, truths: &[Groups]) -> String {
    let lines = |text: Option<&String>| -> Vec<String> {
        text.map_or(Vec::new(), |text| text.lines().map(str::to_owned).collect())
    };
    let held = lines(held);
    let truth = lines(truths.last().and_then(|truth| truth.get(name)));
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let these = these.iter().filter(|line| !those.contains(line));
        these.take(3).cloned().collect()
    };
    let (more, less) = (only(&held, &truth), only(&truth, &held));
    let (one, other) = (held.len(), truth.len());
    format!("{name} has {one} lines of {other}, too much {more:?}, too little {less:?}")
}

/// Whether the notes say that a group is not what it was at any one moment, and it is no worse than that.
fn is_told(name: &str, held: Option<&String>, truths: &[Groups], notes: &[Value]) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let about = |note: &Value, layer: &str| {
        let message = note["message"].as_str().unwrap_or_default();
        message.starts_with(&format!("layer {layer}: "))
    };
    let says = |code: &str| notes.iter().any(|note| note["code"] == code);
    let says_of = |code: &str, layer: &str| {
        let this = |note: &Value| note["code"] == code && about(note, layer);
        notes.iter().any(this)
    };
    match parts.as_slice() {
        ["rows" | "attachments" | "layers", ..] if says("service_not_readable") => held.is_none(),
        ["rows", layer, _] if held.is_none() => says_of("rows_not_readable", layer),
        ["rows", layer, _] => {
            let doubted = ["changed_during_read", "rows_not_counted"];
            let doubted = doubted.iter().any(|code| says_of(code, layer));
            doubted && held.is_some_and(|held| is_of_these_moments(held, name, truths))
        }
        ["data"] => says("data_empty") && held.is_none(),
        ["thumbnail"] => says("thumbnail_not_readable") && held.is_none(),
        ["metadata"] => says("metadata_not_readable") && held.is_none(),
        ["resources"] => says("resources_not_readable") || says("resource_empty"),
        _ => false,
    }
}

/// Every row was there at some moment, and none is there twice.
fn is_of_these_moments(held: &str, name: &str, truths: &[Groups]) -> bool {
    let truths = truths.iter().filter_map(|truth| truth.get(name));
    let rows: BTreeSet<&str> = truths.flat_map(|rows| rows.lines()).collect();
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    for row in held.lines() {
        let row: Value = serde_json::from_str(row).expect("a row");
        *ids.entry(row[0].to_string()).or_default() += 1;
    }
    held.lines().all(|row| rows.contains(row)) && ids.values().all(|count| *count == 1)
}
