//! `agol-backup verify --repair`: marks what is damaged by a new snapshot, in which these items stand as failed. So the next
//! pass reads them anew, and what is good stays named. No file is altered or removed.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use tracing::info;

use crate::PROGRAM;
use crate::archive::{Archive, Finding, Hold, Verified, Wish};
use crate::exit::{Exit, Stop};
use crate::progress::Progress;
use crate::snapshot::{Entry, Failure, Snapshot, State, now};
use crate::summary::History;

/// Verifies the newest snapshot that can be read, and marks what it finds.
pub(super) async fn run(
    archive: &Archive,
    wish: &Wish,
    progress: &Progress,
) -> Result<Verified, Stop> {
    let started = now();
    let hold = archive.hold(started).await?;
    let marked = mark(archive, &hold, started, wish, progress).await;
    let released = hold.release(false).await;
    let verified = marked?;
    released?;
    Ok(verified)
}

async fn mark(
    archive: &Archive,
    hold: &Hold,
    started: Timestamp,
    wish: &Wish,
    progress: &Progress,
) -> Result<Verified, Stop> {
    let Some(newest) = archive.newest_snapshot().await? else {
        return Err(Stop::Empty("there is no readable snapshot".to_owned()));
    };
    let wish = Wish {
        stamps: vec![newest.stamp.clone()],
        ..wish.clone()
    };
    let verified = archive.verify(&wish, progress).await?;
    let damaged = by_item(&verified.findings);
    if damaged.is_empty() {
        return Ok(verified);
    }
    let records = verified
        .findings
        .iter()
        .filter_map(|finding| finding.record.clone());
    let ids: HashSet<String> = damaged.keys().map(|id| (*id).to_owned()).collect();
    let mut older = archive.whole_copies(ids, &records.collect()).await?;
    let marked = |entry: Entry| match damaged.get(entry.id.as_str()) {
        None => unchanged(entry),
        Some(finding) => failed(&entry, finding, older.remove(&entry.id)),
    };
    let snapshot = Snapshot {
        stamp: hold.stamp.clone(),
        program: PROGRAM.to_owned(),
        started_at: started,
        finished_at: now(),
        complete: false,
        items: newest.items.into_iter().map(marked).collect(),
        ..newest
    };
    let sha256 = archive.commit(hold, &snapshot).await?;
    info!(
        stamp = snapshot.stamp.as_str(),
        complete = snapshot.complete,
        items = snapshot.items.len(),
        marked = damaged.len(),
        "snapshot committed"
    );
    let mut history = History::begun(started);
    history.tell_of(&snapshot.items);
    history.snapshot_sha256 = Some(sha256);
    let summary = &mut history.summary;
    summary.stamp = Some(snapshot.stamp.clone());
    summary.close(Exit::Damaged, Some("damaged items were marked".to_owned()));
    archive.remember(&hold.stamp, &history).await?;
    Ok(verified)
}

/// The first finding of each item.
fn by_item(findings: &[Finding]) -> HashMap<&str, &Finding> {
    let mut items = HashMap::new();
    for finding in findings {
        if let Some((id, _)) = &finding.item {
            items.entry(id.as_str()).or_insert(finding);
        }
    }
    items
}

fn unchanged(entry: Entry) -> Entry {
    let state = match entry.state {
        State::Stored => State::Unchanged,
        other => other,
    };
    Entry { state, ..entry }
}

/// An older copy that is whole takes its place; without one the item is missing until the next pass.
fn failed(entry: &Entry, finding: &Finding, older: Option<Entry>) -> Entry {
    let Entry {
        id,
        title,
        kind,
        owner,
        ..
    } = entry;
    let failure = Failure {
        stage: "verify".to_owned(),
        message: format!("{}: {}", finding.path, finding.damage),
    };
    let missing = Entry::without_copy(id, title, kind, owner, State::Missing);
    Entry::failed(missing, older, failure)
}
