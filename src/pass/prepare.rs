//! What decide needs to know: the items there are, the copies there are, and the edit dates of services.

use std::collections::BTreeMap;

use futures::StreamExt;
use tracing::info;

use super::Pass;
use super::copy::stored;
use crate::config::Scope;
use crate::decide::{self, Observed, Policy, Selected};
use crate::exit::Stop;
use crate::item::Item;
use crate::portal::{Portal, Service};
use crate::snapshot::{Change, Entry, Snapshot};

/// What a service tells of its edits.
pub(crate) fn observed(service: &Service) -> Observed {
    Observed {
        dates: service.edit_dates(),
        tells_all: service.tells_all_dates(),
    }
}

impl Pass<'_> {
    /// What there is, without the temporary items of passes, of which dead ones are removed on the way.
    pub(super) async fn discover(&self, policy: &Policy<'_>) -> Result<Selected, Stop> {
        let scope = &self.config.selection.scope;
        let listed = self.portal.discover(scope).await?;
        let is_temporary = |item: &Item| self.portal.is_temporary(item);
        let (mut temporary, listed): (Vec<_>, Vec<_>) = listed.into_iter().partition(is_temporary);
        if matches!(scope, Scope::Query(_)) {
            temporary = self.portal.temporary_items().await?;
        }
        temporary.retain(|item| self.may_sweep(item));
        self.portal.sweep(&temporary, self.hold.dead()).await;
        let selected = decide::select(listed, policy);
        info!(
            items = selected.items.len(),
            of_other_types = selected.of_other_types,
            of_other_parts = selected.of_other_parts,
            "discovered"
        );
        Ok(selected)
    }

    /// Another part's pass may have the stamp of one that this part's destination knows to be dead: what it
    /// made is known by the item that it was made of.
    fn may_sweep(&self, temporary: &Item) -> bool {
        let source = Portal::source_of(temporary);
        let shard = self.config.selection.shard;
        shard.is_none_or(|shard| source.is_some_and(|id| shard.holds(id)))
    }

    /// The entries of the newest snapshot. Where a pass that came to no commit finished a later copy of an
    /// item, that one takes the place of its entry, and is not read again as long as it holds.
    pub(super) async fn adopt(
        &self,
        items: &[Item],
        newest: Option<Snapshot>,
        policy: &Policy<'_>,
    ) -> Result<Vec<Entry>, Stop> {
        let (stamp, entries) = newest.map(|newest| (newest.stamp, newest.items)).unzip();
        let mut entries = entries.unwrap_or_default();
        let passes = self.archive.uncommitted(self.hold, stamp.as_ref()).await?;
        if passes.is_empty() {
            return Ok(entries);
        }
        let earlier = decide::by_id(&entries);
        let open = items.iter().filter(|item| {
            decide::may_be_read(item, earlier.get(item.id.as_str()).copied(), policy)
        });
        let finds = futures::stream::iter(open).map(async |item| {
            let found = self.archive.finished_version(item, &passes).await?;
            let serves = |change: &Change| change.settings == policy.settings;
            let found = found.filter(|found| found.record.change.as_ref().is_some_and(serves));
            Ok::<_, Stop>(found.map(|found| (item.id.clone(), stored(item, found))))
        });
        let mut finds = finds.buffer_unordered(self.config.concurrency);
        let mut adopted = BTreeMap::new();
        while let Some(find) = finds.next().await {
            adopted.extend(find?);
        }
        drop(finds);
        info!(records = adopted.len(), "records taken over");
        entries.retain(|entry| !adopted.contains_key(&entry.id));
        entries.extend(adopted.into_values());
        Ok(entries)
    }

    /// Asks the services for their edit dates, where only these can tell whether anything changed.
    pub(super) async fn observe(
        &self,
        items: &[Item],
        earlier: &[Entry],
        policy: &Policy<'_>,
    ) -> Result<BTreeMap<String, Observed>, Stop> {
        let earlier = decide::by_id(earlier);
        let open = items.iter().filter(|item| {
            decide::needs_a_look(item, earlier.get(item.id.as_str()).copied(), policy)
        });
        let looks =
            futures::stream::iter(open).map(async |item| match self.portal.service(item).await {
                Ok(service) => Ok(Some((item.id.clone(), observed(&service)))),
                Err(error) if error.is_of_the_account() => Err(Stop::from(error)),
                // Reading will fail too, and say why.
                Err(_) => Ok(None),
            });
        let mut looks = looks.buffer_unordered(self.config.concurrency);
        let mut all = BTreeMap::new();
        while let Some(look) = looks.next().await {
            all.extend(look?);
        }
        Ok(all)
    }
}
