//! `agol-backup snapshots`: what there is, and what the rules would do with it.

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use crate::archive::{Archive, Listed, Outline};
use crate::config::Keeping;
use crate::exit::{Exit, Stop};
use crate::retention::{self, Candidate, Verdict};
use crate::snapshot::Stamp;
use crate::telemetry;

/// One snapshot, as `--json` tells it.
#[derive(Serialize)]
struct Line {
    stamp: Stamp,
    #[serde(flatten)]
    outline: Option<Outline>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
    /// The next prune removes it.
    goes: bool,
    /// Why it stays.
    keep: Vec<String>,
}

pub(super) async fn list(keeping: &Keeping, json: bool) -> Result<Exit, Stop> {
    let archive = Archive::open_existing(&keeping.destination)?;
    let survey = archive.survey().await?;
    let lines = judged(survey.snapshots, keeping);
    let text = if json {
        serde_json::to_string_pretty(&lines).map_err(anyhow::Error::from)? + "\n"
    } else {
        table(&lines, keeping)
    };
    telemetry::print(&text)?;
    Ok(Exit::Complete)
}

/// While one of them is damaged, none goes.
fn judged(listed: Vec<Listed>, keeping: &Keeping) -> Vec<Line> {
    let any_damaged = listed.iter().any(|one| one.outline.is_err());
    let verdicts = retention::retain(&candidates(&listed), &keeping.rules);
    let line = |one: Listed| {
        let verdict = verdicts.iter().find(|verdict| verdict.stamp == one.stamp);
        let reasons = verdict.map_or(&[][..], |verdict| &verdict.keep);
        Line {
            goes: !any_damaged && verdict.is_some_and(Verdict::is_removal),
            keep: reasons.iter().map(ToString::to_string).collect(),
            damage: one.outline.as_ref().err().map(ToString::to_string),
            outline: one.outline.ok(),
            stamp: one.stamp,
        }
    };
    listed.into_iter().map(line).collect()
}

/// Those that can be read.
pub(super) fn candidates(listed: &[Listed]) -> Vec<Candidate> {
    let candidate = |one: &Listed| {
        Some(Candidate {
            stamp: one.stamp.clone(),
            complete: one.outline.as_ref().ok()?.complete,
        })
    };
    listed.iter().filter_map(candidate).collect()
}

fn table(lines: &[Line], keeping: &Keeping) -> String {
    if lines.is_empty() {
        return format!("no snapshot in {}\n", keeping.destination);
    }
    let mut text = format!(
        "{:<16}  {:<10}  {:>7}  {:>13}  {:>11}  {}\n",
        "snapshot", "complete", "items", "rows", "size", "why it stays"
    );
    for line in lines {
        text.push_str(&row(line));
    }
    if lines.iter().any(|line| line.damage.is_some()) {
        text.push_str("\nWhile a snapshot is damaged nothing is pruned: restore its file, or delete it and\nthe one of its name in history/ by hand.\n");
    } else if keeping.rules.is_empty() {
        text.push_str("\nNo BACKUP_KEEP_ rule is set, so nothing is ever removed.\n");
    }
    text
}

fn row(line: &Line) -> String {
    let stamp = &line.stamp;
    let Some(outline) = &line.outline else {
        let damage = line.damage.as_deref().unwrap_or_default();
        return format!("{stamp}  damaged: {damage}\n");
    };
    let complete = match outline.kept + outline.missing {
        0 => "yes".to_owned(),
        failed => format!("{failed} failed"),
    };
    let why = if line.goes {
        "goes".to_owned()
    } else {
        line.keep.join(", ")
    };
    format!(
        "{stamp}  {complete:<10}  {:>7}  {:>13}  {:>11}  {why}\n",
        HumanCount(outline.items).to_string(),
        HumanCount(outline.rows).to_string(),
        HumanBytes(outline.bytes).to_string(),
    )
}
