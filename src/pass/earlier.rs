//! The copy that there is of an item: whether it may be named again.

use std::collections::HashSet;

use tracing::warn;

use super::Pass;
use crate::exit::Stop;
use crate::snapshot::{Entry, Record};

/// A copy whose files are all there.
pub(super) struct Earlier {
    pub(super) entry: Entry,
    pub(super) record: Record,
}

impl Pass<'_> {
    /// The copy, if it is sound. A damaged one is told, and an older one takes its place where there is one.
    /// True when that is so.
    pub(super) async fn sound(&self, entry: Entry) -> Result<(Option<Earlier>, bool), Stop> {
        let (path, damage) = match self.record_of(&entry).await? {
            Ok(record) => return Ok((Some(Earlier { entry, record }), false)),
            Err(damaged) => damaged,
        };
        warn!(
            item = entry.id,
            title = entry.title,
            path,
            damage,
            "copy damaged"
        );
        let ids = HashSet::from([entry.id.clone()]);
        let besides = entry.record.iter().cloned().collect();
        let mut older = self.archive.whole_copies(ids, &besides).await?;
        let Some(older) = older.remove(&entry.id) else {
            return Ok((None, true));
        };
        let record = self.record_of(&older).await?.ok();
        let older = record.map(|record| Earlier {
            entry: older,
            record,
        });
        Ok((older, true))
    }

    async fn record_of(&self, entry: &Entry) -> Result<Result<Record, (String, String)>, Stop> {
        let (Some(path), Some(sha256)) = (&entry.record, &entry.record_sha256) else {
            return Ok(Err((String::new(), "no record".to_owned())));
        };
        let record = self.archive.sound_record(path, sha256).await?;
        Ok(record.map_err(|(path, damage)| (path, damage.to_string())))
    }
}
