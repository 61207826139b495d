//! How an item looks in JSON: by account, and by what was selected.

use serde_json::{Map, Value, json};

use super::address::encoded;
use super::drive::{Item, Kind};
use super::reply::Reply;
use super::state::{Account, State};

/// The properties a client may select, whether the fake has them or not.
const PROPERTIES: &str = "id name size lastModifiedDateTime createdDateTime eTag cTag webUrl \
    parentReference file folder package root fileSystemInfo createdBy lastModifiedBy deleted \
    description shared remoteItem specialFolder sharepointIds malware \
    @microsoft.graph.downloadUrl content.downloadUrl";

/// Nothing selected is everything.
pub fn selection(select: Option<&str>) -> Result<Vec<String>, Reply> {
    let names: Vec<_> = select
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    match names
        .iter()
        .find(|name| !PROPERTIES.split(' ').any(|known| known == *name))
    {
        None => Ok(names),
        Some(unknown) => {
            let text = format!(
                "Parsing OData Select and Expand failed: Could not find a property named \
                 '{unknown}' on type 'microsoft.graph.driveItem'."
            );
            Err(Reply::error(400, "BadRequest", "", &text))
        }
    }
}

impl State {
    pub fn portrait(&self, item: &Item, selection: &[String]) -> Value {
        let mut all = Map::new();
        all.insert("id".to_owned(), self.id(item.number).into());
        all.insert("name".to_owned(), item.name().into());
        all.insert("size".to_owned(), self.size(item).into());
        let modified = item.modified.as_str();
        all.insert("createdDateTime".to_owned(), modified.into());
        all.insert("lastModifiedDateTime".to_owned(), modified.into());
        if !self.is_bare(item) {
            all.insert("eTag".to_owned(), etag(item).into());
        }
        all.insert("parentReference".to_owned(), self.parent_reference(item));
        let (facet, value) = match &item.kind {
            Kind::Folder => {
                let children = self.drive.children(&item.path).len();
                ("folder", json!({ "childCount": children }))
            }
            Kind::File(_) => ("file", json!({ "mimeType": media_type(item.name()) })),
            Kind::Package => ("package", json!({ "type": "oneNote" })),
        };
        all.insert(facet.to_owned(), value);
        if item.path.is_empty() {
            all.insert("root".to_owned(), json!({}));
        }
        all.retain(|name, _| selection.is_empty() || selection.contains(name));
        Value::Object(all)
    }

    fn parent_reference(&self, item: &Item) -> Value {
        let account = self.places.account;
        let mut reference = json!({
            "driveId": self.places.drive_id(),
            "driveType": match account {
                Account::Personal => "personal",
                Account::Work => "business",
            },
        });
        let parent = item.parent().and_then(|path| self.drive.get(path));
        let Some(parent) = parent else {
            if account == Account::Personal {
                reference["id"] = self.id(item.number).into();
                reference["path"] = "/drive/root:".into();
            }
            return reference;
        };
        reference["id"] = self.id(parent.number).into();
        reference["name"] = parent.name().into();
        if self.is_bare(item) {
            return reference;
        }
        let below = match parent.path.as_str() {
            "" => String::new(),
            path => format!("/{path}"),
        };
        reference["path"] = match account {
            Account::Personal => format!("/drive/root:{}", encoded(&below)),
            Account::Work => format!("/drives/{}/root:{below}", self.places.drive_id()),
        }
        .into();
        reference
    }

    /// A work drive's root says less of itself, and of what is directly in it.
    fn is_bare(&self, item: &Item) -> bool {
        let in_root = item.parent() == Some("") && self.settings.bare_root_items;
        self.places.account == Account::Work && (item.path.is_empty() || in_root)
    }

    fn size(&self, item: &Item) -> u64 {
        let own = |item: &Item| match &item.kind {
            Kind::File(content) => content.len,
            _ => 0,
        };
        match item.kind {
            Kind::Folder => self.drive.below(&item.path).map(own).sum(),
            _ => own(item),
        }
    }

    pub fn id(&self, number: usize) -> String {
        match self.places.account {
            Account::Personal => format!("{}!{number}", self.places.drive_id()),
            Account::Work => format!("01FAKE{number:028}"),
        }
    }

    pub fn identified(&self, id: &str) -> Option<&Item> {
        let digits = match self.places.account {
            Account::Personal => id.strip_prefix(self.places.drive_id())?.strip_prefix('!')?,
            Account::Work => id.strip_prefix("01FAKE")?,
        };
        self.drive.numbered(digits.parse().ok()?)
    }
}

pub fn etag(item: &Item) -> String {
    format!(
        "\"{{3B131E1C-7D81-20AF-80D0-{:012X}}},{}\"",
        item.number, item.version
    )
}

/// By the name alone: what the client says of it does not count.
fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_lowercase().as_str() {
        "json" => "application/json",
        "geojson" => "application/geo+json",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "zip" => "application/zip",
        "html" => "text/html",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        _ => "application/octet-stream",
    }
}
