//! What decide needs to know: the items there are, and the edit dates of their services.

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt;
use tracing::info;

use super::Pass;
use crate::config::Scope;
use crate::decide::{self, Observed, Policy};
use crate::exit::Stop;
use crate::item::Item;
use crate::snapshot::{Entry, Snapshot};

impl Pass<'_> {
    /// What there is, without the temporary items of passes, of which dead ones are removed on the way.
    pub(super) async fn discover(&self, policy: &Policy<'_>) -> Result<Vec<Item>, Stop> {
        let scope = &self.config.selection.scope;
        let mut listed = self.portal.discover(scope).await?;
        let ended = self.hold.ended();
        let temporary = match scope {
            Scope::Mine | Scope::Org => self.portal.sweep(&listed, &ended).await,
            Scope::Query(_) => {
                self.portal
                    .sweep(&self.portal.temporary_items().await?, &ended)
                    .await
            }
        };
        listed.retain(|item| !temporary.contains(&item.id));
        let found = listed.len();
        let items = decide::select(listed, policy);
        info!(
            items = items.len(),
            of_other_types = found - items.len(),
            "discovered"
        );
        Ok(items)
    }

    /// Asks the services for their edit dates, where only these can tell whether anything changed.
    pub(super) async fn observe(
        &self,
        items: &[Item],
        newest: Option<&Snapshot>,
        policy: &Policy<'_>,
    ) -> Result<BTreeMap<String, Observed>, Stop> {
        let earlier: HashMap<&str, &Entry> = newest
            .iter()
            .flat_map(|snapshot| &snapshot.items)
            .map(|entry| (entry.id.as_str(), entry))
            .collect();
        let open = items.iter().filter(|item| {
            decide::needs_a_look(item, earlier.get(item.id.as_str()).copied(), policy)
        });
        let looks =
            futures::stream::iter(open).map(async |item| match self.portal.service(item).await {
                Ok(service) => {
                    let observed = Observed {
                        dates: service.edit_dates(),
                        tells_all: service.tells_all_dates(),
                    };
                    Ok(Some((item.id.clone(), observed)))
                }
                Err(error) if error.is_of_the_account() => Err(Stop::from(error)),
                // Reading will fail too, and say why.
                Err(_) => Ok(None),
            });
        let mut looks = looks.buffer_unordered(self.config.concurrency);
        let mut observed = BTreeMap::new();
        while let Some(look) = looks.next().await {
            observed.extend(look?);
        }
        Ok(observed)
    }
}
