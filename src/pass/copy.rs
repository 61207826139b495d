//! Moves one item: reads every part of it into a new version, and says in one entry how that ended.

use futures::future;
use tracing::{info, warn};

use super::Pass;
use super::trouble::Trouble;
use crate::archive::Sealed;
use crate::decide::{Action, Reason};
use crate::exit::Stop;
use crate::item::Item;
use crate::snapshot::{Change, Entry, Failure, State, now};

impl Pass<'_> {
    /// Does what was decided about an item. An error here ends the pass.
    pub(super) async fn move_item(
        &self,
        item: &Item,
        action: Action,
        settings: &str,
    ) -> Result<Entry, Stop> {
        let (reason, earlier) = match action {
            Action::Keep(entry) => return Ok(*entry),
            Action::Skip(why) => {
                info!(
                    item = item.id,
                    title = item.title,
                    r#type = item.kind,
                    reason = why,
                    "item skipped"
                );
                return Ok(Entry {
                    reason: Some(why),
                    ..blank(item, State::Skipped)
                });
            }
            Action::Read { reason, earlier } => (reason, earlier),
        };
        if self.is_out_of_time() {
            let failure = Failure {
                stage: "time".to_owned(),
                message: "not begun before BACKUP_MAX_DURATION".to_owned(),
            };
            return Ok(failed(item, earlier.as_deref(), failure));
        }
        match Box::pin(self.copy(item, reason, earlier.as_deref(), settings)).await {
            Ok(entry) => {
                let (rows, bytes, notes) = (entry.rows, entry.bytes, entry.notes);
                info!(
                    item = item.id,
                    title = item.title,
                    r#type = item.kind,
                    files = entry.files,
                    rows,
                    bytes,
                    notes,
                    "item stored"
                );
                Ok(entry)
            }
            Err(Trouble::Item(failure)) => {
                let (stage, reason) = (failure.stage.as_str(), failure.message.as_str());
                warn!(
                    item = item.id,
                    title = item.title,
                    r#type = item.kind,
                    stage,
                    reason,
                    "item failed"
                );
                Ok(failed(item, earlier.as_deref(), failure))
            }
            Err(Trouble::Pass(stop)) => Err(stop),
        }
    }

    fn is_out_of_time(&self) -> bool {
        self.config
            .max_duration
            .is_some_and(|limit| self.began.elapsed() >= limit)
    }

    async fn copy(
        &self,
        item: &Item,
        reason: Reason,
        earlier: Option<&Entry>,
        settings: &str,
    ) -> Result<Entry, Trouble> {
        let began = now();
        let earlier = earlier.filter(|_| reason.allows_reuse());
        let record = match earlier {
            Some(Entry {
                record: Some(path),
                record_sha256: Some(sha256),
                ..
            }) => self
                .archive
                .record(path, sha256)
                .await?
                .inspect_err(|damage| warn!(path, damage = %damage, "record damaged"))
                .ok(),
            _ => None,
        };
        let earlier_change = earlier
            .and_then(|entry| entry.change.as_ref())
            .filter(|_| record.is_some());
        let version = self.archive.version(item, &self.hold.stamp, record);
        let parts = future::try_join(
            self.copy_parts(item, &version),
            self.copy_service(item, &version, earlier_change),
        );
        let dates = match Box::pin(parts).await {
            Ok(((), dates)) => dates,
            Err(trouble) => {
                version.discard().await;
                return Err(trouble);
            }
        };
        let read_at = if dates.reused {
            earlier_change.map_or(began, |change| change.read_at)
        } else {
            began
        };
        let sealed = version.seal(item).await?;
        let change = Change {
            modified: item.modified,
            layers: dates.layers,
            read_at,
            settings: settings.to_owned(),
        };
        Ok(stored(item, change, sealed))
    }
}

fn blank(item: &Item, state: State) -> Entry {
    Entry {
        id: item.id.clone(),
        title: item.title.clone(),
        kind: item.kind.clone(),
        owner: item.owner.clone(),
        state,
        change: None,
        record: None,
        record_sha256: None,
        files: 0,
        bytes: 0,
        rows: 0,
        notes: 0,
        error: None,
        reason: None,
    }
}

fn stored(item: &Item, change: Change, sealed: Sealed) -> Entry {
    Entry {
        change: Some(change),
        files: sealed.record.files.len() as u64,
        bytes: sealed.record.bytes(),
        rows: sealed.record.rows(),
        notes: sealed.record.notes.len() as u64,
        record: Some(sealed.path),
        record_sha256: Some(sealed.sha256),
        ..blank(item, State::Stored)
    }
}

/// The last good copy stays named; without one the item is missing.
fn failed(item: &Item, earlier: Option<&Entry>, failure: Failure) -> Entry {
    match earlier {
        Some(earlier) => Entry {
            state: State::Kept,
            error: Some(failure),
            reason: None,
            ..earlier.clone()
        },
        None => Entry {
            error: Some(failure),
            ..blank(item, State::Missing)
        },
    }
}
