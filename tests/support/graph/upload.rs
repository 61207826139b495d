//! How bytes come in: one request for a small file, a session for a large one.

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::drive::{Conflict, Content, Kind, hex};
use super::items::{check_match, object};
use super::portrait::selection;
use super::reply::{Answer, Reply};
use super::state::{State, in_minutes};

/// One `PUT` of a whole content may have this much.
pub const LONGEST_CONTENT: usize = 250_000_000;
const FRAGMENT_UNIT: u64 = 320 * 1024;
const LONGEST_FRAGMENT: usize = 60 * 1024 * 1024;
const CONFLICT: &str = "@microsoft.graph.conflictBehavior";

#[derive(Debug)]
pub struct Session {
    /// What the upload URL must carry besides its path.
    key: String,
    path: String,
    on: Conflict,
    bytes: Vec<u8>,
    received: u64,
    total: Option<u64>,
    hash: Sha256,
}

impl Session {
    fn progress(&self) -> Value {
        json!({
            "expirationDateTime": in_minutes(15),
            "nextExpectedRanges": [format!("{}-", self.received)],
        })
    }

    fn take(&mut self, bytes: &Bytes, keep: bool) {
        self.hash.update(bytes);
        self.received += bytes.len() as u64;
        if keep {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

pub fn put_content(state: &mut State, call: &Call, path: &str) -> Answer {
    if call.body_len > LONGEST_CONTENT {
        let text = "The content is too long for one request.";
        return Err(Reply::error(
            413,
            "invalidRequest",
            "maxRequestLengthExceeded",
            text,
        ));
    }
    let on = Conflict::parse(call.parameter(CONFLICT).unwrap_or("replace"))?;
    let selection = selection(call.parameter("$select"))?;
    check_match(call, state.drive.get(path))?;
    let content = Content::new(call.body.clone(), state.settings.discard_content);
    let (item, is_new) = state.drive.write(path, Kind::File(content), on)?;
    let status = if is_new { 201 } else { 200 };
    Ok(Reply::json(status, &state.portrait(&item, &selection)))
}

pub fn create_session(state: &mut State, call: &Call, path: &str) -> Answer {
    let body = if call.body.is_empty() {
        json!({})
    } else {
        object(call)?
    };
    let on = wanted(&body, path)?;
    let taken = state.drive.get(path);
    check_match(call, taken)?;
    let fits = match (on, taken.map(|item| &item.kind)) {
        (_, None) | (Conflict::Rename, _) | (Conflict::Replace, Some(Kind::File(_))) => true,
        (Conflict::Fail | Conflict::Replace, Some(_)) => false,
    };
    if !fits {
        return Err(Reply::name_taken());
    }
    let at = format!("/upload/{}", state.secret());
    let key = state.secret();
    let url = format!("{}{at}?tempauth={key}", state.places.storage);
    let session = Session {
        key,
        path: path.to_owned(),
        on,
        bytes: Vec::new(),
        received: 0,
        total: None,
        hash: Sha256::new(),
    };
    let mut answer = session.progress();
    answer["uploadUrl"] = url.into();
    state.sessions.insert(at, session);
    Ok(Reply::json(200, &answer))
}

/// What the body asks for; a property that is not documented is refused.
fn wanted(body: &Value, path: &str) -> Result<Conflict, Reply> {
    let known = |of: &Value, names: &[&str]| {
        of.as_object().is_none_or(|object| {
            let mut keys = object.keys();
            keys.all(|key| key.starts_with('@') || names.contains(&key.as_str()))
        })
    };
    let item = &body["item"];
    let of_item = ["name", "description", "fileSystemInfo", "fileSize"];
    if !known(body, &["item", "deferCommit"]) || !known(item, &of_item) {
        return Err(Reply::invalid("", "The body has an unknown property."));
    }
    if let Some(name) = item["name"].as_str() {
        let in_url = path.rsplit('/').next().unwrap_or_default();
        if name.to_lowercase() != in_url.to_lowercase() {
            let text = "The name in the body does not match the name in the URL.";
            return Err(Reply::invalid("", text));
        }
    }
    match &item[CONFLICT] {
        Value::Null => Ok(Conflict::Fail),
        text => Conflict::parse(text.as_str().unwrap_or_default()),
    }
}

pub fn fragment(state: &mut State, call: &Call) -> Answer {
    let keep = !state.settings.discard_content;
    let session = open(state, call)?;
    let (first, last, total) = check_fragment(session, call)?;
    session.total = Some(total);
    if last + 1 < total {
        session.take(&call.body, keep);
        return Ok(Reply::json(202, &session.progress()));
    }
    finish(state, call, first)
}

/// A refused name leaves the session as it was before its last fragment.
fn finish(state: &mut State, call: &Call, first: u64) -> Answer {
    let keep = !state.settings.discard_content;
    let Some(mut session) = state.sessions.remove(&call.path) else {
        return Err(gone());
    };
    let before = session.hash.clone();
    session.take(&call.body, keep);
    let content = Content {
        len: session.received,
        sha256: hex(&session.hash.clone().finalize()),
        bytes: keep.then(|| std::mem::take(&mut session.bytes).into()),
    };
    let bytes = content.bytes.clone();
    match state
        .drive
        .write(&session.path, Kind::File(content), session.on)
    {
        Ok((item, is_new)) => {
            let status = if is_new { 201 } else { 200 };
            Ok(Reply::json(status, &state.portrait(&item, &[])))
        }
        Err(refusal) => {
            session.hash = before;
            session.received = first;
            session.bytes = bytes
                .map(|bytes| bytes[..to_usize(first)].to_vec())
                .unwrap_or_default();
            state.sessions.insert(call.path.clone(), session);
            Err(refusal)
        }
    }
}

fn to_usize(length: u64) -> usize {
    usize::try_from(length).expect("what fits into memory")
}

/// In order, without gaps, of whole units, and as long as it says.
fn check_fragment(session: &Session, call: &Call) -> Result<(u64, u64, u64), Reply> {
    let invalid = |detail, text| Err(Reply::invalid(detail, text));
    if call.header("content-length").is_none() {
        let text = "Content-Length is required.";
        return Err(Reply::error(411, "invalidRequest", "", text));
    }
    if call.body_len > LONGEST_FRAGMENT {
        return invalid("maxFragmentLengthExceeded", "The fragment is too long.");
    }
    let Some((first, last, total)) = call.content_range() else {
        return invalid(
            "invalidParameterFormat",
            "Invalid Content-Range header value.",
        );
    };
    let length = last - first + 1;
    if length != call.body_len as u64 {
        return invalid(
            "fragmentLengthMismatch",
            "Declared fragment length does not match the provided number of bytes.",
        );
    }
    if session.total.is_some_and(|told| told != total) {
        return invalid(
            "",
            "The total length differs from that of an earlier fragment.",
        );
    }
    if first != session.received {
        let detail = if first < session.received {
            "fragmentOverlap"
        } else {
            "fragmentOutOfOrder"
        };
        let text = "The uploaded fragment is not the one expected next.";
        return Err(Reply::error(416, "invalidRange", detail, text));
    }
    if last + 1 < total && length % FRAGMENT_UNIT != 0 {
        return invalid("", "The fragment is no multiple of 320 KiB.");
    }
    Ok((first, last, total))
}

pub fn status(state: &mut State, call: &Call) -> Answer {
    let session = open(state, call)?;
    Ok(Reply::json(200, &session.progress()))
}

pub fn cancel(state: &mut State, call: &Call) -> Answer {
    open(state, call)?;
    state.sessions.remove(&call.path);
    Ok(Reply::empty(204))
}

fn open<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Session, Reply> {
    let session = state.sessions.get_mut(&call.path).ok_or_else(gone)?;
    if call.parameter("tempauth") == Some(session.key.as_str()) {
        return Ok(session);
    }
    let text = "The URL is not signed.";
    Err(Reply::error(401, "unauthenticated", "", text))
}

/// Never was, finished, cancelled or expired.
pub fn gone() -> Reply {
    let text = "The upload session was not found.";
    Reply::error(404, "itemNotFound", "uploadSessionNotFound", text)
}

impl State {
    /// 202, as if the fragment had been taken.
    pub fn session_progress(&self, call: &Call) -> Option<Reply> {
        let session = self.sessions.get(&call.path)?;
        Some(Reply::json(202, &session.progress()))
    }
}
