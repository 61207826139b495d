//! One message to one address: tried again where that can help, and given up. Its address is in no error.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use tokio::time::sleep;
use url::Url;

/// One try, from the connection to the last byte of the answer.
pub(super) const TRY: Duration = Duration::from_secs(10);
const TRIES: u32 = 5;
/// Doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// What is sent, and where to.
pub(super) struct Post {
    address: Url,
    /// JSON.
    body: Option<Vec<u8>>,
}

/// Why a try failed.
enum Trouble {
    /// It may work later.
    Passing(String),
    /// It would fail again.
    Lasting(String),
}

impl Post {
    pub(super) fn new(address: Url, body: Option<Vec<u8>>) -> Self {
        Self { address, body }
    }

    /// Tries until it is taken, or there is no sense in it any more, or it is over.
    pub(super) async fn send(
        &self,
        client: &Client,
        over: impl Future<Output = ()>,
    ) -> Result<(), String> {
        tokio::pin!(over);
        let mut pause = FIRST_PAUSE;
        let mut left = TRIES;
        loop {
            left -= 1;
            let reason = match self.try_once(client).await {
                Ok(()) => return Ok(()),
                Err(Trouble::Lasting(reason)) => return Err(reason),
                Err(Trouble::Passing(reason)) => reason,
            };
            if left == 0 {
                return Err(reason);
            }
            tokio::select! {
                () = &mut over => return Err(reason),
                () = sleep(pause) => pause *= 2,
            }
        }
    }

    async fn try_once(&self, client: &Client) -> Result<(), Trouble> {
        let mut request = client.post(self.address.clone());
        if let Some(body) = &self.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let failed = |error| Trouble::Passing(in_words(error));
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let first = answer.chunk().await.map_err(failed)?.unwrap_or_default();
        judge(status, &first)
    }
}

fn judge(status: StatusCode, body: &[u8]) -> Result<(), Trouble> {
    // Healthchecks takes a ping for a check that it does not have with status 200.
    if status.is_success() && !body.starts_with(b"OK (") {
        return Ok(());
    }
    if status.is_success() {
        let words = String::from_utf8_lossy(body);
        return Err(Trouble::Lasting(format!("the answer is: {words:.100}")));
    }
    if status.is_redirection() {
        let remedy = "set the address that it leads to";
        let reason = format!("HTTP {status}, a redirect, which is not followed: {remedy}");
        return Err(Trouble::Lasting(reason));
    }
    let passing = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
    let reason = format!("HTTP {status}");
    Err(if passing {
        Trouble::Passing(reason)
    } else {
        Trouble::Lasting(reason)
    })
}

/// All that the transport says, without the address.
fn in_words(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} seconds", TRY.as_secs());
    }
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        words = format!("{words}: {inner}");
        source = inner.source();
    }
    words
}
