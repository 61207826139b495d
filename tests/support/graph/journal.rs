//! What came in, and what should never have: the evidence that tests read.

use super::call::{Call, Host};
use super::login::CLIENT_SECRET;

/// One request as it arrived, and the status it got.
#[derive(Clone, Debug)]
pub struct Seen {
    pub host: Host,
    pub route: &'static str,
    pub method: String,
    /// As sent: encoded, with the query.
    pub path: String,
    pub authorization: Option<String>,
    /// 0 while unanswered, and for a connection closed without an answer.
    pub status: u16,
    pub body_len: usize,
}

#[derive(Debug, Default)]
pub struct Journal {
    pub requests: Vec<Seen>,
    pub violations: Vec<String>,
    in_flight: usize,
    pub most_in_flight: usize,
}

impl Journal {
    pub fn began(&mut self) {
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
    }

    pub fn ended(&mut self) {
        self.in_flight -= 1;
    }

    /// Where the answer's status belongs.
    pub fn arrived(&mut self, call: &Call) -> usize {
        self.requests.push(Seen {
            host: call.host,
            route: call.route,
            method: call.method.clone(),
            path: call.target.clone(),
            authorization: call.header("authorization").map(str::to_owned),
            status: 0,
            body_len: call.body_len,
        });
        self.requests.len() - 1
    }

    pub fn answered(&mut self, line: usize, status: u16) {
        if let Some(seen) = self.requests.get_mut(line) {
            seen.status = status;
        }
    }

    /// `tokens`: every access and refresh token ever given out.
    pub fn suspect<'a>(&mut self, call: &Call, mut tokens: impl Iterator<Item = &'a str>) {
        if call.host != Host::Graph && call.bearer().is_some() {
            let text = format!("a bearer token came to {:?}: {}", call.host, call.path);
            self.violations.push(text);
        }
        let in_url = |secret: &str| {
            call.target.contains(secret) || call.query.values().any(|value| value.contains(secret))
        };
        if in_url(CLIENT_SECRET) || tokens.any(in_url) {
            let text = format!("a credential travelled in a URL: {}", call.path);
            self.violations.push(text);
        }
    }
}
