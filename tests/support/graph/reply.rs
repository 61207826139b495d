//! An answer before it goes out.

use bytes::Bytes;
use serde_json::{Value, json};

use super::state::now;

/// How much of an answer reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Whole,
    /// `Content-Length` promises all, half arrives, the connection closes.
    Cut,
    /// The connection closes without an answer.
    Lost,
}

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
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            delivery: Delivery::Whole,
        }
    }

    pub fn json(status: u16, value: &Value) -> Self {
        Self {
            body: value.to_string().into(),
            ..Self::empty(status)
        }
        .header("content-type", "application/json")
    }

    /// Graph's error object; `detail` is the code inside, where the documents have one.
    pub fn error(status: u16, code: &str, detail: &str, message: &str) -> Self {
        let mut inner = json!({
            "date": now(),
            "request-id": "7a2e4f3c-52d5-4e4b-9d3e-0f5d3c1b2a90",
            "client-request-id": "7a2e4f3c-52d5-4e4b-9d3e-0f5d3c1b2a90",
        });
        if !detail.is_empty() {
            inner["code"] = detail.into();
        }
        let error = json!({ "code": code, "message": message, "innerError": inner });
        Self::json(status, &json!({ "error": error }))
    }

    pub fn invalid(detail: &str, message: &str) -> Self {
        Self::error(400, "invalidRequest", detail, message)
    }

    pub fn not_found() -> Self {
        Self::error(404, "itemNotFound", "", "The resource could not be found.")
    }

    pub fn name_taken() -> Self {
        let message = "An item with the same name already exists under the parent.";
        Self::error(409, "nameAlreadyExists", "", message)
    }

    pub fn not_supported() -> Self {
        Self::error(501, "notSupported", "", "The fake does not play this.")
    }

    /// 429 and 503 say in seconds when to come again.
    pub fn wait(status: u16, seconds: u64) -> Self {
        let reply = match status {
            429 => Self::error(
                429,
                "activityLimitReached",
                "throttledRequest",
                "The app or user has been throttled.",
            ),
            _ => Self::error(
                status,
                "serviceNotAvailable",
                "",
                "The service is not available. Try again after a delay.",
            ),
        };
        reply.header("retry-after", &seconds.to_string())
    }

    pub fn unauthorized(message: &str) -> Self {
        Self::error(401, "InvalidAuthenticationToken", "", message)
            .header("www-authenticate", "Bearer realm=\"\"")
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}
