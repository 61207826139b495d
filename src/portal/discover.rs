//! The list of items, complete or an error: a short list must never be taken for a complete one.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::Portal;
use super::call::{Call, below};
use super::error::Error;
use crate::config::Scope;
use crate::item::Item;

/// Items per page, the most that the portal gives.
const PAGE: usize = 100;
/// No organisation has more items.
const LONGEST_LISTING: usize = 5_000_000;
/// How often a listing that changes while it is read is begun.
const LISTINGS: usize = 3;

/// One page of any listing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    total: Option<usize>,
    /// -1 at the end. Asking for that would give the first page again.
    #[serde(default)]
    next_start: Option<i64>,
    #[serde(default, alias = "results")]
    items: Option<Vec<Item>>,
    #[serde(default)]
    folders: Option<Vec<Folder>>,
}

#[derive(Deserialize)]
struct Folder {
    id: String,
}

/// How a listing ended.
pub(super) enum Listing {
    /// Every item was listed; the root folder also names the others, by id.
    Whole { folders: Vec<String> },
    /// It has more items than can be paged.
    TooLong,
}

/// What a listing gave so far, each item once however often the pages shift.
pub(super) type Found = BTreeMap<String, Item>;

impl Portal {
    /// Lists what the scope holds: every type, each item once, by id.
    pub async fn discover(&self, scope: &Scope) -> Result<Vec<Item>, Error> {
        let listing = async {
            match scope {
                Scope::Mine => self.list_mine().await,
                Scope::Org => self.list_organisation().await,
                Scope::Query(query) => self.search(query).await,
            }
        };
        let found = Box::pin(self.bounded(listing)).await?;
        Ok(found.into_values().collect())
    }

    pub(super) fn username(&self) -> Result<&str, Error> {
        self.account.username.as_deref().ok_or_else(|| {
            let message = "the credentials belong to an application, not to a user: use BACKUP_SCOPE=org or query".to_owned();
            Error::SignIn(message)
        })
    }

    /// The root folder and every other one, from the user's own content: no search index is asked. A folder
    /// that goes meanwhile may have given its items to one that was listed before, so all is listed anew.
    async fn list_mine(&self) -> Result<Found, Error> {
        let home = below(&self.rest, &["content", "users", self.username()?]);
        let mut patience = self.patience();
        loop {
            match self.list_folders(&home).await {
                Err(error @ Error::Refused { .. }) => {
                    patience.again("content of the folders", error, LISTINGS, self)?;
                }
                listed => return listed,
            }
        }
    }

    async fn list_folders(&self, home: &Url) -> Result<Found, Error> {
        let mut found = Found::new();
        let root = Call::get("content of the root folder", home.clone());
        let mut folders = self.list_whole(&root, &mut found).await?;
        folders.sort();
        folders.dedup();
        for folder in folders {
            let call = Call::get("content of a folder", below(home, &[&folder]));
            self.list_whole(&call, &mut found).await?;
        }
        Ok(found)
    }

    async fn list_organisation(&self) -> Result<Found, Error> {
        let org_id = self.account.org_id.as_deref().unwrap_or("self");
        let mut found = Found::new();
        let url = below(&self.rest, &["content", "portals", org_id]);
        let call = Call::get("content of the organisation", url);
        match self.list_whole(&call, &mut found).await {
            // The listing needs an administrator's right to see all items; a search needs none.
            Err(Error::Refused { .. }) => self.search(&format!("orgid:{org_id}")).await,
            listed => listed.map(|_folders| found),
        }
    }

    /// A listing that has no window. Returns the ids of the folders that it names.
    async fn list_whole(&self, call: &Call, found: &mut Found) -> Result<Vec<String>, Error> {
        match self.list(call, usize::MAX, found).await? {
            Listing::Whole { folders } => Ok(folders),
            Listing::TooLong => Ok(Vec::new()),
        }
    }

    /// Follows a listing to its end and compares with the total that the portal names. Items that come or
    /// go meanwhile shift the pages, and one can slip through: when the total moves, it is listed again.
    pub(super) async fn list(
        &self,
        call: &Call,
        longest: usize,
        found: &mut Found,
    ) -> Result<Listing, Error> {
        let mut patience = self.patience();
        loop {
            if let Some((listing, items)) = self.list_once(call, longest).await? {
                found.extend(items);
                return Ok(listing);
            }
            let message = format!("{}: it changes while it is listed", call.subject);
            patience.again(&call.subject, Error::Untrue(message), LISTINGS, self)?;
        }
    }

    /// `None` when the total moved.
    async fn list_once(
        &self,
        call: &Call,
        longest: usize,
    ) -> Result<Option<(Listing, Found)>, Error> {
        let (mut start, mut total) = (1, None);
        let (mut found, mut folders) = (Found::new(), Vec::new());
        loop {
            let page = self.page(call, start).await?;
            if page.total.is_some_and(|total| total > longest) {
                return Ok(Some((Listing::TooLong, Found::new())));
            }
            if total.is_some() && page.total != total {
                return Ok(None);
            }
            total = page.total;
            let next = next_start(&page, start)?;
            folders.extend(
                page.folders
                    .unwrap_or_default()
                    .into_iter()
                    .map(|folder| folder.id),
            );
            for item in page.items.unwrap_or_default() {
                found.insert(item.id.clone(), item);
            }
            match next {
                Some(_) if found.len() > LONGEST_LISTING => {
                    let message = format!("{}: a listing without an end", call.subject);
                    return Err(Error::Untrue(message));
                }
                Some(next) => start = next,
                None => break,
            }
        }
        match total {
            Some(total) if found.len() < total => Err(Error::Untrue(format!(
                "{}: {} of {total} items were listed",
                call.subject,
                found.len()
            ))),
            _ => Ok(Some((Listing::Whole { folders }, found))),
        }
    }

    async fn page(&self, call: &Call, start: usize) -> Result<Page, Error> {
        let call = call
            .clone()
            .with("start", start.to_string())
            .with("num", PAGE.to_string())
            .with("sortField", "created")
            .with("sortOrder", "asc");
        let document = self.document(&call).await?;
        // A title that is not UTF-8 must not hide the other items; what is kept of an item is fetched anew.
        let document = String::from_utf8_lossy(&document);
        let page: Page = serde_json::from_str(&document)
            .map_err(|error| Error::Untrue(format!("{}: not a listing: {error}", call.subject)))?;
        if page.items.is_none() {
            return Err(Error::Untrue(format!(
                "{}: an answer without items",
                call.subject
            )));
        }
        Ok(page)
    }
}

/// Where the next page begins. One that leads back would never end, nor would pages without items.
fn next_start(page: &Page, start: usize) -> Result<Option<usize>, Error> {
    match page.next_start {
        None | Some(..=0) => Ok(None),
        Some(_) if page.items.as_ref().is_none_or(Vec::is_empty) => Ok(None),
        Some(next) => match usize::try_from(next) {
            Ok(next) if next > start => Ok(Some(next)),
            _ => Err(Error::Untrue(format!(
                "a listing leads back from {start} to {next}"
            ))),
        },
    }
}
