//! What hangs on an item: resources, thumbnail, metadata, groups, related items.

use serde_json::{Value, json};

use super::call::Call;
use super::content;
use super::edits::media_type;
use super::reply::{Answer, Reply};
use super::state::State;

/// `resources`: a page of the list.
pub fn resources(state: &State, call: &Call) -> Answer {
    let item = content::find(state, call.segment(2))?;
    let start = call.number("start")?.unwrap_or(1).max(1);
    let num = call.number("num")?.unwrap_or(10).min(1000);
    let shown = |(name, bytes): &(String, bytes::Bytes)| json!({"resource": name, "created": item.created, "size": bytes.len(), "access": "inherit"});
    let page: Vec<Value> = item
        .resources
        .iter()
        .skip(start - 1)
        .take(num)
        .map(shown)
        .collect();
    let end = start - 1 + page.len();
    let next = if end < item.resources.len() {
        json!(end + 1)
    } else {
        json!(-1)
    };
    Ok(Reply::json(
        &json!({"total": item.resources.len(), "start": start, "num": page.len(),
                           "nextStart": next, "resources": page}),
    ))
}

/// One resource's bytes, or with `f=json` the trap of a JSON answer.
pub fn resource(state: &State, call: &Call) -> Answer {
    let item = content::find(state, call.segment(2))?;
    let name = call.segments.get(4..).unwrap_or_default().join("/");
    let found = item.resources.iter().find(|(one, _)| *one == name);
    let (_, bytes) = found.ok_or_else(|| {
        Reply::error_coded(
            400,
            "CONT_0001",
            "Resource does not exist or is inaccessible.",
        )
    })?;
    if call.param("f").is_some() {
        return Ok(Reply::json(&json!({"resource": name, "size": bytes.len()})));
    }
    Ok(Reply::bytes(media_type(&name), bytes.clone()))
}

pub fn thumbnail(state: &State, call: &Call) -> Answer {
    let item = content::find(state, call.segment(2))?;
    let bytes = item.thumbnail.clone().ok_or_else(Reply::not_found)?;
    Ok(Reply::bytes("image/png", bytes))
}

pub fn metadata(state: &State, call: &Call) -> Answer {
    let item = content::find(state, call.segment(2))?;
    let absent = || Reply::error_coded(400, "CONT_0036", "Item metadata file does not exist.");
    Ok(Reply::bytes(
        "text/xml;charset=utf-8",
        item.metadata.clone().ok_or_else(absent)?,
    ))
}

pub fn groups(state: &State, call: &Call) -> Answer {
    content::find(state, call.segment(2))?;
    Ok(Reply::json(
        &json!({"admin": [], "member": [], "other": []}),
    ))
}

/// `relatedItems`: a page; `nextKey` is the `start` of the next one, null at the end.
pub fn related(state: &State, call: &Call) -> Answer {
    let item = content::find(state, call.segment(2))?;
    let kind = call.param("relationshipType");
    if kind.or(call.param("relationshipTypes")).is_none() {
        return Err(Reply::error(400, "'relationshipType' must be specified."));
    }
    let start = call.number("start")?.unwrap_or(1).max(1);
    let num = call.number("num")?.unwrap_or(10).min(100);
    let ids = item.related.iter();
    let all: Vec<_> = ids.filter_map(|id| state.catalogue.item(id)).collect();
    let page = all.iter().skip(start - 1).take(num);
    let page: Vec<Value> = page
        .map(|one| content::as_json(one, &state.places))
        .collect();
    let end = start - 1 + page.len();
    let next = (end < all.len()).then_some(end + 1);
    Ok(Reply::json(
        &json!({"total": all.len(), "start": start, "num": page.len(), "nextKey": next,
                "relatedItems": page}),
    ))
}
