//! Which request is which, and who answers it.

use super::address::{Address, Of, Owner};
use super::call::{Call, Host};
use super::reply::{Answer, Reply};
use super::state::{Account, State};
use super::{download, items, login, names, upload};

/// The name that faults and counts go by.
pub fn name(call: &Call) -> &'static str {
    let method = call.method.as_str();
    match call.host {
        Host::Login => match method {
            "POST" if call.path.ends_with("/oauth2/v2.0/token") => "token",
            _ => "other",
        },
        Host::Storage => match (method, call.path.starts_with("/upload/")) {
            ("PUT", true) => "fragment",
            ("GET", true) => "session_status",
            ("DELETE", true) => "session_cancel",
            ("GET", false) if call.path.starts_with("/download/") => "download",
            _ => "other",
        },
        Host::Graph => Address::parse(&call.path).map_or("other", |at| graph_name(method, &at)),
    }
}

fn graph_name(method: &str, at: &Address) -> &'static str {
    if at.of == Of::Drive {
        return "other";
    }
    match (method, at.facet.as_str()) {
        ("GET", "") => "item",
        ("GET", "children") => "children",
        ("GET", "content") => "content_get",
        ("PUT", "content") => "content_put",
        ("POST", "createUploadSession") => "create_session",
        ("DELETE", "") => "delete",
        ("POST", "children") => "create_folder",
        ("PATCH", "") => "move",
        ("POST", "copy") => "copy",
        _ => "other",
    }
}

pub fn answer(state: &mut State, call: &Call) -> Reply {
    let answer = match call.host {
        Host::Login => match call.route {
            "token" => login::token(state, call),
            _ => Err(Reply::not_found()),
        },
        Host::Storage => storage(state, call),
        Host::Graph => graph(state, call),
    };
    answer.unwrap_or_else(|refusal| refusal)
}

/// The URL is the permission: a token beside it is refused.
fn storage(state: &mut State, call: &Call) -> Answer {
    if call.header("authorization").is_some() {
        let text = "A pre-authenticated URL takes no Authorization header.";
        return Err(Reply::error(401, "unauthenticated", "", text));
    }
    match call.route {
        "fragment" => upload::fragment(state, call),
        "session_status" => upload::status(state, call),
        "session_cancel" => upload::cancel(state, call),
        "download" => download::download(state, call),
        _ => Err(Reply::not_found()),
    }
}

fn graph(state: &mut State, call: &Call) -> Answer {
    let app_only = state.tokens.check(call.bearer())?;
    let Some(at) = Address::parse(&call.path) else {
        let text = "Resource not found for the segment, or the path is malformed.";
        return Err(Reply::error(400, "BadRequest", "", text));
    };
    check_owner(state, &at.owner, app_only)?;
    let path = match &at.of {
        Of::Drive if call.method == "GET" && at.facet.is_empty() => return Ok(items::drive(state)),
        Of::Drive => return Err(not_allowed()),
        Of::Path(segments) => {
            names::check(segments)?;
            segments.join("/")
        }
        Of::Id(id) => match state.identified(id) {
            Some(item) => item.path.clone(),
            None => return Err(Reply::not_found()),
        },
    };
    match call.route {
        "item" => items::look(state, call, &path),
        "children" => items::list(state, call, &path),
        "content_get" => download::redirect(state, &path),
        "content_put" | "create_session" if path.is_empty() => Err(not_allowed()),
        "content_put" => upload::put_content(state, call, &path),
        "create_session" => upload::create_session(state, call, &path),
        "delete" => items::delete(state, call, &path),
        "create_folder" => items::create_folder(state, call, &path),
        "move" | "copy" => Err(Reply::not_supported()),
        _ => Err(not_allowed()),
    }
}

fn not_allowed() -> Reply {
    Reply::error(405, "notAllowed", "", "The method is not allowed here.")
}

/// An app as itself is nobody's `me`; personal accounts have no organisation.
fn check_owner(state: &State, owner: &Owner, app_only: bool) -> Result<(), Reply> {
    match owner {
        Owner::Me if app_only => Err(Reply::error(
            400,
            "BadRequest",
            "",
            "/me request is only valid with delegated authentication flow.",
        )),
        Owner::Me => Ok(()),
        Owner::Drive(id) if id == state.places.drive_id() => Ok(()),
        Owner::Organisation if state.places.account == Account::Work => Ok(()),
        Owner::Drive(_) | Owner::Organisation => Err(Reply::not_found()),
    }
}
