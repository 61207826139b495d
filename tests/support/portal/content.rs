//! Listings and items: a user's folders, the whole organisation, one item.

use serde_json::{Value, json};

use super::call::Call;
use super::catalogue::{Data, Item, ORG, Settings, USER};
use super::faults::FaultKind;
use super::reply::{Answer, Reply};
use super::state::{Places, State};

/// A page's bounds: its first hit counts from 1.
pub struct Page {
    start: usize,
    num: usize,
}

impl Page {
    pub fn asked(call: &Call, cap: usize) -> Result<Self, Reply> {
        let start = call
            .param("start")
            .unwrap_or("1")
            .parse::<i64>()
            .unwrap_or(1);
        let num = call.number("num")?.unwrap_or(10).min(cap);
        // the end marker -1 sent back as a start gives the first page again
        Ok(Self {
            start: usize::try_from(start).unwrap_or(1).max(1),
            num,
        })
    }

    pub fn last(&self) -> usize {
        self.start - 1 + self.num
    }

    /// The page of `all` with its paging members, the hits under `name`.
    pub fn cut(
        &self,
        all: &[&Item],
        name: &str,
        call: &Call,
        shown: impl Fn(&Item) -> Value,
    ) -> Value {
        let short = call.twisted(|fault| matches!(fault, FaultKind::ListingShort));
        let num = if short {
            self.num.div_ceil(2)
        } else {
            self.num
        };
        let from = (self.start - 1).min(all.len());
        let to = (from + num).min(all.len());
        let mut hits: Vec<Value> = all
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .map(|item| shown(item))
            .collect();
        if call.twisted(|fault| matches!(fault, FaultKind::DoubledItem)) {
            hits.extend(hits.first().cloned());
        }
        let next = if to < all.len() && num > 0 {
            json!(to + 1)
        } else {
            json!(-1)
        };
        json!({"total": all.len(), "start": self.start, "num": hits.len(), "nextStart": next, name: hits})
    }
}

/// In the order that `sortField` and `sortOrder` ask for; the id decides between equals.
pub fn sort(items: &mut [&Item], call: &Call) {
    let field = call
        .param("sortField")
        .unwrap_or("created")
        .to_ascii_lowercase();
    items.sort_by_cached_key(|item| {
        let number = match field.as_str() {
            "modified" => item.modified,
            "created" | "uploaded" => item.created,
            _ => 0,
        };
        let text = match field.as_str() {
            "title" => item.title.to_lowercase(),
            "owner" => item.owner.clone(),
            "type" => item.kind.clone(),
            _ => String::new(),
        };
        (number, text, item.id.clone())
    });
    if call
        .param("sortOrder")
        .is_some_and(|order| order.eq_ignore_ascii_case("desc"))
    {
        items.reverse();
    }
}

/// `content/users/{user}` and `content/users/{user}/{folder}`.
pub fn user(state: &State, call: &Call) -> Answer {
    let (owner, folder) = (call.segment(2), call.segments.get(3).map(String::as_str));
    let settings = &state.catalogue.settings;
    if owner != USER && !settings.administrator {
        return Err(Reply::forbidden());
    }
    let folders: Vec<_> = state
        .catalogue
        .folders
        .iter()
        .filter(|one| one.owner == owner)
        .collect();
    if folder.is_some_and(|id| !folders.iter().any(|one| one.id == id)) {
        return Err(Reply::error_coded(
            400,
            "CONT_0001",
            "Folder does not exist or is inaccessible.",
        ));
    }
    let here = |item: &&Item| {
        item.owner == owner && item.folder.as_deref() == folder && of_type(item, call)
    };
    let mut items: Vec<&Item> = listed(state, call).filter(here).collect();
    sort(&mut items, call);
    let page = Page::asked(call, settings.page_cap)?;
    let mut answer = page.cut(&items, "items", call, |item| as_json(item, &state.places));
    answer["username"] = owner.into();
    let described = |id: &str| {
        folders
            .iter()
            .find(|one| one.id == id)
            .map(|one| folder_json(&one.id, &one.title, owner))
    };
    answer["currentFolder"] = folder.and_then(described).into();
    if folder.is_none() {
        answer["folders"] = folders
            .iter()
            .map(|one| folder_json(&one.id, &one.title, owner))
            .collect();
    }
    Ok(Reply::json(&answer))
}

/// `content/portals/{org}`, for administrators.
pub fn organisation(state: &State, call: &Call) -> Answer {
    let settings: &Settings = &state.catalogue.settings;
    if !settings.administrator || call.segment(2) != ORG {
        return Err(Reply::forbidden());
    }
    let mut items: Vec<&Item> = listed(state, call)
        .filter(|item| of_type(item, call))
        .collect();
    sort(&mut items, call);
    let page = Page::asked(call, settings.page_cap)?;
    Ok(Reply::json(&page.cut(&items, "items", call, |item| {
        as_json(item, &state.places)
    })))
}

fn listed<'a>(state: &'a State, call: &Call) -> impl Iterator<Item = &'a Item> {
    let items = if call.flag("inRecycleBin") {
        &state.bin
    } else {
        &state.catalogue.items
    };
    items.iter()
}

/// `types` is case-sensitive.
fn of_type(item: &Item, call: &Call) -> bool {
    call.param("types")
        .is_none_or(|types| types.split(',').any(|one| one.trim() == item.kind))
}

fn folder_json(id: &str, title: &str, owner: &str) -> Value {
    json!({"username": owner, "id": id, "title": title, "created": super::MADE})
}

/// `content/items/{id}`.
pub fn item(state: &State, call: &Call) -> Answer {
    let item = find(state, call.segment(2))?;
    Ok(Reply::json(&as_json(item, &state.places)))
}

/// `content/users/{user}[/{folder}]/items/{id}`: the item with its sharing and folder.
pub fn user_item(state: &State, call: &Call) -> Answer {
    let item = find(state, call.last(0))?;
    if item.owner != call.segment(2) {
        return Err(Reply::not_found());
    }
    let titled = |id: &String| state.catalogue.folders.iter().find(|one| &one.id == id);
    let folder = item
        .folder
        .as_ref()
        .and_then(titled)
        .map(|one| folder_json(&one.id, &one.title, &one.owner));
    let groups: &[&str] = if item.access == "shared" {
        &["c1ty0000000000000000000000009a0b"]
    } else {
        &[]
    };
    let sharing = json!({"access": item.access, "groups": groups});
    Ok(Reply::json(
        &json!({"item": as_json(item, &state.places), "sharing": sharing, "folder": folder}),
    ))
}

pub fn find<'a>(state: &'a State, id: &str) -> Result<&'a Item, Reply> {
    state.catalogue.item(id).ok_or_else(Reply::not_found)
}

/// An item's record as the API spells it.
pub fn as_json(item: &Item, places: &Places) -> Value {
    let mut record = kept(item, places);
    if let (Some(members), Value::Object(usual)) = (record.as_object_mut(), usual()) {
        members.extend(usual);
        members.extend(item.extra.clone());
    }
    record
}

fn kept(item: &Item, places: &Places) -> Value {
    json!({
        "id": item.id, "owner": item.owner, "created": item.created, "modified": item.modified, "name": item.name,
        "title": item.title, "type": item.kind, "typeKeywords": item.keywords, "description": item.description,
        "tags": item.tags, "snippet": item.snippet, "extent": item.extent, "url": url(item, places),
        "thumbnail": item.thumbnail.as_ref().map(|_| "thumbnail/thumbnail.png"), "access": item.access,
        "size": size(item), "ownerFolder": item.folder, "protected": item.protected
    })
}

/// Members that say little and are always there.
fn usual() -> Value {
    json!({
        "orgId": ORG, "isOrgItem": true, "guid": null, "documentation": null, "categories": [],
        "spatialReference": null, "accessInformation": null, "licenseInfo": null, "culture": "en-us",
        "properties": null, "advancedSettings": null, "proxyFilter": null, "subInfo": 0, "industries": [],
        "languages": [], "largeThumbnail": null, "screenshots": [], "listed": false, "numComments": 0,
        "avgRating": 0, "numViews": 12, "scoreCompleteness": 70, "lastViewed": -1
    })
}

fn url(item: &Item, places: &Places) -> Option<String> {
    let service = |name: &String| {
        if item.keywords.iter().any(|word| word == "Hosted Service") {
            service_url(places, name)
        } else {
            format!(
                "{}/server/rest/services/{name}/FeatureServer",
                places.elsewhere
            )
        }
    };
    item.url
        .clone()
        .or_else(|| item.service.as_ref().map(service))
}

/// Where a hosted service answers.
pub fn service_url(places: &Places, name: &str) -> String {
    format!(
        "{}/{ORG}/arcgis/rest/services/{name}/FeatureServer",
        places.services
    )
}

fn size(item: &Item) -> i64 {
    match &item.data {
        Data::None => -1,
        Data::Json(text) => i64::try_from(text.len()).unwrap_or(-1),
        Data::File { bytes, .. } => i64::try_from(bytes.len()).unwrap_or(-1),
    }
}
