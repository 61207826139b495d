//! What an answer means. The status alone says little: most failures are HTTP 200 with an `error` object,
//! some are a page of HTML, and the content type is no guide, so the body decides.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::error::{Error, Trouble};
use super::throttle::retry_after;

/// An error object is small; a longer body is content.
pub(super) const LONGEST_ERROR: usize = 64 * 1024;

/// Judges status and headers. `Ok` means that the body decides.
pub(super) fn judge_status(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Trouble> {
    if status.is_success() {
        return Ok(());
    }
    if let Some(error) = error_object(body) {
        return Err(judge_error(
            &error,
            retry_after(headers),
            i64::from(status.as_u16()),
        ));
    }
    let message = format!("HTTP {status}");
    Err(by_code(
        i64::from(status.as_u16()),
        message,
        retry_after(headers),
    ))
}

/// Judges a body that should be a JSON document.
pub(super) fn judge_json(body: &[u8]) -> Result<(), Trouble> {
    judge_error_in(body)?;
    match first_byte(body) {
        Some(b'{' | b'[') => Ok(()),
        Some(b'<') => Err(Trouble::transient("HTML came where JSON was due")),
        Some(_) => Err(Trouble::transient(
            "something that is not JSON came where JSON was due",
        )),
        None => Err(Trouble::transient(
            "an empty answer came where JSON was due",
        )),
    }
}

/// Finds an error object in a body of any kind.
pub(super) fn judge_error_in(body: &[u8]) -> Result<(), Trouble> {
    match error_object(body) {
        Some(error) => Err(judge_error(&error, None, 0)),
        None => Ok(()),
    }
}

/// A gateway's page: no item's data begins like this except a web page's own.
pub(super) fn looks_like_a_page(body: &[u8]) -> bool {
    let start: Vec<u8> = body
        .iter()
        .copied()
        .skip_while(|byte| is_blank(*byte))
        .take(14)
        .collect();
    let start = start.to_ascii_lowercase();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

/// The first byte that means something; a byte order mark is none.
pub(super) fn first_byte(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|byte| !is_blank(*byte))
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0xEF | 0xBB | 0xBF)
}

/// The error in a body, in any of the shapes that ArcGIS uses.
fn error_object(body: &[u8]) -> Option<Value> {
    if body.len() > LONGEST_ERROR || first_byte(body) != Some(b'{') {
        return None;
    }
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let members = document.as_object_mut()?;
    let is_error = |error: &Value| match error {
        Value::Object(error) => ["code", "message", "error", "messageCode"]
            .iter()
            .any(|key| error.contains_key(*key)),
        // RFC 6749, as servers before ArcGIS Online's answer.
        Value::String(_) => true,
        _ => false,
    };
    if members.get("error").is_some_and(is_error) && !members.contains_key("features") {
        return match members.remove("error")? {
            Value::String(word) => {
                let text = members
                    .get("error_description")
                    .and_then(Value::as_str)
                    .unwrap_or(&word)
                    .to_owned();
                Some(serde_json::json!({"code": 400, "message": text, "error": word}))
            }
            error => Some(error),
        };
    }
    let failed = members.get("status").and_then(Value::as_str) == Some("failure")
        && members
            .get("code")
            .and_then(Value::as_i64)
            .is_some_and(|code| code >= 400);
    failed.then_some(document)
}

fn judge_error(error: &Value, retry_after: Option<Duration>, status: i64) -> Trouble {
    let code = match error.get("code") {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(status),
        Some(Value::String(text)) => text.parse().unwrap_or(status),
        _ => status,
    };
    let text = words(error);
    let pause = retry_after.or_else(|| told_pause(&text));
    let lower = text.to_ascii_lowercase();
    if lower.contains("too many requests") || lower.contains("quota exceeded") {
        return by_code(429, text, pause);
    }
    // A query that is too much comes as an ordinary 400.
    let overloaded = [
        "error performing query",
        "unable to complete operation",
        "cannot perform query",
        "timed out",
    ];
    if matches!(code, 400 | 500 | 0) && overloaded.iter().any(|words| lower.contains(words)) {
        return Trouble::Final(Error::Overloaded(text));
    }
    by_code(code, text, pause)
}

/// Message and details in one line; `details` may be null, text or a list.
fn words(error: &Value) -> String {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut words = vec![text("message")];
    if text("message").is_empty() {
        words = vec![text("error_description"), text("error")];
    }
    match error.get("details") {
        Some(Value::String(details)) => words.push(details),
        Some(Value::Array(details)) => words.extend(details.iter().filter_map(Value::as_str)),
        _ => {}
    }
    words.dedup();
    words.retain(|word| !word.is_empty());
    let mut line: String = words
        .join(" ")
        .chars()
        .filter(|character| !character.is_control())
        .collect();
    if line.is_empty() {
        "the portal reports an error without a message".clone_into(&mut line);
    }
    if line.len() > 500 {
        line = line.chars().take(500).collect();
    }
    line
}

/// "… Retry after 60 sec."
fn told_pause(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let (_, after) = lower
        .split_once("retry after ")
        .or_else(|| lower.split_once("try again in "))?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

fn by_code(code: i64, message: String, pause: Option<Duration>) -> Trouble {
    match code {
        401 | 498 | 499 => Trouble::Token {
            used: None,
            message,
        },
        429 => Trouble::Throttled {
            pause: pause.unwrap_or(Duration::from_mins(1)),
        },
        503 if pause.is_some() => Trouble::Throttled {
            pause: pause.unwrap_or_default(),
        },
        408 | 425 | 502 | 503 => Trouble::transient(message),
        // Often lasting: a bad layer, a bad parameter.
        500 => Trouble::Transient { message, tries: 3 },
        413 | 504 => Trouble::Final(Error::Overloaded(message)),
        _ => Trouble::Final(Error::Refused { code, message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(body: &str) -> String {
        match judge_json(body.as_bytes()) {
            Ok(()) => "content".to_owned(),
            Err(Trouble::Token { .. }) => "token".to_owned(),
            Err(Trouble::Throttled { pause }) => format!("pause {}", pause.as_secs()),
            Err(Trouble::Transient { .. }) => "transient".to_owned(),
            Err(Trouble::Final(Error::Overloaded(_))) => "overloaded".to_owned(),
            Err(Trouble::Final(error)) => error.to_string(),
        }
    }

    #[test]
    fn every_shape_of_an_error_is_known() {
        for (body, meaning) in [
            (r#"{"features":[]}"#, "content"),
            (" [1]", "content"),
            (
                r#"{"error":{"code":498,"message":"Invalid token.","details":[]}}"#,
                "token",
            ),
            (
                r#"{"error":{"code":"499","message":"Token Required","details":null}}"#,
                "token",
            ),
            (
                r#"{"error":{"code":429,"message":"Too many requests.","details":["Retry after 7 sec."]}}"#,
                "pause 7",
            ),
            (r#"{"error":{"code":429,"message":"x"}}"#, "pause 60"),
            (
                r#"{"error":{"code":504,"message":"Your request has timed out."}}"#,
                "overloaded",
            ),
            (
                r#"{"error":{"code":400,"message":"Error performing query operation","details":"x"}}"#,
                "overloaded",
            ),
            (
                r#"{"error":{"code":500,"message":"An error occurred."}}"#,
                "transient",
            ),
            (r#"{"error":{"message":"No."}}"#, "No. (code 0)"),
            (
                r#"{"error":"invalid_grant","error_description":"Bad code"}"#,
                "Bad code (code 400)",
            ),
            (
                r#"{"code":500,"message":"x","status":"failure","details":null}"#,
                "transient",
            ),
            ("<html>", "transient"),
            ("", "transient"),
            ("\u{feff}{}", "content"),
        ] {
            assert_eq!(judged(body), meaning, "{body}");
        }
    }
}
