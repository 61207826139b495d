//! HTTP: sends a call, reads its body, and says what came. Redirects are followed by hand and bare, so
//! that no token reaches a storage host; no address is ever put into an error.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap};
use reqwest::{Certificate, Client};
use serde::de::IgnoredAny;

use super::Portal;
use super::answer::{LONGEST_ERROR, judge_json, judge_status};
use super::body::{Opened, Pace};
use super::call::Call;
use super::error::{Error, Trouble};
use super::patience::Patience;
use super::reach::Reach;
use super::throttle::server_time;
use crate::config::{Bounds, is_loopback};

/// A pass that cleans up asks again rather than wait longer.
const LAST_ANSWER: Duration = Duration::from_secs(4);

/// What the pass cost the portal.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    retries: AtomicU64,
    skew_seconds: OnceLock<i64>,
}

impl Traffic {
    /// Requests sent, retries included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Questions asked again.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// How far our clock is ahead of the portal's, by its first answer that tells the time; seconds.
    pub fn clock_skew(&self) -> Option<i64> {
        self.skew_seconds.get().copied()
    }

    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    fn compare_clocks(&self, headers: &HeaderMap) {
        if let Some(theirs) = server_time(headers) {
            self.skew_seconds
                .get_or_init(|| Timestamp::now().duration_since(theirs).as_secs());
        }
    }
}

/// One client for everything: rustls, no automatic redirects, no referrer, no cookies.
pub(super) fn client(
    authorities: &[Certificate],
    bounds: Bounds,
    reach: Reach,
) -> Result<Client, crate::config::Error> {
    let builder = Client::builder()
        .user_agent(concat!("agol-backup/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_secs(15))
        .read_timeout(bounds.silence)
        .dns_resolver(Arc::new(reach))
        .tls_certs_merge(authorities.iter().cloned());
    builder.build().map_err(|error| {
        let remedy = "install this machine's certificate authorities (the package ca-certificates), or name a file with some";
        let problem = format!("{}: {remedy}", error.without_url());
        crate::config::Error::new("ARCGIS_CA_FILE", format!("does not help: {problem}"))
    })
}

impl Portal {
    /// A JSON document, byte for byte.
    pub(super) async fn document(&self, call: &Call) -> Result<Bytes, Error> {
        let mut patience = self.patience();
        loop {
            match self.try_document(call, &mut patience).await {
                Ok(document) => return Ok(document),
                Err(trouble) => patience.after(trouble, call, self).await?,
            }
        }
    }

    async fn try_document(&self, call: &Call, patience: &mut Patience) -> Result<Bytes, Trouble> {
        let (opened, used) = self.send(call, patience).await?;
        if opened.response.status().is_redirection() {
            let message = "a redirect came where a document was due".to_owned();
            return Err(Trouble::Final(Error::Refused { code: 0, message }));
        }
        let answer = async {
            let document = self
                .read_whole(opened, call.longest, call.can_shrink)
                .await?;
            judge_json(&document)?;
            // Pages of rows are parsed by their reader anyway.
            if !call.can_shrink {
                serde_json::from_slice::<IgnoredAny>(&document).map_err(|error| {
                    Trouble::transient(format!("a garbled document came: {error}"))
                })?;
            }
            Ok(document)
        };
        answer.await.map_err(|trouble| naming_token(trouble, used))
    }

    /// Sends once. The token goes only to servers that are the portal's own.
    pub(super) async fn send(
        &self,
        call: &Call,
        patience: &mut Patience,
    ) -> Result<(Opened, Option<String>), Trouble> {
        let token = if !call.anonymous && self.trusts(&call.url).await? {
            Some(self.access_token().await?)
        } else {
            None
        };
        let opened = self.send_bare(call, token.as_deref(), patience).await?;
        let status = opened.response.status();
        if status.is_success() || status.is_redirection() {
            return Ok((opened, token));
        }
        let headers = opened.response.headers().clone();
        let body = self.read_whole(opened, LONGEST_ERROR as u64, false).await;
        let body = body.unwrap_or_default();
        match judge_status(status, &headers, &body) {
            Err(trouble) => Err(naming_token(trouble, token)),
            Ok(()) => Err(Trouble::transient(format!("HTTP {status}"))),
        }
    }

    /// Sends as it is. Every request passes here, so here it is judged where it goes.
    pub(super) async fn send_bare(
        &self,
        call: &Call,
        token: Option<&str>,
        patience: &mut Patience,
    ) -> Result<Opened, Trouble> {
        self.reach.allows(&call.url)?;
        if call.url.scheme() != "https" && !is_loopback(&call.url) {
            let message = "the address is not https, so it is not asked".to_owned();
            return Err(Trouble::Final(Error::Refused { code: 0, message }));
        }
        let mut admission = self.throttle.enter(&call.url).await?;
        let mut request = self.client.request(call.method.clone(), call.url.clone());
        if let Some(token) = token {
            request = request.header("X-Esri-Authorization", format!("Bearer {token}"));
        }
        if call.method == reqwest::Method::POST {
            request = request.form(&call.form);
        } else if call.as_it_is || is_loopback(&call.url) {
            // A file's length is told of what travels. Inside one machine compression only costs both sides.
            request = request.header(ACCEPT_ENCODING, "identity");
        }
        if self.throttle.is_lifted() {
            request = request.timeout(LAST_ANSWER);
        }
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        patience.sends();
        let response = request.send().await.map_err(Trouble::of_transport)?;
        self.traffic.compare_clocks(response.headers());
        admission.hear(response.headers());
        Ok(Opened {
            response,
            pace: Pace::over(self.bounds.slowness),
            _admission: admission,
        })
    }
}

pub(super) fn naming_token(trouble: Trouble, token: Option<String>) -> Trouble {
    match trouble {
        Trouble::Token { message, .. } => Trouble::Token {
            used: token,
            message,
        },
        other => other,
    }
}
