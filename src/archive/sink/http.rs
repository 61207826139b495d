//! HTTP for every store: one client with timeouts; a store that asks for a pause gets it; addresses stay out of
//! errors.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode, Uri};
use opendal::{Buffer, Error, HttpBody, HttpTransport, Result};
use opendal_http_transport_reqwest::ReqwestTransport;
use tokio::time::Instant;
use tracing::info;

use super::reason;

/// A store that does not answer to a connection is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// From a request's begin to its answer, and between two pieces of one: a part of 8 MiB takes this long at 0.2 Mbit/s.
const SILENCE: Duration = Duration::from_mins(5);
/// A store that asks for more does not want to be asked again in this pass.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// How often one request is put off.
const PAUSES: u32 = 6;
/// For a store that says "too many" and not for how long; doubled each time.
const UNTOLD_PAUSE: Duration = Duration::from_secs(2);

/// A client, and until when it holds its breath.
pub(super) struct Http {
    client: ReqwestTransport,
    resume: Mutex<Option<Instant>>,
}

impl Http {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(crate::PROGRAM.replace(' ', "/"))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .tcp_keepalive(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::custom(follow))
            .no_gzip()
            .build()?;
        Ok(Self {
            client: ReqwestTransport::new(client),
            resume: Mutex::default(),
        })
    }

    async fn hold_breath(&self) {
        loop {
            let resume = *self.resume.lock().unwrap_or_else(PoisonError::into_inner);
            match resume.filter(|resume| *resume > Instant::now()) {
                Some(resume) => tokio::time::sleep_until(resume).await,
                None => return,
            }
        }
    }

    /// For everybody: the limit is the account's.
    fn pause(&self, pause: Duration) {
        let mut resume = self.resume.lock().unwrap_or_else(PoisonError::into_inner);
        *resume = (*resume).max(Some(Instant::now() + pause));
    }
}

impl HttpTransport for Http {
    async fn fetch(&self, request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let mut pauses = 0;
        loop {
            self.hold_breath().await;
            let sent = self.client.fetch(request.clone()).await;
            let mut response = sent.map_err(|error| unreachable(request.uri(), &error))?;
            // It would be printed with errors, and can be a key.
            response.extensions_mut().remove::<Uri>();
            let Some(pause) = pause_wanted(&response, pauses).filter(|_| pauses < PAUSES) else {
                return Ok(response);
            };
            pauses += 1;
            info!(
                subject = "destination",
                reason = %response.status(),
                attempt = pauses,
                wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "request retried"
            );
            self.pause(pause);
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Http")
    }
}

/// With the host, which is what is wrong most of the time, and nothing else of the address.
fn unreachable(asked: &Uri, error: &Error) -> Error {
    let host = asked.authority().map_or("?", http::uri::Authority::as_str);
    let text = format!("{host}: {}", reason::of(error));
    Error::new(error.kind(), text).with_temporary(error.is_temporary())
}

/// No service of `OpenDAL` obeys `Retry-After`, and OneDrive's takes 429 for final.
fn pause_wanted(response: &Response<HttpBody>, pauses: u32) -> Option<Duration> {
    let told = response.headers().get(RETRY_AFTER);
    let told = told.and_then(|value| {
        value
            .to_str()
            .ok()?
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs)
    });
    let pause = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => told.unwrap_or(UNTOLD_PAUSE * 2_u32.pow(pauses)),
        StatusCode::SERVICE_UNAVAILABLE => told?,
        _ => return None,
    };
    (pause <= LONGEST_PAUSE).then_some(pause)
}

/// Stores redirect to where a file lies; never from https to http.
fn follow(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let falls = attempt.url().scheme() != "https"
        && attempt.previous().iter().any(|url| url.scheme() == "https");
    if falls || attempt.previous().len() > 10 {
        attempt.stop()
    } else {
        attempt.follow()
    }
}
