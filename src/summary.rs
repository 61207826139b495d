//! How a pass ended, in numbers: the same in the last log line, the summary file and the history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::snapshot::{Entry, Failure, Stamp, State};

/// Bytes of a reason: with it the summary still fits into the 4096 bytes that Kubernetes keeps of a
/// termination message.
const LONGEST_ERROR: usize = 1_500;

/// The closing account of a pass.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// The process' exit code.
    pub exit: u8,
    /// Its name, such as `complete`.
    pub outcome: String,
    /// Names the pass; `None` when it ended before it held the destination.
    pub stamp: Option<Stamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// Items read in this pass.
    pub stored: u64,
    /// Items whose earlier copy still holds.
    pub unchanged: u64,
    /// Items that failed and have an earlier copy.
    pub kept: u64,
    /// Items that failed and have none.
    pub missing: u64,
    /// Items not to be read.
    pub skipped: u64,
    /// Rows read in this pass.
    pub rows: u64,
    /// Bytes stored in this pass.
    pub bytes: u64,
    /// Requests sent to the portal.
    pub requests: u64,
    /// Questions asked again.
    pub retries: u64,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Days until the refresh token ends.
    pub token_days_left: DaysLeft,
    /// Why it ended, unless it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Unknown is said as unknown: a plain refresh token does not tell when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DaysLeft {
    /// Whole days, negative when past.
    Days(i64),
    /// Written as the word.
    Unknown(Unknown),
}

/// The word `unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// `"unknown"`.
    Unknown,
}

impl DaysLeft {
    /// So soon that a person must be told.
    pub fn end_soon(self) -> bool {
        matches!(self, Self::Days(days) if days < 14)
    }

    /// From the moment of the end, where it is known.
    pub fn until(end: Option<Timestamp>, now: Timestamp) -> Self {
        match end {
            Some(end) => Self::Days(end.duration_since(now).as_secs().div_euclid(86_400)),
            None => Self::Unknown(Unknown::Unknown),
        }
    }
}

impl Summary {
    /// An account with nothing in it yet.
    pub fn begun(started_at: Timestamp) -> Self {
        Self {
            exit: Exit::Internal.code(),
            outcome: Exit::Internal.name().to_owned(),
            stamp: None,
            started_at,
            stored: 0,
            unchanged: 0,
            kept: 0,
            missing: 0,
            skipped: 0,
            rows: 0,
            bytes: 0,
            requests: 0,
            retries: 0,
            elapsed_ms: 0,
            token_days_left: DaysLeft::Unknown(Unknown::Unknown),
            error: None,
        }
    }

    /// Says how it ended.
    pub fn close(&mut self, exit: Exit, error: Option<String>) {
        self.exit = exit.code();
        exit.name().clone_into(&mut self.outcome);
        self.error = error.map(shortened);
    }

    /// Counts an item by what was done about it.
    pub fn count(&mut self, state: State) {
        match state {
            State::Stored => self.stored += 1,
            State::Unchanged => self.unchanged += 1,
            State::Kept => self.kept += 1,
            State::Missing => self.missing += 1,
            State::Skipped => self.skipped += 1,
        }
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST_ERROR {
        text.truncate(text.floor_char_boundary(LONGEST_ERROR));
        text.push('…');
    }
    text
}

/// `history/<stamp>.json`: the summary, and each item that failed and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// What the last log line says.
    #[serde(flatten)]
    pub summary: Summary,
    /// Of the snapshot that the pass committed: what vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_sha256: Option<String>,
    /// In the order of their ids.
    pub failed: Vec<Failed>,
}

/// An item that is kept or missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// The item's id.
    pub id: String,
    /// The item's title.
    pub title: String,
    /// The item's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether an earlier copy is kept.
    pub state: State,
    /// Why it failed.
    pub error: Option<Failure>,
}

impl History {
    /// An account with nothing in it yet.
    pub fn begun(started_at: Timestamp) -> Self {
        Self {
            summary: Summary::begun(started_at),
            snapshot_sha256: None,
            failed: Vec::new(),
        }
    }

    /// Counts the items of the pass, and names those that failed.
    pub fn tell_of(&mut self, items: &[Entry]) {
        for entry in items {
            self.summary.count(entry.state);
        }
        let failed = items
            .iter()
            .filter(|entry| matches!(entry.state, State::Kept | State::Missing));
        let failed = failed.map(|entry| Failed {
            id: entry.id.clone(),
            title: entry.title.clone(),
            kind: entry.kind.clone(),
            state: entry.state,
            error: entry.error.clone(),
        });
        self.failed = failed.collect();
    }
}
