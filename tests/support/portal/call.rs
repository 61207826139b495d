//! A request as the handlers see it: where it arrived, what it asks, who sent it.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::http::request::Parts;
use url::form_urlencoded;

use super::faults::FaultKind;
use super::reply::Reply;

/// Which of the listeners a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The sharing API.
    Portal,
    /// Hosted feature services.
    Services,
    /// Pre-signed file storage, which must never see a token.
    Blob,
    /// Somebody else's server, which must never see a token either.
    Elsewhere,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub host: Host,
    pub method: String,
    pub route: &'static str,
    pub path: String,
    /// Percent-decoded, without the API's prefix.
    pub segments: Vec<String>,
    /// Query and form together.
    pub params: BTreeMap<String, String>,
    pub token: Option<String>,
    /// Any form of credential, accepted here or not.
    pub carries_secret: bool,
    pub token_in_url: bool,
    pub referer: Option<String>,
    pub user_agent: Option<String>,
    pub gzip: bool,
    pub range: Option<String>,
    /// Faults that the handler itself has to play.
    pub twists: Vec<FaultKind>,
}

impl Call {
    pub fn read(host: Host, parts: &Parts, body: &Bytes, context: &str) -> Self {
        let path = parts.uri.path().to_owned();
        let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let token_in_url = query.contains_key("token");
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned)
        };
        let mut params = query;
        if header("content-type")
            .is_some_and(|v| v.starts_with("application/x-www-form-urlencoded"))
        {
            params.extend(pairs(body));
        }
        let bearer = header("x-esri-authorization")
            .and_then(|v| v.strip_prefix("Bearer ").map(str::to_owned));
        let token = bearer.or_else(|| params.get("token").cloned());
        Self {
            host,
            method: parts.method.to_string(),
            route: "unknown",
            segments: segments(host, &path, context),
            carries_secret: token.is_some()
                || header("authorization").is_some()
                || header("x-esri-authorization").is_some(),
            path,
            params,
            token,
            token_in_url,
            referer: header("referer"),
            user_agent: header("user-agent"),
            gzip: header("accept-encoding").is_some_and(|v| v.contains("gzip")),
            range: header("range"),
            twists: Vec::new(),
        }
    }

    /// Of which only the address is known.
    pub fn to(host: Host, address: &str) -> Self {
        let request = hyper::Request::builder().uri(address).body(());
        let (parts, ()) = request.expect("an address").into_parts();
        Self::read(host, &parts, &Bytes::new(), "")
    }

    /// A parameter; an empty one counts as absent.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub fn flag(&self, name: &str) -> bool {
        self.param(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A count; what is no number is refused.
    pub fn number(&self, name: &str) -> Result<Option<usize>, Reply> {
        let refuse = |_| Reply::bad_query(&format!("'{name}' is not a number"));
        self.param(name)
            .map(|value| value.parse().map_err(refuse))
            .transpose()
    }

    pub fn segment(&self, index: usize) -> &str {
        self.segments.get(index).map_or("", String::as_str)
    }

    /// The last segment, or the one that many before it.
    pub fn last(&self, index: usize) -> &str {
        self.segments
            .iter()
            .rev()
            .nth(index)
            .map_or("", String::as_str)
    }

    pub fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub fn post(&self) -> bool {
        self.method == "POST"
    }

    pub fn twisted(&self, wanted: impl Fn(&FaultKind) -> bool) -> bool {
        self.twists.iter().any(wanted)
    }
}

fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// Nothing but `unknown` is found under another prefix than the host's own.
fn segments(host: Host, path: &str, context: &str) -> Vec<String> {
    let prefix = match host {
        Host::Portal => format!("{context}/sharing/rest"),
        Host::Services | Host::Blob | Host::Elsewhere => String::new(),
    };
    match path.strip_prefix(&prefix) {
        Some(rest) => rest
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decoded)
            .collect(),
        None => vec!["outside the API".to_owned()],
    }
}

fn decoded(segment: &str) -> String {
    let plain = segment.replace('+', "%2B"); // a plus in a path is a plus
    form_urlencoded::parse(plain.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}
