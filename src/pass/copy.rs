//! Moves one item: reads every part of it into a new version, and says in one entry how that ended.

use futures::future;
use tracing::{info, warn};

use super::Pass;
use super::earlier::Earlier;
use super::trouble::Trouble;
use crate::archive::Sealed;
use crate::decide::{Action, Reason};
use crate::exit::Stop;
use crate::item::Item;
use crate::snapshot::{Change, Entry, Failure, Record, State, now};

impl Pass<'_> {
    /// Does what was decided about an item. An error here ends the pass.
    pub(super) async fn move_item(
        &self,
        item: &Item,
        action: Action,
        settings: &str,
    ) -> Result<Entry, Stop> {
        match action {
            Action::Skip(why) => Ok(skipped(item, why)),
            Action::Keep(entry) => match self.sound(*entry).await? {
                (Some(sound), false) => Ok(sound.entry),
                (older, _) => self.read(item, Reason::Damaged, older, settings).await,
            },
            Action::Read {
                reason,
                earlier: Some(entry),
            } => {
                let (earlier, damaged) = self.sound(*entry).await?;
                let reason = if damaged { Reason::Damaged } else { reason };
                self.read(item, reason, earlier, settings).await
            }
            Action::Read {
                reason,
                earlier: None,
            } => self.read(item, reason, None, settings).await,
        }
    }

    async fn read(
        &self,
        item: &Item,
        reason: Reason,
        earlier: Option<Earlier>,
        settings: &str,
    ) -> Result<Entry, Stop> {
        let (earlier, record) = earlier.map(|copy| (copy.entry, copy.record)).unzip();
        if self.is_out_of_time() {
            let failure = Failure {
                stage: "time".to_owned(),
                message: "not begun before BACKUP_MAX_DURATION".to_owned(),
            };
            return Ok(failed(item, earlier, failure));
        }
        let change = earlier.as_ref().and_then(|entry| entry.change.as_ref());
        let is_for_this = change.is_some_and(|change| change.settings == settings);
        let reused = change
            .zip(record)
            .filter(|_| reason.allows_reuse() && is_for_this);
        match Box::pin(self.portal.bounded(self.copy(item, reused, settings))).await {
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
                Ok(failed(item, earlier, failure))
            }
            Err(Trouble::Pass(stop)) => Err(stop),
        }
    }

    fn is_out_of_time(&self) -> bool {
        self.config
            .max_duration
            .is_some_and(|limit| self.began.elapsed() >= limit)
    }

    /// `earlier` is the copy whose parts may serve again.
    async fn copy(
        &self,
        item: &Item,
        earlier: Option<(&Change, Record)>,
        settings: &str,
    ) -> Result<Entry, Trouble> {
        let began = now();
        let (earlier_change, record) = earlier.unzip();
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
        let change = Change {
            modified: item.modified,
            layers: dates.layers,
            read_at,
            settings: settings.to_owned(),
        };
        Ok(stored(item, version.seal(item, change).await?))
    }
}

fn skipped(item: &Item, why: String) -> Entry {
    info!(
        item = item.id,
        title = item.title,
        r#type = item.kind,
        reason = why,
        "item skipped"
    );
    Entry {
        reason: Some(why),
        ..blank(item, State::Skipped)
    }
}

fn blank(item: &Item, state: State) -> Entry {
    Entry::without_copy(&item.id, &item.title, &item.kind, &item.owner, state)
}

/// The entry of a version that is whole.
pub(super) fn stored(item: &Item, sealed: Sealed) -> Entry {
    Entry {
        files: sealed.record.files.len() as u64,
        bytes: sealed.record.bytes(),
        rows: sealed.record.rows(),
        notes: sealed.record.notes.len() as u64,
        change: sealed.record.change,
        record: Some(sealed.path),
        record_sha256: Some(sealed.sha256),
        ..blank(item, State::Stored)
    }
}

fn failed(item: &Item, earlier: Option<Entry>, failure: Failure) -> Entry {
    Entry::failed(blank(item, State::Missing), earlier, failure)
}
