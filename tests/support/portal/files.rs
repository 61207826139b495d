//! Item data: text from the portal itself, files by a redirect to signed storage that wants no token.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;

use super::call::Call;
use super::catalogue::{Data, hex_id};
use super::content;
use super::export;
use super::reply::{Answer, Reply};
use super::state::State;

/// `content/items/{id}/data`.
pub fn data(state: &mut State, call: &Call) -> Answer {
    let id = call.segment(2).to_owned();
    export::downloadable(state, &id)?;
    let item = content::find(state, &id)?;
    match &item.data {
        Data::None => Ok(Reply::bytes("text/plain", Bytes::new())),
        Data::Json(text) => Ok(Reply::bytes("application/json;charset=utf-8", text.clone())),
        Data::File { media, bytes } if state.catalogue.settings.files_inline => Ok(named(
            Reply::bytes(media, bytes.clone()),
            item.name.as_deref(),
        )),
        Data::File { .. } => {
            let name = item.name.clone().unwrap_or_else(|| "data".to_owned());
            Ok(Reply::redirect(sign(state, &id, &name)))
        }
    }
}

/// An address of the file store that is good for a while.
fn sign(state: &mut State, id: &str, name: &str) -> String {
    let seconds = state.catalogue.settings.signed_url_seconds;
    let signature = format!(
        "signature-secret-{}",
        hex_id(&format!("{id}/{}", state.signed.len()))
    );
    state.signed.insert(
        signature.clone(),
        (id.to_owned(), Instant::now() + Duration::from_secs(seconds)),
    );
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes())
        .collect::<String>()
        .replace('+', "%20");
    format!(
        "{}/{id}/{name}?X-Amz-Expires={seconds}&X-Amz-Signature={signature}",
        state.places.blob
    )
}

/// The file store: a good signature and nothing else opens it.
pub fn blob(state: &mut State, call: &Call) -> Answer {
    if call.carries_secret || call.referer.is_some() {
        return Err(store_error(
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed",
        ));
    }
    let signed = call
        .param("X-Amz-Signature")
        .and_then(|signature| state.signed.get(signature));
    let Some((id, end)) = signed else {
        return Err(store_error(403, "AccessDenied", "Access Denied"));
    };
    if *end <= Instant::now() || call.segment(0) != id {
        return Err(store_error(403, "AccessDenied", "Request has expired"));
    }
    let item = state
        .catalogue
        .item(id)
        .ok_or_else(|| store_error(404, "NoSuchKey", "The key does not exist."))?;
    let Data::File { media, bytes } = &item.data else {
        return Err(store_error(404, "NoSuchKey", "No file."));
    };
    Ok(ranged(
        call,
        named(Reply::bytes(media, bytes.clone()), item.name.as_deref()),
    ))
}

fn named(reply: Reply, name: Option<&str>) -> Reply {
    let plain: String = name
        .unwrap_or("data")
        .chars()
        .filter(|c| c.is_ascii() && !c.is_ascii_control())
        .collect();
    reply.header(
        "content-disposition",
        format!("attachment; filename=\"{}\"", plain.replace('"', "'")),
    )
}

/// `Range: bytes=N-` is honoured.
fn ranged(call: &Call, reply: Reply) -> Reply {
    let range = call
        .range
        .as_deref()
        .and_then(|range| range.strip_prefix("bytes="));
    let Some(from) = range
        .and_then(|range| range.strip_suffix('-'))
        .and_then(|from| from.parse::<usize>().ok())
    else {
        return reply;
    };
    let total = reply.body.len();
    if from >= total {
        return store_error(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        );
    }
    let mut part = reply.status(206).header(
        "content-range",
        format!("bytes {from}-{}/{total}", total - 1),
    );
    part.body = part.body.slice(from..);
    part
}

fn store_error(status: u16, code: &str, message: &str) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Reply::bytes("application/xml", text).status(status)
}

/// What `/data` says of a file that is not there yet.
pub fn not_ready() -> Reply {
    Reply::json(
        &json!({"error": {"code": 400, "messageCode": "CONT_0048", "message": "Error updating file item.",
                                  "details": null}}),
    )
}
