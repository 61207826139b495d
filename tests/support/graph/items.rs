//! One item and the children of a folder: look, list, make, delete.

use serde_json::{Value, json};

use super::call::Call;
use super::drive::{Conflict, Item, Kind, hex, joined};
use super::names;
use super::portrait::{etag, selection};
use super::reply::{Answer, Reply};
use super::state::{Account, State};

/// How a `$skiptoken` begins.
const TOKEN: &[u8] = b"Paged=TRUE&p_FileLeafRef=";

pub fn drive(state: &State) -> Reply {
    let kind = match state.places.account {
        Account::Personal => "personal",
        Account::Work => "business",
    };
    let total = 1_u64 << 40;
    let answer = json!({
        "id": state.places.drive_id(),
        "driveType": kind,
        "name": "OneDrive",
        "quota": { "total": total, "used": 0, "remaining": total, "state": "normal" },
    });
    Reply::json(200, &answer)
}

pub fn look(state: &State, call: &Call, path: &str) -> Answer {
    let item = state.drive.get(path).ok_or_else(Reply::not_found)?;
    let selection = selection(call.parameter("$select"))?;
    if call.header("if-none-match") == Some(etag(item).as_str()) {
        return Ok(Reply::empty(304));
    }
    Ok(Reply::json(200, &state.portrait(item, &selection)))
}

/// Pages in the order of names; the token says after which one the page begins.
pub fn list(state: &State, call: &Call, path: &str) -> Answer {
    let folder = state.drive.get(path).ok_or_else(Reply::not_found)?;
    let select = call.parameter("$select");
    let selection = selection(select)?;
    let most = state.settings.page_size;
    let size = match call.parameter("$top").map(str::parse::<usize>) {
        None => most,
        Some(Ok(top)) if top > 0 => top.min(most),
        Some(_) => return Err(Reply::invalid("", "Invalid value for $top.")),
    };
    let mut children = state.drive.children(path);
    if let Some(token) = call.parameter("$skiptoken") {
        if !token.starts_with(&hex(TOKEN)) {
            return Err(Reply::invalid("", "The $skiptoken is not valid."));
        }
        children.retain(|item| token_of(item).as_str() > token);
    }
    let page: Vec<_> = children.iter().take(size).copied().collect();
    let items: Vec<Value> = page
        .iter()
        .map(|item| state.portrait(item, &selection))
        .collect();
    let mut answer = json!({ "value": items });
    if let (Some(last), true) = (page.last(), children.len() > page.len()) {
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        for name in ["$select", "$top"] {
            if let Some(value) = call.parameter(name) {
                next.append_pair(name, value);
            }
        }
        next.append_pair("$skiptoken", &token_of(last));
        let query = next.finish().replace("%24", "$");
        let next = format!("{}?{query}", next_address(state, call, folder));
        answer["@odata.nextLink"] = next.into();
    }
    Ok(Reply::json(200, &answer))
}

/// A work drive goes on by ids, whatever the address was.
fn next_address(state: &State, call: &Call, folder: &Item) -> String {
    let graph = &state.places.graph;
    match state.places.account {
        Account::Personal => format!("{graph}{}", call.path),
        Account::Work => format!(
            "{graph}/v1.0/drives/{}/items/{}/children",
            state.places.drive_id(),
            state.id(folder.number)
        ),
    }
}

/// Sorts as the names do, so that a page is found even if the item has gone.
fn token_of(item: &Item) -> String {
    hex(TOKEN) + &hex(item.name().to_lowercase().as_bytes())
}

pub fn create_folder(state: &mut State, call: &Call, path: &str) -> Answer {
    let parent = state.drive.get(path).ok_or_else(Reply::not_found)?;
    if !matches!(parent.kind, Kind::Folder) {
        return Err(Reply::invalid("", "The parent is no folder."));
    }
    let selection = selection(call.parameter("$select"))?;
    let body = object(call)?;
    let Some(name) = body["name"].as_str() else {
        return Err(Reply::invalid("", "A folder needs a name."));
    };
    if !body["folder"].is_object() {
        return Err(Reply::invalid("", "Only folders are made like this."));
    }
    names::check_name(name)?;
    let on = match &body["@microsoft.graph.conflictBehavior"] {
        Value::Null => Conflict::Fail,
        text => Conflict::parse(text.as_str().unwrap_or_default())?,
    };
    let path = joined(path, name);
    let (item, is_new) = state.drive.write(&path, Kind::Folder, on)?;
    let status = if is_new { 201 } else { 200 };
    Ok(Reply::json(status, &state.portrait(&item, &selection)))
}

pub fn delete(state: &mut State, call: &Call, path: &str) -> Answer {
    let item = state.drive.get(path).ok_or_else(Reply::not_found)?;
    if path.is_empty() {
        return Err(Reply::invalid("", "The root cannot be deleted."));
    }
    check_match(call, Some(item))?;
    state.drive.recycle(path);
    Ok(Reply::empty(204))
}

/// The body, if it is a JSON object.
pub fn object(call: &Call) -> Result<Value, Reply> {
    if let Ok(value @ Value::Object(_)) = serde_json::from_slice(&call.body) {
        return Ok(value);
    }
    let text = "Unable to read JSON request payload.";
    Err(Reply::error(400, "BadRequest", "", text))
}

/// `If-Match` counts only where there is something.
pub fn check_match(call: &Call, item: Option<&Item>) -> Result<(), Reply> {
    let differs = match (call.header("if-match"), item) {
        (Some(wanted), Some(item)) => wanted != "*" && wanted != etag(item),
        _ => false,
    };
    if differs {
        let text = "ETag does not match current item's value.";
        return Err(Reply::error(
            412,
            "resourceModified",
            "entityTagDoesNotMatch",
            text,
        ));
    }
    Ok(())
}
