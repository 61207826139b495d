//! The parts of an item besides its rows: properties, sharing, data, resources, thumbnail, metadata,
//! relations. Each as the portal sends it.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Portal;
use super::body::LONGEST_DOCUMENT;
use super::call::{Call, below};
use super::download::Download;
use super::error::Error;
use crate::item::Item;

/// Every relationship an item can have to others, from
/// <https://developers.arcgis.com/rest/users-groups-and-items/relationship-types/>.
const RELATIONSHIPS: &str = "APIKey2Item,Area2CustomPackage,Area2Package,Item2Attachment,Item2Report,\
    Listed2Provisioned,Map2AppConfig,Map2Area,Map2FeatureCollection,Map2Service,MobileApp2Code,Service2Data,\
    Service2Layer,Service2Route,Service2Service,Service2Style,Solution2Item,Style2Style,Survey2Data,\
    Survey2Service,SurveyAddIn2Data,Theme2Story,TrackView2Map,WebStyle2DesktopStyle,WMA2Code,WorkforceMap2FeatureService";

/// A list of resources that goes on beyond this has no end.
const MOST_RESOURCES: usize = 100_000;

/// Which part of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its own content: JSON or a file.
    Data,
    /// The picture shown in listings.
    Thumbnail,
    /// Formal metadata.
    Metadata,
}

/// A file beside the item's data.
#[derive(Clone, Debug, Deserialize)]
pub struct Resource {
    /// Path below the item's resources, as its author chose it.
    #[serde(rename = "resource")]
    pub name: String,
    /// Bytes, where the portal tells.
    #[serde(default)]
    pub size: Option<i64>,
}

impl Portal {
    fn item_url(&self, item: &Item, below_item: &[&str]) -> url::Url {
        let item = below(&self.rest, &["content", "items", &item.id]);
        below(&item, below_item)
    }

    /// `item.json` and `sharing.json`. One request where the caller owns the item: that answer holds both.
    pub async fn properties(&self, item: &Item) -> Result<(Bytes, Option<Bytes>), Error> {
        if self.account.username.as_deref() == Some(&item.owner) {
            match self.own_properties(item).await {
                Err(Error::Refused { .. }) => {}
                answer => return answer,
            }
        }
        let properties = self
            .document(&Call::get("item", self.item_url(item, &[])))
            .await?;
        let sharing = match self
            .document(&Call::get("groups", self.item_url(item, &["groups"])))
            .await
        {
            Ok(groups) => Some(groups),
            Err(Error::Refused { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok((properties, sharing))
    }

    async fn own_properties(&self, item: &Item) -> Result<(Bytes, Option<Bytes>), Error> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            item: &'a RawValue,
            #[serde(borrow, default)]
            sharing: Option<&'a RawValue>,
        }
        let mut path = vec!["content", "users", item.owner.as_str()];
        path.extend(item.owner_folder.as_deref());
        path.extend(["items", item.id.as_str()]);
        let document = self
            .document(&Call::get("item", below(&self.rest, &path)))
            .await?;
        let answer: Answer<'_> = serde_json::from_slice(&document)
            .map_err(|error| Error::Untrue(format!("item: not an item: {error}")))?;
        let slice = |raw: &RawValue| document.slice_ref(raw.get().as_bytes());
        Ok((slice(answer.item), answer.sharing.map(slice)))
    }

    /// Opens a part for reading; `None` when the item has none.
    pub async fn open_part(&self, item: &Item, part: Part) -> Result<Option<Download>, Error> {
        let call = match part {
            Part::Data => told_about(
                Call::file("data", self.item_url(item, &["data"])),
                item.size,
            )
            .named(item.name.as_deref().unwrap_or_default()),
            Part::Metadata => Call::file(
                "metadata",
                self.item_url(item, &["info", "metadata", "metadata.xml"]),
            )
            .no_longer_than(LONGEST_DOCUMENT),
            Part::Thumbnail => {
                let Some(thumbnail) = &item.thumbnail else {
                    return Ok(None);
                };
                let mut path = vec!["info"];
                path.extend(thumbnail.split('/'));
                Call::file("thumbnail", self.item_url(item, &path)).no_longer_than(LONGEST_DOCUMENT)
            }
        };
        self.download(&call).await
    }

    /// The list of resources, to its end.
    pub async fn resources(&self, item: &Item) -> Result<Vec<Resource>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default)]
            total: Option<usize>,
            #[serde(default)]
            next_start: Option<i64>,
            #[serde(default)]
            resources: Option<Vec<Resource>>,
        }
        let (mut found, mut start) = (Vec::new(), 1);
        loop {
            let call = Call::get("resources", self.item_url(item, &["resources"]))
                .with("num", "1000")
                .with("start", start.to_string());
            let document = self.document(&call).await?;
            let answer: Answer = serde_json::from_slice(&document)
                .map_err(|error| Error::Untrue(format!("resources: not a listing: {error}")))?;
            let resources = answer.resources.unwrap_or_default();
            // A page without any is the end, whatever it says of another.
            let next = answer.next_start.filter(|_| !resources.is_empty());
            found.extend(resources);
            match next.filter(|next| *next > start) {
                Some(_) if found.len() > MOST_RESOURCES => {
                    let message = format!("resources: more than {MOST_RESOURCES} of one item");
                    return Err(Error::Untrue(message));
                }
                Some(next) => start = next,
                None if found.len() < answer.total.unwrap_or(0) => {
                    return Err(Error::Untrue(format!(
                        "resources: {} of {:?} were listed",
                        found.len(),
                        answer.total
                    )));
                }
                None => return Ok(found),
            }
        }
    }

    /// Opens a resource for reading.
    pub async fn open_resource(
        &self,
        item: &Item,
        resource: &Resource,
    ) -> Result<Option<Download>, Error> {
        let mut path = vec!["resources"];
        path.extend(
            resource
                .name
                .split('/')
                .filter(|segment| !segment.is_empty()),
        );
        if path.iter().any(|segment| matches!(*segment, "." | "..")) {
            let message = "the resource's name leads out of the item".to_owned();
            return Err(Error::Refused { code: 0, message });
        }
        let call = Call::file("resource", self.item_url(item, &path)).named(&resource.name);
        let call = told_about(call, resource.size.unwrap_or(0));
        self.download(&call).await
    }

    /// `related.json`: the portal's answer; a list of its answers when one page does not hold them all.
    /// `None` when the item is related to nothing.
    pub async fn related(&self, item: &Item) -> Result<Option<Bytes>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default, rename = "relatedItems")]
            related: Option<Vec<serde::de::IgnoredAny>>,
            #[serde(default, rename = "nextKey", alias = "nextkey")]
            next_key: Option<Value>,
        }
        let call = Call::get("related items", self.item_url(item, &["relatedItems"]))
            .with("relationshipTypes", RELATIONSHIPS)
            .with("direction", "forward")
            .with("num", "100");
        let (mut pages, mut length) = (Vec::new(), 0);
        let mut page = call.clone();
        loop {
            let document = self.document(&page).await?;
            let answer: Answer = serde_json::from_slice(&document)
                .map_err(|error| Error::Untrue(format!("related items: not a listing: {error}")))?;
            if answer.related.is_none_or(|related| related.is_empty()) {
                break;
            }
            length += document.len() as u64;
            pages.push(document);
            // A key that leads nowhere must not lead on for ever.
            if pages.len() > 1_000 || length > LONGEST_DOCUMENT {
                let message = "related items: a listing without an end".to_owned();
                return Err(Error::Untrue(message));
            }
            match answer.next_key {
                Some(Value::String(key)) if !key.is_empty() => {
                    page = call.clone().with("start", key);
                }
                Some(Value::Number(key)) if key.as_i64() > Some(0) => {
                    page = call.clone().with("start", key.to_string());
                }
                _ => break,
            }
        }
        Ok(match pages.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => Some(
                [b"[", several.join(&b",\n"[..]).as_slice(), b"]\n"]
                    .concat()
                    .into(),
            ),
        })
    }
}

/// A listing told the length, perhaps some edits ago: much more than that is not taken on trust.
fn told_about(call: Call, size: i64) -> Call {
    match u64::try_from(size) {
        Ok(size @ 1..) => {
            call.no_longer_than(size.saturating_mul(2).saturating_add(LONGEST_DOCUMENT))
        }
        _ => call,
    }
}
