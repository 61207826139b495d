//! How bytes go out: Graph sends the client on to a URL that needs no token.

use super::call::Call;
use super::drive::Kind;
use super::reply::{Answer, Reply};
use super::state::State;

/// The URL is good for what the file is now.
pub fn redirect(state: &mut State, path: &str) -> Answer {
    let item = state.drive.get(path).ok_or_else(Reply::not_found)?;
    let Kind::File(content) = &item.kind else {
        return Err(Reply::invalid("", "The item has no content."));
    };
    let content = content.clone();
    let at = format!("/download/{}", state.secret());
    let key = state.secret();
    let url = format!("{}{at}?tempauth={key}", state.places.storage);
    state.downloads.insert(at, (key, content));
    Ok(Reply::empty(302).header("location", &url))
}

pub fn download(state: &State, call: &Call) -> Answer {
    let (key, content) = state
        .downloads
        .get(&call.path)
        .ok_or_else(Reply::not_found)?;
    if call.parameter("tempauth") != Some(key.as_str()) {
        let text = "The URL is not signed.";
        return Err(Reply::error(401, "unauthenticated", "", text));
    }
    let Some(bytes) = &content.bytes else {
        return Err(Reply::error(
            500,
            "generalException",
            "",
            "The content was discarded.",
        ));
    };
    let whole = Reply {
        body: bytes.clone(),
        ..Reply::empty(200)
    }
    .header("content-type", "application/octet-stream")
    .header("accept-ranges", "bytes");
    let Some(range) = call.header("range") else {
        return Ok(whole);
    };
    let length = bytes.len();
    let Some((first, last)) = asked(range, length) else {
        let text = "The range is not satisfiable.";
        let refusal = Reply::error(416, "invalidRange", "", text);
        return Err(refusal.header("content-range", &format!("bytes */{length}")));
    };
    let part = Reply {
        status: 206,
        body: bytes.slice(first..=last),
        ..whole
    };
    Ok(part.header("content-range", &format!("bytes {first}-{last}/{length}")))
}

/// First and last byte of a range that has at least one.
fn asked(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", suffix) => {
            let suffix: usize = suffix.parse().ok()?;
            (length.saturating_sub(suffix), end)
        }
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
}
