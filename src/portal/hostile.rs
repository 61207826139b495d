//! Everything that parses what a portal sends, against whatever could be sent. A few hundred cases of
//! each run with the other tests; `PROPTEST_CASES=1000000 cargo test --lib portal::hostile` looks for as long as one likes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::answer::{judge_error_in, judge_json, judge_status, looks_like_a_page};
use super::attachments;
use super::call::below;
use super::disposition::file_name;
use super::features::page::Page;
use super::grant::{Grant, OUT_OF_BAND};
use super::layer::read_layers;
use super::reach::Reach;
use super::throttle::{Throttle, retry_after, server_time};
use crate::config::Format;
use crate::item::{Item, extension, slug};
use crate::tally::Tally;
use crate::token_file::Token;

/// Any JSON, numbers and texts that no parser likes included, as text.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter_map("JSON has no NaN", |number| {
            serde_json::Number::from_f64(number).map(|number| number.to_string())
        }),
        Just("1e400".to_owned()),
        Just("-18446744073709551617".to_owned()),
        any::<String>().prop_map(|text| Value::from(text).to_string()),
        Just("\"\\ud800\"".to_owned()),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let name = prop_oneof![known_name(), any::<String>()];
        let member = (name, inner.clone())
            .prop_map(|(name, value)| format!("{}:{value}", Value::from(name)));
        prop_oneof![
            vec(inner, 0..6).prop_map(|values| format!("[{}]", values.join(","))),
            vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(" , "))),
        ]
    })
}

/// Names that some reader looks for.
fn known_name() -> impl Strategy<Value = String> {
    let names = [
        "error",
        "code",
        "message",
        "messageCode",
        "details",
        "status",
        "features",
        "id",
        "FID",
        "attributes",
        "properties",
        "exceededTransferLimit",
        "layers",
        "tables",
        "fields",
        "type",
        "editingInfo",
        "lastEditDate",
        "maxRecordCount",
        "title",
        "tags",
        "size",
        "items",
    ];
    proptest::sample::select(names.to_vec()).prop_map(ToOwned::to_owned)
}

/// Something that is nearly what is due: JSON, cut, altered, or no text at all.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let broken =
        (json(), any::<proptest::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        });
    let cut = (json(), any::<proptest::sample::Index>())
        .prop_map(|(text, at)| text.as_bytes()[..at.index(text.len())].to_vec());
    prop_oneof![
        json().prop_map(String::into_bytes),
        json().prop_map(|text| [b"\xEF\xBB\xBF \r\n", text.as_bytes()].concat()),
        json().prop_map(|features| format!("{{\"features\":[{features}]}}").into_bytes()),
        json().prop_map(|layer| format!("{{\"layers\":[{layer}]}}").into_bytes()),
        broken,
        cut,
        vec(any::<u8>(), 0..200),
    ]
}

fn headers(value: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(RETRY_AFTER, value.clone());
        headers.insert(DATE, value.clone());
        headers.insert("x-esri-org-request-units-per-min", value);
    }
    headers
}

fn is_json(body: &[u8]) -> bool {
    let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_judged_whatever_it_is(body in body(), status in 100..1000_u16) {
        let told = judge_json(&body).is_ok();
        prop_assert!(!told || judge_error_in(&body).is_ok(), "an error is no content");
        prop_assert!(!told || !looks_like_a_page(&body), "a page is no content");
        let status = StatusCode::from_u16(status).expect("a status");
        let judged = judge_status(status, &headers(&body), &body);
        prop_assert_eq!(judged.is_ok(), status.is_success());
    }

    #[test]
    fn a_page_holds_the_rows_that_came_and_no_others(body in body()) {
        if let Ok(page) = Page::read(&body, "FID") {
            let document: Value = serde_json::from_slice(&body).unwrap_or_default();
            let joined = String::from_utf8(page.features).expect("text");
            let joined = format!("[{}]", joined.strip_prefix(",\n").unwrap_or(""));
            let rows: Vec<&RawValue> = serde_json::from_str(&joined).expect("rows");
            prop_assert_eq!(rows.len(), page.rows);
            if let Some(sent) = document["features"].as_array() {
                let kept: Result<Vec<Value>, _> = rows.iter().map(|row| serde_json::from_str(row.get())).collect();
                prop_assert_eq!(&kept.expect("rows"), sent);
            }
            prop_assert!(page.ids.disordered || page.rows == 0 || page.ids.first <= page.ids.last);
        }
    }

    #[test]
    fn a_listings_item_is_read_from_any_object(members in vec((known_name(), json()), 0..8)) {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let item: Result<Item, _> = serde_json::from_str(&format!("{{{}}}", members.join(",")));
        prop_assert!(item.is_ok());
    }

    #[test]
    fn a_definition_loses_no_layer(definitions in vec(json(), 0..5), body in body()) {
        let service = Url::parse("https://gis.city.gov/FeatureServer").expect("an address");
        drop(read_layers(&body, &service));
        let layers: Vec<String> = definitions
            .iter()
            .enumerate()
            .map(|(id, odd)| format!("{{\"fields\":{odd},\"editingInfo\":{odd},\"type\":{odd},\"id\":{id}}}"))
            .collect();
        let document = format!("{{\"layers\":[{}],\"tables\":null}}", layers.join(","));
        let read = read_layers(document.as_bytes(), &service).expect("layers");
        prop_assert_eq!(read.len(), definitions.len());
    }

    #[test]
    fn a_list_of_attachments_loses_none(groups in vec((any::<i64>(), vec((any::<i64>(), json()), 0..4)), 0..4), body in body()) {
        drop(attachments::Answer::read(&body));
        let mut ids = BTreeSet::new();
        let mut told = Vec::new();
        for (row, infos) in &groups {
            ids.extend(infos.iter().map(|(id, _)| (*row, *id)));
            let infos: Vec<String> = infos.iter().map(|(id, odd)| format!("{{\"id\":{id},\"exifInfo\":{odd}}}")).collect();
            told.push(format!("{{\"parentObjectId\":{row},\"attachmentInfos\":[{}]}}", infos.join(",")));
        }
        let document = format!("{{\"attachmentGroups\":[{}]}}", told.join(","));
        let mut found = attachments::Found::new();
        attachments::Answer::read(document.as_bytes()).expect("a list").add_to(&mut found);
        prop_assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), ids);
    }

    #[test]
    fn a_grant_is_good_for_a_day_at_most(life in json(), end in json(), body in body()) {
        drop(Grant::read(&body));
        let document = format!("{{\"access_token\":\"a\",\"refresh_token\":\"r\",\"expires_in\":{life},\"refresh_token_expires_in\":{end}}}");
        let grant = Grant::read(document.as_bytes()).expect("a grant");
        prop_assert!(grant.good_for() < Duration::from_hours(24));
        prop_assert!(grant.refresh_token("id", OUT_OF_BAND).is_ok());
    }

    #[test]
    fn a_token_file_is_read_whatever_is_in_it(body in body(), hours in any::<i64>()) {
        let text = String::from_utf8_lossy(&body);
        if let Some(token) = Token::parse(&text) {
            std::hint::black_box(token.is_due(Timestamp::from_second(hours).unwrap_or(Timestamp::MAX)));
        }
    }

    #[test]
    fn rows_are_tallied_in_whole_files_only(body in body(), pieces in 1..50_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let counted = runtime.block_on(async {
            let tally = Tally::of(Format::GeoJson).expect("a countable format");
            for piece in body.chunks(pieces) {
                tally.push(&bytes::Bytes::copy_from_slice(piece)).await;
            }
            tally.finish().await
        });
        if let Ok(rows) = counted {
            prop_assert!(is_json(&body));
            let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
            if let Ok(page) = Page::read(text, "id") {
                prop_assert_eq!(rows, page.rows as u64);
            }
        }
    }

    #[test]
    fn headers_are_read_whatever_they_say(value in vec(any::<u8>(), 0..60), text in "(usage=)?[-+0-9.einfNaN]{0,12};? ?(max=)?[-+0-9.einfNaN]{0,12}") {
        let name = file_name(&String::from_utf8_lossy(&value));
        prop_assert!(name.is_none_or(|name| !name.contains(['/', '\\'])));
        let host = Url::parse("https://services1.arcgis.com/Org/arcgis/rest/services").expect("an address");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        for headers in [headers(&value), headers(text.as_bytes())] {
            std::hint::black_box((retry_after(&headers), server_time(&headers)));
            let throttle = Throttle::new(1);
            let admission = runtime.block_on(throttle.enter(&host));
            admission.expect("a gate that knows nothing").hear(&headers);
        }
    }

    #[test]
    fn a_name_that_a_store_gives_leads_nowhere(name in any::<String>()) {
        for header in [format!("attachment; filename=\"{name}\""), format!("a;filename*=UTF-8''{name};filename={name}")] {
            let found = file_name(&header).unwrap_or_default();
            prop_assert!(!found.contains(['/', '\\']), "{found}");
        }
    }

    #[test]
    fn slugs_and_extensions_are_portable_whatever_the_name(name in any::<String>()) {
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let slug = slug(&name);
        prop_assert!(plain(&slug) && slug.len() <= 40 && !slug.starts_with('-') && !slug.ends_with('-'));
        if let Some(ending) = extension(&name) {
            prop_assert!(plain(&ending) && !ending.contains('-') && (1..=10).contains(&ending.len()));
        }
    }

    #[test]
    fn a_segment_stays_a_segment(names in vec(any::<String>(), 1..4)) {
        let base = Url::parse("https://gis.city.gov/sharing/rest").expect("an address");
        let segments: Vec<&str> = names.iter().map(String::as_str).collect();
        let url = below(&base, &segments);
        let kept: Vec<&str> = segments.into_iter().filter(|one| !matches!(*one, "." | "..")).collect();
        let told: Vec<String> = url.path().split('/').skip(3)
            .map(|one| percent_encoding::percent_decode_str(one).decode_utf8_lossy().into_owned())
            .collect();
        prop_assert_eq!(told, kept);
        prop_assert_eq!((url.host_str(), url.query()), (Some("gis.city.gov"), None));
    }

    #[test]
    fn any_address_is_judged(text in "https?://[-a-z0-9.:%@\\[\\]]{0,24}(/x)?") {
        let reach = Reach::from(&Url::parse("https://www.arcgis.com").expect("an address"));
        if let Ok(url) = Url::parse(&text) {
            let allowed = reach.allows(&url).is_ok();
            prop_assert!(!allowed || !crate::config::is_loopback(&url), "{url}");
        }
    }
}

#[test]
fn the_longest_pause_that_can_be_told_is_a_number() {
    let mut headers = HeaderMap::new();
    for (text, seconds) in [
        ("99999999999999999999", None),
        ("18446744073709551615", Some(u64::MAX)),
        ("-1", None),
    ] {
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        assert_eq!(
            retry_after(&headers),
            seconds.map(Duration::from_secs),
            "{text}"
        );
    }
}
