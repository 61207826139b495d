//! What came in, and what should never have: the evidence that tests read.

use std::collections::BTreeMap;
use std::time::Instant;

use super::call::{Call, Host};

/// One request as it arrived, and the status it got.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub host: Host,
    pub route: &'static str,
    pub method: String,
    /// Without the query string.
    pub path: String,
    /// Query and form together.
    pub params: BTreeMap<String, String>,
    /// A credential in any header or parameter.
    pub has_token: bool,
    pub referer: Option<String>,
    pub user_agent: Option<String>,
    /// Requests under way on all hosts, this one included.
    pub in_flight: usize,
    /// 0 while unanswered, and for a connection closed without an answer.
    pub status: u16,
}

#[derive(Debug, Default)]
pub struct Journal {
    pub requests: Vec<Seen>,
    pub violations: Vec<String>,
    pub peak: usize,
    /// Of the organisation's units, when a request of ours was answered.
    pub peak_share: f64,
    pub deleted: Vec<String>,
    pub exports: Vec<String>,
    /// Grows when the log is cleared, so that late answers find no wrong line.
    epoch: usize,
}

/// Where an answer's status belongs.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    epoch: usize,
    index: usize,
}

impl Journal {
    pub fn arrived(&mut self, call: &Call, in_flight: usize) -> Line {
        self.peak = self.peak.max(in_flight);
        self.suspect(call);
        self.requests.push(Seen {
            at: Instant::now(),
            host: call.host,
            route: call.route,
            method: call.method.clone(),
            path: call.path.clone(),
            params: call.params.clone(),
            has_token: call.carries_secret,
            referer: call.referer.clone(),
            user_agent: call.user_agent.clone(),
            in_flight,
            status: 0,
        });
        Line {
            epoch: self.epoch,
            index: self.requests.len() - 1,
        }
    }

    pub fn answered(&mut self, line: Line, status: u16) {
        if line.epoch == self.epoch
            && let Some(seen) = self.requests.get_mut(line.index)
        {
            seen.status = status;
        }
    }

    pub fn clear(&mut self) {
        self.requests.clear();
        self.peak = 0;
        self.peak_share = 0.0;
        self.epoch += 1;
    }

    pub fn violation(&mut self, text: String) {
        self.violations.push(text);
    }

    fn suspect(&mut self, call: &Call) {
        if call.token_in_url {
            self.violation(format!("a token travelled in the URL of {}", call.path));
        }
        if matches!(call.host, Host::Blob | Host::Elsewhere) && call.carries_secret {
            self.violation(format!(
                "a token was sent to {:?}: {}",
                call.host, call.path
            ));
        }
        if call.host == Host::Blob && call.referer.is_some() {
            self.violation(format!(
                "a Referer was sent to the file store: {}",
                call.path
            ));
        }
    }
}
