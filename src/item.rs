//! What the portal says of an item, as far as a backup decides by it. Plain data: the archive keeps the
//! portal's own bytes, never this struct written back.

use serde::{Deserialize, Deserializer};

use crate::members::Members;

/// One entry of a listing. Absent, null and oddly typed members are tolerated, as the portal sends them: one odd
/// member must not hide an item, nor one odd item the others.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Free text, never unique, never a path.
    pub title: String,
    /// Such as `Feature Service`.
    pub kind: String,
    /// User name in its exact spelling.
    pub owner: String,
    /// The owner's folder; `None` is the root.
    pub owner_folder: Option<String>,
    /// Milliseconds since 1970, by the portal's clock.
    pub created: i64,
    /// Milliseconds since 1970. Does not move when the rows of a hosted layer are edited.
    pub modified: i64,
    /// Where a service lives. Users can edit it: it may point anywhere.
    pub url: Option<String>,
    /// File name of an uploaded item.
    pub name: Option<String>,
    /// Path below `info/`, such as `thumbnail/x.png`.
    pub thumbnail: Option<String>,
    /// `private`, `shared`, `org` or `public`.
    pub access: String,
    /// Bytes of the item's file; -1 or absent when the portal does not know.
    pub size: i64,
    /// Such as `Hosted Service`, `View Service`, `Metadata`.
    pub type_keywords: Vec<String>,
    /// The owner's tags.
    pub tags: Vec<String>,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(from)?;
        Ok(Self {
            id: members.get_or_default("id"),
            title: members.get_or_default("title"),
            kind: members.get_or_default("type"),
            owner: members.get_or_default("owner"),
            owner_folder: members.get("ownerFolder"),
            created: members.get_or_default("created"),
            modified: members.get_or_default("modified"),
            url: members.get("url"),
            name: members.get("name"),
            thumbnail: members.get("thumbnail"),
            access: members.get_or_default("access"),
            size: members.get_or_default("size"),
            type_keywords: members.get_or_default("typeKeywords"),
            tags: members.get_or_default("tags"),
        })
    }
}

impl Item {
    /// Whether the id has the only form that ArcGIS gives: it becomes a part of paths and addresses.
    pub fn has_valid_id(&self) -> bool {
        self.id.len() == 32 && self.id.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// A feature layer collection or table, hosted or referenced.
    pub fn is_feature_service(&self) -> bool {
        self.kind == "Feature Service"
    }

    /// The organisation itself holds the rows; only these can be exported.
    pub fn is_hosted(&self) -> bool {
        self.is_feature_service() && self.has_keyword("Hosted Service")
    }

    /// A hosted view: the rows of another service, filtered.
    pub fn is_view(&self) -> bool {
        self.has_keyword("View Service")
    }

    /// A service of tiles, scenes or images: no rows, and content that nothing here reads.
    pub fn is_of_pictures(&self) -> bool {
        let kinds = [
            "Map Service",
            "Image Service",
            "Scene Service",
            "Vector Tile Service",
        ];
        kinds.contains(&self.kind.as_str())
    }

    /// Formal metadata exists only with this keyword.
    pub fn has_metadata(&self) -> bool {
        self.has_keyword("Metadata")
    }

    /// Exact comparison, as the portal spells it.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    fn has_keyword(&self, keyword: &str) -> bool {
        self.type_keywords.iter().any(|own| own == keyword)
    }

    /// The item's folder below `items/`: the id alone makes it unique, the slug makes it findable.
    pub fn folder(&self) -> String {
        match slug(&self.title) {
            slug if slug.is_empty() => self.id.to_ascii_lowercase(),
            slug => format!("{slug}-{}", self.id.to_ascii_lowercase()),
        }
    }
}

/// At most 40 characters of `a-z`, `0-9` and `-`; empty when nothing is left. Such a name is valid on
/// Windows, OneDrive and S3 as soon as a digit or an id stands beside it.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if slug.len() == 40 {
            break;
        }
        match character.to_ascii_lowercase() {
            keep @ ('a'..='z' | '0'..='9') => slug.push(keep),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The extension of a file name, if it is short and plain: `.geojson`, `.pdf`, never a path.
pub fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let plain = (1..=10).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && !stem.is_empty()).then(|| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_valid_part_of_a_path_whatever_the_title() {
        assert_eq!(slug("Parks & Recreation (2026)"), "parks-recreation-2026");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("  日本  "), "");
        assert_eq!(slug(&"x".repeat(300)).len(), 40);
        assert_eq!(slug("Straße Nr. 5 "), "stra-e-nr-5");
    }

    #[test]
    fn an_extension_is_short_and_plain_or_none() {
        assert_eq!(extension("report.PDF").as_deref(), Some("pdf"));
        assert_eq!(extension("x.geojson").as_deref(), Some("geojson"));
        assert_eq!(extension(".bashrc"), None);
        assert_eq!(extension("a.b/../c"), None);
        assert_eq!(extension("no dot"), None);
    }

    #[test]
    fn odd_members_do_not_hide_an_item() {
        let item: Item = serde_json::from_str(
            r#"{"id":"0123456789abcdef0123456789abcdef","title":null,"type":"Web Map","tags":null,"size":"12","typeKeywords":{}}"#,
        )
        .expect("tolerated");
        assert_eq!(
            (item.kind.as_str(), item.title.as_str(), item.tags.len()),
            ("Web Map", "", 0)
        );
        assert_eq!(item.folder(), "0123456789abcdef0123456789abcdef");
    }
}
