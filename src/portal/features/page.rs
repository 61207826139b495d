//! One answer of a layer's `query`, taken apart without being rewritten: the features as the server sent
//! them, the rest of the document beside them, and the object ids in their order.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Stands before every feature.
pub(in crate::portal) const SEPARATOR: &[u8] = b",\n";

/// A page that parsed as a whole.
#[derive(Debug, Default)]
pub(in crate::portal) struct Page {
    /// Byte for byte, one feature a line, each behind [`SEPARATOR`]: also the first, so that a page is
    /// appended to others as it is.
    pub(in crate::portal) features: Vec<u8>,
    pub(in crate::portal) rows: usize,
    pub(in crate::portal) ids: Ids,
    /// The server says that there is more, in either of the places where it says so.
    pub(in crate::portal) is_cut: bool,
    /// Members of the document besides the features, in their order, as sent.
    pub(in crate::portal) envelope: Vec<(String, Box<RawValue>)>,
}

/// The object ids of a page.
#[derive(Debug, Default)]
pub(in crate::portal) struct Ids {
    pub(in crate::portal) first: Option<i64>,
    pub(in crate::portal) last: Option<i64>,
    /// A row without an id, or out of order, or twice.
    pub(in crate::portal) disordered: bool,
}

impl Ids {
    fn push(&mut self, id: Option<i64>) {
        match id {
            Some(id) if self.last.is_none_or(|last| id > last) => {
                self.first.get_or_insert(id);
                self.last = Some(id);
            }
            _ => self.disordered = true,
        }
    }
}

impl Page {
    /// Reads a page whose rows name their object id `id_field`.
    pub(in crate::portal) fn read(body: &[u8], id_field: &str) -> serde_json::Result<Self> {
        let mut from = serde_json::Deserializer::from_slice(body);
        let page = PageVisitor {
            id_field,
            length: body.len(),
        }
        .deserialize(&mut from)?;
        from.end()?;
        Ok(page)
    }
}

struct PageVisitor<'f> {
    id_field: &'f str,
    /// Of the body: the features are not longer, or hardly.
    length: usize,
}

impl<'de> DeserializeSeed<'de> for PageVisitor<'_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageVisitor<'_> {
    type Value = Page;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a query's answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut page = Page {
            features: Vec::with_capacity(self.length + 64),
            ..Page::default()
        };
        let mut has_features = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "features" if has_features => {
                    return Err(serde::de::Error::duplicate_field("features"));
                }
                "features" => {
                    has_features = true;
                    map.next_value_seed(Features {
                        page: &mut page,
                        id_field: self.id_field,
                    })?;
                }
                "exceededTransferLimit" => {
                    page.is_cut |= map.next_value::<Value>()? == Value::Bool(true);
                }
                _ => {
                    let value: Box<RawValue> = map.next_value()?;
                    page.is_cut |= key == "properties" && says_cut(&value);
                    page.envelope.push((key, value));
                }
            }
        }
        if has_features {
            Ok(page)
        } else {
            Err(serde::de::Error::missing_field("features"))
        }
    }
}

/// `{"properties":{"exceededTransferLimit":true}}`, the place that GeoJSON has for it.
fn says_cut(properties: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Properties {
        #[serde(default, rename = "exceededTransferLimit")]
        exceeded: Option<bool>,
    }
    serde_json::from_str::<Properties>(properties.get())
        .is_ok_and(|properties| properties.exceeded == Some(true))
}

struct Features<'p, 'f> {
    page: &'p mut Page,
    id_field: &'f str,
}

impl<'de> DeserializeSeed<'de> for Features<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut features: A) -> Result<(), A::Error> {
        while let Some(feature) = features.next_element::<&'de RawValue>()? {
            self.page.features.extend_from_slice(SEPARATOR);
            self.page
                .features
                .extend_from_slice(feature.get().as_bytes());
            self.page.rows += 1;
            self.page.ids.push(object_id(feature.get(), self.id_field));
        }
        Ok(())
    }
}

/// GeoJSON says it in `id`; Esri's JSON, and GeoJSON of some servers, in the column of that name. Reading
/// stops where the id is found: the feature has been parsed as a whole before, and there are millions.
fn object_id(feature: &str, id_field: &str) -> Option<i64> {
    let mut id = None;
    let mut from = serde_json::Deserializer::from_str(feature);
    let seed = IdVisitor {
        id_field,
        id: &mut id,
        is_row: true,
    };
    // Stopping early looks like an error to the parser.
    drop(seed.deserialize(&mut from));
    id
}

/// Looks for the id in a feature, or in the columns of one.
struct IdVisitor<'i, 'f> {
    id_field: &'f str,
    id: &'i mut Option<i64>,
    is_row: bool,
}

impl<'de> DeserializeSeed<'de> for IdVisitor<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for IdVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a feature or its columns")
    }

    /// `"properties": null` names nothing.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while self.id.is_none()
            && let Some(key) = map.next_key::<Cow<'de, str>>()?
        {
            if (self.is_row && key == "id")
                || (!self.is_row && key.eq_ignore_ascii_case(self.id_field))
            {
                *self.id = serde_json::from_str(map.next_value::<&'de RawValue>()?.get()).ok();
            } else if self.is_row && matches!(&*key, "properties" | "attributes") {
                map.next_value_seed(IdVisitor {
                    id_field: self.id_field,
                    id: self.id,
                    is_row: false,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_stay_as_they_were_sent() {
        let body = br#"{"type":"FeatureCollection","features":[ {"id":1, "x":1.50,"n":12345678901234567890} ,{"type":"Feature","properties":{"FID":7}}],"properties":{"exceededTransferLimit":true}}"#;
        let page = Page::read(body, "fid").expect("a page");
        let features = String::from_utf8(page.features).expect("text");
        assert_eq!(
            features,
            ",\n{\"id\":1, \"x\":1.50,\"n\":12345678901234567890},\n{\"type\":\"Feature\",\"properties\":{\"FID\":7}}"
        );
        assert_eq!(
            (page.rows, page.is_cut, page.ids.last, page.ids.disordered),
            (2, true, Some(7), false)
        );
    }

    #[test]
    fn the_rest_of_an_esri_feature_set_is_kept_in_its_order() {
        let body = br#"{"objectIdFieldName":"OID","fields":[{"name":"OID"}],"exceededTransferLimit":true,"features":[{"attributes":{"OID":-3}}]}"#;
        let page = Page::read(body, "OID").expect("a page");
        let keys: Vec<&str> = page.envelope.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            (keys, page.is_cut, page.ids.first),
            (vec!["objectIdFieldName", "fields"], true, Some(-3))
        );
    }

    #[test]
    fn a_row_twice_or_out_of_order_is_seen() {
        for features in [
            "{\"id\":1},{\"id\":1}",
            "{\"id\":2},{\"id\":1}",
            "{\"id\":\"x\"}",
        ] {
            let body = format!("{{\"features\":[{features}]}}");
            assert!(
                Page::read(body.as_bytes(), "id")
                    .expect("a page")
                    .ids
                    .disordered,
                "{features}"
            );
        }
    }

    #[test]
    fn a_cut_or_garbled_page_is_an_error() {
        for body in [
            "{\"features\":[{\"id\":1}",
            "{}",
            "{\"features\":[]}x",
            "{\"features\":[],\"features\":[]}",
            "[]",
        ] {
            assert!(Page::read(body.as_bytes(), "id").is_err(), "{body}");
        }
    }
}
