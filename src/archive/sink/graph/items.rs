//! Graph's items, completed. Business drives leave out members that `OpenDAL` insists on, name the folder by the
//! drive's id, and list notebooks, which are neither file nor folder.
//! <https://learn.microsoft.com/graph/api/resources/driveitem>

use futures::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response};
use opendal::{Buffer, Error, ErrorKind, HttpBody, Result};
use serde_json::{Value, json};

/// One item. `OpenDAL` uses nothing of its folder.
pub(super) async fn item(response: Response<HttpBody>) -> Result<Response<HttpBody>> {
    altered(response, |item| complete(item, "")).await
}

/// The items of a folder; and the address of the next page.
pub(super) async fn listing(
    response: Response<HttpBody>,
    folder: &str,
) -> Result<(Response<HttpBody>, Option<String>)> {
    let mut next = None;
    let response = altered(response, |page| {
        next = page["@odata.nextLink"].as_str().map(ToOwned::to_owned);
        let Some(items) = page["value"].as_array_mut() else {
            return;
        };
        items.retain(|item| item.get("file").is_some() || item.get("folder").is_some());
        for item in items {
            complete(item, folder);
        }
    });
    Ok((response.await?, next))
}

/// The folder is the one that was asked for, as it was written: Graph's own spelling differs in encoding, in the
/// drive that comes before it, and in case.
fn complete(item: &mut Value, folder: &str) {
    let Some(members) = item.as_object_mut() else {
        return;
    };
    for (member, default) in [
        ("eTag", json!("")),
        ("size", json!(0)),
        ("lastModifiedDateTime", json!("1970-01-01T00:00:00Z")),
    ] {
        members.entry(member).or_insert(default);
    }
    let parent = members.entry("parentReference").or_insert(json!({}));
    if let Some(parent) = parent.as_object_mut() {
        parent.insert("path".to_owned(), json!(format!("/drive/root:{folder}")));
        for member in ["driveId", "id"] {
            parent.entry(member).or_insert(json!(""));
        }
    }
}

async fn altered(
    response: Response<HttpBody>,
    alter: impl FnOnce(&mut Value),
) -> Result<Response<HttpBody>> {
    let (mut parts, mut body) = response.into_parts();
    let text = body.to_buffer().await?.to_bytes();
    // What is no JSON is not Graph's answer: a proxy's page, or half of one.
    let mut answer: Value = serde_json::from_slice(&text).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "an answer that is not JSON")
            .set_source(error)
            .set_temporary()
    })?;
    alter(&mut answer);
    let text = answer.to_string();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    let length = text.len() as u64;
    let body = HttpBody::new(stream::iter([Ok(Buffer::from(text))]), Some(length));
    Ok(Response::from_parts(parts, body))
}
