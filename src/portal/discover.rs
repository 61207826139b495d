//! The list of items, complete or an error: a short list must never be taken for a complete one.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Portal;
use super::call::{Call, below};
use super::error::Error;
use crate::config::Scope;
use crate::item::Item;

/// Items per page, the most that the portal gives.
const PAGE: usize = 100;

/// One page of any listing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(default)]
    pub(super) total: Option<usize>,
    /// -1 at the end. Asking for that would give the first page again.
    #[serde(default)]
    pub(super) next_start: Option<i64>,
    #[serde(default, alias = "results")]
    pub(super) items: Option<Vec<Item>>,
    #[serde(default)]
    folders: Option<Vec<Folder>>,
}

#[derive(Deserialize)]
struct Folder {
    id: String,
}

/// What a listing gave so far, each item once however often the pages shift.
pub(super) type Found = BTreeMap<String, Item>;

impl Portal {
    /// Lists what the scope holds: every type, each item once, by id.
    pub async fn discover(&self, scope: &Scope) -> Result<Vec<Item>, Error> {
        let found = match scope {
            Scope::Mine => self.list_mine().await?,
            Scope::Org => self.list_organisation().await?,
            Scope::Query(query) => self.search(query).await?,
        };
        Ok(found.into_values().collect())
    }

    pub(super) fn username(&self) -> Result<&str, Error> {
        self.account.username.as_deref().ok_or_else(|| {
            let message = "the credentials belong to an application, not to a user: use BACKUP_SCOPE=org or query".to_owned();
            Error::SignIn(message)
        })
    }

    /// The root folder and every other one, from the user's own content: no search index is asked.
    async fn list_mine(&self) -> Result<Found, Error> {
        let home = below(&self.rest, &["content", "users", self.username()?]);
        let mut found = Found::new();
        let mut folders = Vec::new();
        let root = Call::get("content of the root folder", home.clone());
        self.list(&root, &mut found, |page| {
            folders.extend(page.folders.take().unwrap_or_default());
        })
        .await?;
        folders.sort_by(|a, b| a.id.cmp(&b.id));
        folders.dedup_by(|a, b| a.id == b.id);
        for folder in folders {
            let call = Call::get("content of a folder", below(&home, &[&folder.id]));
            self.list(&call, &mut found, |_| {}).await?;
        }
        Ok(found)
    }

    async fn list_organisation(&self) -> Result<Found, Error> {
        let org_id = self.account.org_id.as_deref().unwrap_or("self");
        let mut found = Found::new();
        let call = Call::get(
            "content of the organisation",
            below(&self.rest, &["content", "portals", org_id]),
        );
        match self.list(&call, &mut found, |_| {}).await {
            // The listing needs an administrator's right to see all items; a search needs none.
            Err(Error::Refused { .. }) => self.search(&format!("orgid:{org_id}")).await,
            Err(error) => Err(error),
            Ok(()) => Ok(found),
        }
    }

    /// Follows a listing to its end and compares with the total that the portal names.
    async fn list(
        &self,
        call: &Call,
        found: &mut Found,
        mut look: impl FnMut(&mut Page),
    ) -> Result<(), Error> {
        let mut start = 1;
        let (mut seen, mut total) = (std::collections::BTreeSet::new(), 0);
        loop {
            let mut page = self.page(call, start).await?;
            look(&mut page);
            total = page.total.unwrap_or(total);
            for item in page.items.take().unwrap_or_default() {
                seen.insert(item.id.clone());
                found.insert(item.id.clone(), item);
            }
            match next_start(&page, start)? {
                Some(next) => start = next,
                None => break,
            }
        }
        if seen.len() < total {
            let message = format!(
                "{}: {} of {total} items were listed",
                call.subject,
                seen.len()
            );
            return Err(Error::Untrue(message));
        }
        Ok(())
    }

    pub(super) async fn page(&self, call: &Call, start: usize) -> Result<Page, Error> {
        let call = call
            .clone()
            .with("start", start.to_string())
            .with("num", PAGE.to_string())
            .with("sortField", "created")
            .with("sortOrder", "asc");
        let document = self.document(&call).await?;
        let page: Page = serde_json::from_slice(&document)
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

/// Where the next page begins; an end marker that points backwards would never end.
pub(super) fn next_start(page: &Page, start: usize) -> Result<Option<usize>, Error> {
    match page.next_start {
        None | Some(..=0) => Ok(None),
        Some(next) => match usize::try_from(next) {
            Ok(next) if next > start => Ok(Some(next)),
            _ => Err(Error::Untrue(format!(
                "a listing leads back from {start} to {next}"
            ))),
        },
    }
}
