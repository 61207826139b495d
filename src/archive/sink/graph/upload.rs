//! Large files go to an address that Graph gives for one upload, in fragments one after another. A fragment that
//! broke off is sent again, not the file; the last one must bring the finished item.
//! <https://learn.microsoft.com/graph/api/driveitem-createuploadsession>

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream;
use http::header::CONTENT_RANGE;
use http::{Method, Request, Response, StatusCode, Uri};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, Result};
use serde_json::Value;
use tracing::info;

use super::super::http::Http;
use super::super::reason;
use super::items;

const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Which bytes a fragment has: `bytes 0-99/200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fragment {
    end: u64,
    total: u64,
}

impl Fragment {
    fn of(request: &Request<Buffer>) -> Option<Self> {
        let range = request.headers().get(CONTENT_RANGE)?.to_str().ok()?;
        let (bytes, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (_, end) = bytes.split_once('-')?;
        Some(Self {
            end: end.parse().ok()?,
            total: total.parse().ok()?,
        })
    }

    fn is_last(self) -> bool {
        self.end + 1 == self.total
    }
}

/// The uploads that are under way. A signal drops them where they are, so somebody must know their addresses.
pub(in crate::archive::sink) struct Uploads {
    http: Arc<Http>,
    open: Mutex<HashSet<Uri>>,
}

impl Uploads {
    pub(super) fn new(http: Arc<Http>) -> Self {
        Self {
            http,
            open: Mutex::default(),
        }
    }

    /// Sends what goes to such an address. After a failure the upload is called off.
    pub(super) async fn send(&self, request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let Some(fragment) = Fragment::of(&request) else {
            return self.http.fetch(request).await;
        };
        self.open().insert(request.uri().clone());
        let sent = again_and_again(&self.http, &request, fragment).await;
        let is_well = matches!(&sent, Ok(response) if response.status().is_success());
        if !is_well {
            call_off(&self.http, request.uri()).await;
        }
        if fragment.is_last() || !is_well {
            self.open().remove(request.uri());
        }
        sent
    }

    /// Calls off what is still under way.
    pub(in crate::archive::sink) async fn call_off(&self) {
        let open = std::mem::take(&mut *self.open());
        for address in open {
            call_off(&self.http, &address).await;
        }
    }

    fn open(&self) -> MutexGuard<'_, HashSet<Uri>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn again_and_again(
    http: &Http,
    request: &Request<Buffer>,
    fragment: Fragment,
) -> Result<Response<HttpBody>> {
    let mut tries = 1;
    loop {
        let trouble = match http.fetch(request.clone()).await {
            Ok(response)
                if response.status().is_server_error()
                    && response.status() != StatusCode::INSUFFICIENT_STORAGE =>
            {
                Error::new(ErrorKind::Unexpected, response.status().to_string())
            }
            Ok(response) => return judged(http, request, response, fragment, tries > 1).await,
            Err(error) => error,
        };
        if tries == TRIES {
            return Err(trouble.set_permanent());
        }
        let wait = FIRST_WAIT * 2_u32.pow(tries - 1);
        info!(
            subject = "destination",
            reason = reason::of(&trouble),
            attempt = tries,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "request retried"
        );
        tokio::time::sleep(wait).await;
        tries += 1;
    }
}

/// `OpenDAL` takes 200 and 202 for the middle of an upload, wherever they come.
async fn judged(
    http: &Http,
    request: &Request<Buffer>,
    mut response: Response<HttpBody>,
    fragment: Fragment,
    sent_before: bool,
) -> Result<Response<HttpBody>> {
    let status = response.status();
    let gone = matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAUTHORIZED | StatusCode::CONFLICT
    );
    match status {
        StatusCode::OK | StatusCode::CREATED if fragment.is_last() => {
            *response.status_mut() = StatusCode::CREATED;
            items::item(response).await
        }
        StatusCode::ACCEPTED if fragment.is_last() => Err(begin_anew(
            "the last fragment was accepted, but the file was not finished",
        )),
        StatusCode::RANGE_NOT_SATISFIABLE
            if !fragment.is_last() && has(http, request, fragment).await? =>
        {
            Ok(accepted())
        }
        // The reply was lost, not the bytes: the store is asked whether the file is there.
        _ if sent_before
            && fragment.is_last()
            && (gone || status == StatusCode::RANGE_NOT_SATISFIABLE) =>
        {
            Err(Error::new(
                ErrorKind::Unexpected,
                "the reply to the last fragment was lost",
            ))
        }
        StatusCode::RANGE_NOT_SATISFIABLE => Err(begin_anew("the upload is out of step")),
        _ if gone && status != StatusCode::CONFLICT => {
            Err(begin_anew("the upload's address is not valid any more"))
        }
        _ => Ok(response),
    }
}

/// The retries around the whole file begin a new upload.
fn begin_anew(message: &str) -> Error {
    Error::new(ErrorKind::Unexpected, message).set_temporary()
}

/// Asks the upload what it waits for: `{"nextExpectedRanges": ["26-"]}`.
async fn has(http: &Http, request: &Request<Buffer>, fragment: Fragment) -> Result<bool> {
    let mut response = http.fetch(about(request.uri(), Method::GET)).await?;
    let text = response.body_mut().to_buffer().await?.to_bytes();
    let answer: Value = serde_json::from_slice(&text).unwrap_or_default();
    let next = answer
        .pointer("/nextExpectedRanges/0")
        .and_then(Value::as_str);
    let begin = next.and_then(|range| range.split('-').next()?.parse::<u64>().ok());
    Ok(begin == Some(fragment.end + 1))
}

async fn call_off(http: &Http, address: &Uri) {
    // It ends by itself after some days in any case.
    if let Err(error) = http.fetch(about(address, Method::DELETE)).await {
        tracing::debug!(reason = reason::of(&error), "upload not called off");
    }
}

fn about(address: &Uri, method: Method) -> Request<Buffer> {
    let mut about = Request::new(Buffer::new());
    *about.method_mut() = method;
    address.clone_into(about.uri_mut());
    about
}

fn accepted() -> Response<HttpBody> {
    let body = HttpBody::new(stream::iter([Ok(Buffer::from("{}"))]), Some(2));
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
