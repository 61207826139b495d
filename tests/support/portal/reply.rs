//! An answer before it goes out: status, headers, bytes, and how faithfully they are delivered.

use bytes::Bytes;
use serde_json::{Value, json};

/// How the bytes reach the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As promised.
    Whole,
    /// `Content-Length` promises all, half arrives, the connection closes.
    Cut,
    /// No `Content-Length`, half arrives, the connection closes without the last chunk.
    CutChunked,
    /// A gzip stream that ends early inside a sound HTTP message.
    CutGzip,
    /// A few bytes at a time.
    Drip,
    /// The connection closes without an answer.
    Reset,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    pub delivery: Delivery,
}

/// A handler's way out: the second is an answer too, reached early.
pub type Answer = Result<Reply, Reply>;

impl Reply {
    /// Any bytes under any media type.
    pub fn bytes(media: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", media.to_owned())],
            body: body.into(),
            delivery: Delivery::Whole,
        }
    }

    pub fn json(value: &Value) -> Self {
        Self::json_text(value.to_string())
    }

    pub fn json_text(text: String) -> Self {
        Self::bytes("application/json;charset=utf-8", text)
    }

    pub fn html(status: u16, text: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html><html><head><title>{text}</title></head><body>{text}</body></html>"
        );
        Self::bytes("text/html;charset=utf-8", page).status(status)
    }

    /// The usual failure: HTTP 200 with an `error` object.
    pub fn error(code: i64, message: &str) -> Self {
        Self::json(&json!({"error": {"code": code, "message": message, "details": []}}))
    }

    pub fn error_coded(code: i64, message_code: &str, message: &str) -> Self {
        Self::json(
            &json!({"error": {"code": code, "messageCode": message_code, "message": message, "details": []}}),
        )
    }

    pub fn not_found() -> Self {
        Self::error_coded(400, "CONT_0001", "Item does not exist or is inaccessible.")
    }

    pub fn forbidden() -> Self {
        Self::error_coded(
            403,
            "GWM_0003",
            "You do not have permissions to access this resource or perform this operation.",
        )
    }

    /// A hosted service's refusal of a query's parameters.
    pub fn bad_query(detail: &str) -> Self {
        Self::json(
            &json!({"error": {"code": 400, "message": "Cannot perform query. Invalid query parameters.", "details": [detail]}}),
        )
    }

    pub fn too_many(seconds: u64) -> Self {
        let detail = format!(
            "API calls quota exceeded (24001)! maximum allowed (24000) per Minute. Retry after {seconds} sec."
        );
        Self::json(
            &json!({"error": {"code": 429, "message": "Unable to perform query. Too many requests.", "details": [detail]}}),
        )
    }

    pub fn redirect(location: String) -> Self {
        Self::bytes("text/plain", Bytes::new())
            .status(302)
            .header("location", location)
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    pub fn is_json(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| *name == "content-type" && value.contains("json"))
    }
}
