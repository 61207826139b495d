//! A request as it came in.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::http::request::Parts;

/// Which of the three listeners was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Graph,
    Login,
    /// Pre-authenticated uploads and downloads.
    Storage,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub host: Host,
    pub route: &'static str,
    pub method: String,
    /// As sent: encoded, with the query.
    pub target: String,
    /// As sent: encoded, without the query.
    pub path: String,
    pub query: BTreeMap<String, String>,
    headers: HeaderMap,
    pub body: Bytes,
    /// Longer than `body` where the body was too long to be read.
    pub body_len: usize,
}

impl Call {
    pub fn read(host: Host, parts: Parts, body: Bytes, body_len: usize) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        Self {
            host,
            route: "other",
            method: parts.method.to_string(),
            target: parts
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            path: parts.uri.path().to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            headers: parts.headers,
            body,
            body_len,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(&self.body)
            .into_owned()
            .collect()
    }

    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// `Content-Range: bytes first-last/total`, if it is well formed.
    pub fn content_range(&self) -> Option<(u64, u64, u64)> {
        let (range, total) = self
            .header("content-range")?
            .strip_prefix("bytes ")?
            .split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, total) = (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
        (first <= last && last < total).then_some((first, last, total))
    }
}
