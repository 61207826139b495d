//! Paths to names, names to handlers; and the guard over what only reads.

use super::call::{Call, Host};
use super::reply::{Answer, Reply};
use super::server::Shared;
use super::{
    about, attachments, content, export, files, pages, parts, query, remove, search, service,
};

/// The name by which tests and faults know a request.
pub fn name(call: &Call) -> &'static str {
    if let Some(page) = pages::name(call.host, &call.parts()) {
        return page;
    }
    match call.host {
        Host::Portal => portal_name(&call.parts()),
        Host::Services | Host::Elsewhere => service_name(call),
        Host::Blob => "blob",
    }
}

fn portal_name(segments: &[&str]) -> &'static str {
    match segments {
        [] => "root",
        ["info"] => "info",
        ["portals", "self"] => "self",
        ["community", "self"] => "community",
        ["oauth2", "token"] => "token",
        ["search"] => "search",
        ["content", "portals", _] => "org_content",
        ["content", "items", _, rest @ ..] => item_name(rest),
        ["content", "users", _, rest @ ..] => user_name(rest),
        _ => "unknown",
    }
}

fn item_name(rest: &[&str]) -> &'static str {
    match rest {
        [] => "item",
        ["data"] => "data",
        ["resources"] => "resources",
        ["resources", ..] => "resource",
        ["info", "metadata", "metadata.xml"] => "metadata",
        ["info", "thumbnail", ..] => "thumbnail",
        ["groups"] => "groups",
        ["relatedItems"] => "related",
        _ => "unknown",
    }
}

fn user_name(rest: &[&str]) -> &'static str {
    match rest {
        ["export"] => "export",
        ["deleteItems"] | [_, "deleteItems"] => "delete_items",
        ["items", _] | [_, "items", _] => "user_item",
        ["items", _, "status"] | [_, "items", _, "status"] => "status",
        ["items", _, "delete"] | [_, "items", _, "delete"] => "delete",
        ["addItem" | "publish" | "createService" | "createFolder" | "update"] => "unknown",
        [] | [_] => "user_content",
        _ => "unknown",
    }
}

fn service_name(call: &Call) -> &'static str {
    let segments = call.parts();
    if let [.., "rest", "info"] = segments.as_slice() {
        return "rest_info";
    }
    if segments.contains(&"admin") {
        return "unknown"; // the owner's description, which nobody here has
    }
    let Some(at) = segments
        .iter()
        .position(|segment| *segment == "FeatureServer")
    else {
        return "unknown";
    };
    match segments.get(at + 1..).unwrap_or_default() {
        [] => "service",
        ["layers"] => "layers",
        ["sources"] => "sources",
        [_] => "layer",
        [_, "query"] => query::route(call),
        [_, "queryAttachments"] => "query_attachments",
        [_, _, "attachments"] => "attachment_list",
        [_, _, "attachments", _] => "attachment",
        _ => "unknown",
    }
}

/// Any request's answer; the first failure on the way is one too.
pub fn answer(shared: &Shared, call: &Call) -> Reply {
    let reply = match call.host {
        _ if pages::is_page(call.route) => pages::answer(&mut shared.lock(), call),
        Host::Portal => portal(shared, call),
        Host::Services | Host::Elsewhere => services(shared, call),
        Host::Blob => files::blob(&mut shared.lock(), call),
    };
    reply.unwrap_or_else(|early| early)
}

fn portal(shared: &Shared, call: &Call) -> Answer {
    let state = &mut *shared.lock();
    if call.route == "token" {
        return state.auth.token(call, &state.catalogue.settings);
    }
    if matches!(call.route, "root" | "info") {
        return Ok(about::portal(state, call));
    }
    state.auth.check(call)?;
    match call.route {
        "data" => return files::data(state, call),
        "resource" => return parts::resource(state, call),
        "thumbnail" => return parts::thumbnail(state, call),
        "metadata" => return parts::metadata(state, call),
        _ => {}
    }
    if !matches!(call.param("f"), Some("json" | "pjson")) {
        return Ok(Reply::html(200, "Portal directory"));
    }
    match call.route {
        "self" | "community" => Ok(about::portal(state, call)),
        "search" => search::search(state, call),
        "user_content" => content::user(state, call),
        "org_content" => content::organisation(state, call),
        "item" => content::item(state, call),
        "user_item" => content::user_item(state, call),
        "resources" => parts::resources(state, call),
        "groups" => parts::groups(state, call),
        "related" => parts::related(state, call),
        "export" => export::begin(state, call),
        "status" => export::status(state, call),
        "delete" => remove::delete(state, call),
        "delete_items" => Ok(remove::delete_items(state, call)),
        _ => {
            if call.post() {
                state.journal.violation(format!(
                    "an unknown change was asked for: POST {}",
                    call.path
                ));
            }
            Err(Reply::error(400, "Invalid URL"))
        }
    }
}

/// The lock is held no longer than it takes to look a service up.
fn services(shared: &Shared, call: &Call) -> Answer {
    if call.route == "rest_info" {
        return Ok(about::server(&shared.places, call));
    }
    if call.host == Host::Services {
        shared.lock().auth.check(call)?;
    }
    let found = service::find(&shared.lock().catalogue, call)?;
    let places = &shared.places;
    if call.route == "attachment" {
        return attachments::file(&found, call);
    }
    if !matches!(call.param("f"), Some("json" | "pjson" | "geojson" | "pbf")) {
        return Ok(Reply::html(200, "Services directory"));
    }
    match call.route {
        "service" => Ok(service::root(&found)),
        "layers" => Ok(service::layers(&found)),
        "layer" => service::layer(&found, call),
        "sources" => Ok(service::sources(&shared.lock().catalogue, &found, places)),
        "query" | "count" | "ids" | "statistics" => query::answer(&found, call),
        "query_attachments" => attachments::query(&found, call, places),
        "attachment_list" => attachments::list(&found, call),
        _ => {
            if call.post() {
                let text = format!("an edit was asked for: POST {}", call.path);
                shared.lock().journal.violation(text);
            }
            Err(Reply::error(400, "Invalid URL"))
        }
    }
}
