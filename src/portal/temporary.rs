//! Temporary export items: the only things this program creates in the organisation, and the only ones it
//! deletes. Each is written down before it is asked for, so that every path out can remove it.

mod ledger;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use tracing::{info, warn};

use super::Portal;
use super::call::{Call, below};
use super::error::Error;
use crate::item::Item;
use crate::snapshot::Stamp;
pub(super) use ledger::{Ledger, Temporary};

/// How the title of every temporary item begins.
pub const TITLE_PREFIX: &str = "agol-backup temporary ";
/// The tag of every temporary item.
pub(super) const TAG: &str = "agol-backup-temporary";

/// What an export can become in the portal.
const EXPORT_TYPES: [&str; 11] = [
    "GeoJson",
    "CSV",
    "CSV Collection",
    "KML",
    "KML Collection",
    "Shapefile",
    "File Geodatabase",
    "GeoPackage",
    "Microsoft Excel",
    "Feature Collection",
    "SQLite Geodatabase",
];

/// Items of passes that nobody vouches for are left alone until they are this old.
const OLD_ENOUGH: Duration = Duration::from_hours(6);

/// How often the last items of a pass are looked for, and asked to go; a second apart.
const LAST_ROUNDS: usize = 5;
/// As many as a pass may have under way: nothing else is asked any more.
const LAST_AT_ONCE: usize = 64;

/// Passes that died here, and the moment from which they certainly did nothing: what they made before may go
/// at once. Two passes of the same second have the same stamp, so what came later is another's.
pub type DeadPasses = HashMap<Stamp, Timestamp>;

impl Portal {
    /// Removes one item of this pass. A failure is told, and tried again at the end of the pass.
    pub(super) async fn remove(&self, temporary: &Temporary) {
        if self.take_away(temporary).await == Some(false) {
            self.temporary.strike(temporary);
        }
    }

    /// Removes whatever this pass still has in the organisation, side by side and waiting for nobody. Nothing
    /// else is to be asked any more. Returns what is left.
    pub async fn remove_leftovers(&self) -> usize {
        self.throttle.lift();
        futures::stream::iter(self.temporary.open())
            .for_each_concurrent(LAST_AT_ONCE, async |temporary| {
                for _ in 0..LAST_ROUNDS {
                    // One whose answer was not awaited may appear a moment later.
                    if self.take_away(&temporary).await == Some(true) {
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                self.remove(&temporary).await;
            })
            .await;
        self.temporary.open().len()
    }

    /// Whether the item was there and is gone now; `None` where that failed, which is told.
    async fn take_away(&self, temporary: &Temporary) -> Option<bool> {
        let taken = async {
            let Some(id) = self.id_of(temporary).await? else {
                return Ok(false);
            };
            self.delete(&temporary.user, &id).await?;
            info!(
                item = id,
                title = temporary.title,
                "temporary export removed"
            );
            self.temporary.strike(temporary);
            Ok::<_, Error>(true)
        };
        match taken.await {
            Ok(was_there) => Some(was_there),
            Err(error) => {
                warn!(title = temporary.title, error = %error, "temporary export not removed");
                None
            }
        }
    }

    /// Removes what dead passes left behind: ours by owner, title, tag and type, and certainly nobody's any
    /// more.
    pub async fn sweep(&self, listed: &[Item], dead: &DeadPasses) {
        let skew = self.traffic.clock_skew().unwrap_or(0);
        let portal_now = Timestamp::now().as_millisecond() - skew * 1_000;
        for item in listed {
            let Some(stamp) = stamp_of(item, self.account.username.as_deref()) else {
                continue;
            };
            let age = u64::try_from(portal_now - item.created).unwrap_or(0);
            let ended = dead.get(&stamp).map(|moment| moment.as_millisecond());
            let of_the_dead = ended.is_some_and(|ended| item.created <= ended);
            if !of_the_dead && Duration::from_millis(age) <= OLD_ENOUGH {
                continue;
            }
            match self.delete(&item.owner, &item.id).await {
                Ok(()) => info!(
                    item = item.id,
                    title = item.title,
                    "temporary export removed"
                ),
                Err(error) => {
                    warn!(item = item.id, title = item.title, error = %error, "temporary export not removed");
                }
            }
        }
    }

    /// Of some pass, and so no content.
    pub fn is_temporary(&self, item: &Item) -> bool {
        stamp_of(item, self.account.username.as_deref()).is_some()
    }

    /// The id of the item that a temporary one was made of, as its title tells.
    pub fn source_of(temporary: &Item) -> Option<&str> {
        let words = temporary.title.strip_prefix(TITLE_PREFIX)?;
        words.split(' ').nth(1)
    }

    /// The caller's temporary items, for scopes whose listing may not show them.
    pub async fn temporary_items(&self) -> Result<Vec<Item>, Error> {
        let Some(username) = &self.account.username else {
            return Ok(Vec::new());
        };
        let found = self
            .search(&format!("owner:\"{username}\" AND tags:\"{TAG}\""))
            .await?;
        Ok(found.into_values().collect())
    }

    /// The id, looked up by our title when the answer to the export was lost.
    async fn id_of(&self, temporary: &Temporary) -> Result<Option<String>, Error> {
        match &temporary.id {
            Some(id) => Ok(Some(id.clone())),
            None => self.find_temporary(temporary).await,
        }
    }

    /// Export items appear in the user's root folder; the newest are listed first.
    pub(super) async fn find_temporary(
        &self,
        temporary: &Temporary,
    ) -> Result<Option<String>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            items: Option<Vec<Item>>,
        }
        let call = Call::get(
            "content of the root folder",
            below(&self.rest, &["content", "users", &temporary.user]),
        )
        .with("start", "1")
        .with("num", "100")
        .with("sortField", "created")
        .with("sortOrder", "desc");
        let document: Bytes = self.document(&call).await?;
        // Another's title that is no text must not hide ours.
        let document = String::from_utf8_lossy(&document);
        let answer: Answer = serde_json::from_str(&document).map_err(|error| {
            Error::Untrue(format!(
                "content of the root folder: not a listing: {error}"
            ))
        })?;
        let ours = |item: &Item| {
            item.title == temporary.title && EXPORT_TYPES.contains(&item.kind.as_str())
        };
        Ok(answer
            .items
            .unwrap_or_default()
            .into_iter()
            .find(ours)
            .map(|item| item.id))
    }

    /// For good: without `permanentDelete` the item would fill the recycle bin for 14 days.
    async fn delete(&self, user: &str, id: &str) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            success: Option<bool>,
        }
        let url = below(
            &self.rest,
            &["content", "users", user, "items", id, "delete"],
        );
        let call = Call::post("delete", url)
            .with("f", "json")
            .with("permanentDelete", "true");
        let document = match self.document(&call).await {
            // Already gone.
            Err(Error::Refused { message, .. }) if message.contains("does not exist") => {
                return Ok(());
            }
            answer => answer?,
        };
        match serde_json::from_slice::<Answer>(&document) {
            Ok(Answer {
                success: Some(true),
            }) => Ok(()),
            _ => Err(Error::Unavailable(
                "the portal did not delete it".to_owned(),
            )),
        }
    }
}

/// The pass that made an item, if it is ours by owner, title, tag and type: all four.
fn stamp_of(item: &Item, username: Option<&str>) -> Option<Stamp> {
    let ours = username == Some(&item.owner)
        && item.has_tag(TAG)
        && EXPORT_TYPES.contains(&item.kind.as_str());
    let mut words = item.title.strip_prefix(TITLE_PREFIX)?.split(' ');
    let (stamp, source, layer) = (words.next()?, words.next()?, words.next()?);
    let well_formed = source.len() == 32 && !layer.is_empty() && words.next().is_none();
    (ours && well_formed).then(|| Stamp::parse(stamp)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_ours_only_by_owner_title_tag_and_type_together() {
        let ours = Item {
            owner: "me".to_owned(),
            title: format!("{TITLE_PREFIX}20261123T020000Z {} 0", "a".repeat(32)),
            tags: vec![TAG.to_owned()],
            kind: "GeoJson".to_owned(),
            ..Item::default()
        };
        assert!(stamp_of(&ours, Some("me")).is_some());
        let look_alikes = [
            Item {
                owner: "other".to_owned(),
                ..ours.clone()
            },
            Item {
                title: "agol-backup temporary files".to_owned(),
                ..ours.clone()
            },
            Item {
                title: ours.title.replace("20261123", "yesterday"),
                ..ours.clone()
            },
            Item {
                tags: Vec::new(),
                ..ours.clone()
            },
            Item {
                kind: "Feature Service".to_owned(),
                ..ours.clone()
            },
        ];
        for look_alike in look_alikes {
            assert_eq!(stamp_of(&look_alike, Some("me")), None, "{look_alike:?}");
        }
        assert_eq!(stamp_of(&ours, None), None);
    }
}
