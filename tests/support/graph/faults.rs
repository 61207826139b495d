//! Faults by name: which request is hit, how often, and what happens to it.

use super::super::fault;
use super::call::Call;
use super::reply::{Delivery, Reply};
use super::state::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A Graph error with this code.
    Status(u16, &'static str),
    /// 429, and how many seconds to wait.
    Throttle(u64),
    /// 503, and how many seconds to wait.
    Busy(u64),
    /// 401, and every access token is void.
    Unauthorized,
    /// The last fragment is answered 202 and its bytes are dropped; other fragments pass.
    AcceptedOnly,
    /// The request took effect; its answer never comes.
    LoseReply,
    /// The connection closes, nothing was done.
    Reset,
    Hang,
    QuotaFull,
    /// 404, and the upload session is gone.
    SessionGone,
    /// Half of the body, then the connection closes.
    TruncatedDownload,
}

impl FaultKind {
    /// The answer that stands in for the real one, if this kind has one.
    pub fn instead(self, state: &mut State, call: &Call) -> Option<Reply> {
        Some(match self {
            Self::Status(status, code) => Reply::error(status, code, "", "A fault by name."),
            Self::Throttle(seconds) => Reply::wait(429, seconds),
            Self::Busy(seconds) => Reply::wait(503, seconds),
            Self::Unauthorized => {
                state.tokens.void_access();
                Reply::unauthorized("Access token has expired or is not yet valid.")
            }
            Self::AcceptedOnly => state.session_progress(call)?,
            Self::Reset => Reply::empty(500).delivered(Delivery::Lost),
            Self::QuotaFull => Reply::error(
                507,
                "quotaLimitReached",
                "insufficientStorage",
                "The user has reached their quota limit.",
            ),
            Self::SessionGone => {
                state.sessions.remove(&call.path);
                Reply::error(
                    404,
                    "itemNotFound",
                    "uploadSessionNotFound",
                    "The upload session was not found.",
                )
            }
            Self::LoseReply | Self::Hang | Self::TruncatedDownload => return None,
        })
    }

    /// The real answer, spoilt on its way.
    pub fn spoil(self, reply: Reply) -> Reply {
        match self {
            Self::LoseReply => reply.delivered(Delivery::Lost),
            Self::TruncatedDownload => reply.delivered(Delivery::Cut),
            _ => reply,
        }
    }
}

/// Its route is a route's name, or `*`; `only` is part of the path, as sent.
pub type Fault = fault::Fault<FaultKind>;

impl Fault {
    fn matches(&self, call: &Call) -> bool {
        let is_last = || {
            call.content_range()
                .is_some_and(|(_, last, total)| last + 1 == total)
        };
        (self.route == "*" || self.route == call.route)
            && self
                .only
                .as_ref()
                .is_none_or(|part| call.target.contains(part.as_str()))
            && (self.kind != FaultKind::AcceptedOnly || is_last())
    }
}

#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// One fault a request: the first whose turn has come. All others that match count it.
    pub fn strike(&mut self, call: &Call) -> Option<FaultKind> {
        let mut struck = None;
        for fault in self.0.iter_mut().filter(|fault| fault.matches(call)) {
            if !fault.turns.passes() && struck.is_none() && fault.turns.take() {
                struck = Some(fault.kind);
            }
        }
        struck
    }
}
