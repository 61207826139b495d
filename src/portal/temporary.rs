//! Temporary export items: the only things this program creates in the organisation, and the only ones it
//! deletes. Each is written down before it is asked for, so that every path out can remove it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
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

/// Passes that this destination knows to have ended: their items may go at once.
pub type EndedPasses = HashSet<Stamp>;

/// An item that this pass has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Temporary {
    /// In whose content it lies.
    pub(super) user: String,
    pub(super) title: String,
    /// Unknown until the portal has answered.
    pub(super) id: Option<String>,
}

/// What this pass has asked for and not yet removed.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Vec<Temporary>>);

impl Ledger {
    /// Titles are unique in a pass, so a title stands for its item.
    pub(super) fn note(&self, temporary: Temporary) {
        self.change(|all| {
            all.retain(|other| other.title != temporary.title || other.user != temporary.user);
            all.push(temporary);
        });
    }

    fn strike(&self, temporary: &Temporary) {
        self.change(|all| {
            all.retain(|other| other.title != temporary.title || other.user != temporary.user);
        });
    }

    fn open(&self) -> Vec<Temporary> {
        self.change(|all| all.clone())
    }

    fn change<T>(&self, act: impl FnOnce(&mut Vec<Temporary>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Portal {
    /// Removes one item of this pass. A failure is told, and tried again at the end of the pass.
    pub(super) async fn remove(&self, temporary: &Temporary) {
        let removed = match self.id_of(temporary).await {
            Ok(Some(id)) => self.delete(&temporary.user, &id).await.map(|()| Some(id)),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match removed {
            Ok(id) => {
                if let Some(item) = id {
                    info!(item, title = temporary.title, "temporary export removed");
                }
                self.temporary.strike(temporary);
            }
            Err(error) => {
                warn!(title = temporary.title, error = %error, "temporary export not removed");
            }
        }
    }

    /// Removes whatever this pass still has in the organisation, side by side. Returns what is left.
    pub async fn remove_leftovers(&self) -> usize {
        let open = self.temporary.open();
        if open.iter().any(|temporary| temporary.id.is_none()) {
            // Asked for, and the answer not awaited: the item appears a moment later.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        futures::stream::iter(&open)
            .for_each_concurrent(8, |temporary| self.remove(temporary))
            .await;
        self.temporary.open().len()
    }

    /// Removes what dead passes left behind: ours by owner, title, tag and type, and certainly nobody's any
    /// more.
    pub async fn sweep(&self, listed: &[Item], ended: &EndedPasses) {
        let skew = self.traffic.clock_skew().unwrap_or(0);
        let portal_now = Timestamp::now().as_millisecond() - skew * 1_000;
        for item in listed {
            let Some(stamp) = stamp_of(item, self.account.username.as_deref()) else {
                continue;
            };
            let age = u64::try_from(portal_now - item.created).unwrap_or(0);
            if !ended.contains(&stamp) && Duration::from_millis(age) <= OLD_ENOUGH {
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
        let answer: Answer = serde_json::from_slice(&document).map_err(|error| {
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
