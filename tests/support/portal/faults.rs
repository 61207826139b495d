//! Faults by name: which request is hit, how often, and what happens to it.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::super::fault;
use super::call::{Call, Host};
use super::catalogue::Catalogue;
use super::reply::{Delivery, Reply};

type Edit = Arc<dyn Fn(&mut Catalogue) + Send + Sync>;
type Custom = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;
type Alter = Arc<dyn Fn(&Call, Reply) -> Reply + Send + Sync>;

/// What goes wrong.
#[derive(Clone)]
pub enum FaultKind {
    // instead of the answer
    /// A real HTTP status with a short text, and `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// HTTP 200 with this `error` object.
    ErrorInBody(Value),
    /// 429 inside a 200, telling how many seconds to wait.
    Throttle429InBody(u64),
    Html200,
    Html(u16),
    /// An `error` object as `text/plain`.
    TextPlainError(i64, &'static str),
    EmptyBody,
    /// Nested far beyond any parser's limit.
    DeepJson,
    /// The connection closes, nothing was done.
    Reset,
    Hang,
    /// Every access token is void, and who sent one hears 498.
    ExpireTokens,
    Custom(Custom),
    // beside the answer
    /// Milliseconds before the answer.
    Slow(u64),
    /// Somebody edits just before this request is answered.
    Edit(Edit),
    // to the answer on its way
    CutBody,
    CutChunked,
    CutGzip,
    Drip,
    /// The request took effect; its answer never comes.
    TimeoutAfterActing,
    Alter(Alter),
    // rows (route `query`)
    /// Half of the rows, and no sign of more.
    ShortPage,
    /// Rows that an earlier page gave.
    RepeatPage,
    DoubleRow,
    /// A row from the middle is missing.
    LoseRow,
    /// The last page comes empty.
    DropLastPage,
    PageWithoutFlag,
    /// `exceededTransferLimit` outside `properties` in GeoJSON.
    FlagAtTopLevel,
    /// The same flag behind the rows.
    FlagAfterRows,
    /// Route `count`: `{"count": null}`.
    CountNull,
    // export (route `export`; each marks the job that is begun)
    ExportRefused,
    ExportNoId,
    ExportStuck,
    /// `failed` with this `statusMessage`.
    ExportFails(&'static str),
    ExportAsZip,
    /// `completed`, but `/data` answers 400 this many times.
    CompletedButNotReady(usize),
    // delete
    DeleteFails,
    // listings (routes `search`, `user_content`, `org_content`)
    /// The page's first item comes twice.
    DoubledItem,
    /// Fewer items than asked for, with `nextStart` going on.
    ListingShort,
}

impl FaultKind {
    pub fn edit(edit: impl Fn(&mut Catalogue) + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(edit))
    }

    pub fn custom(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(answer))
    }

    pub fn alter(change: impl Fn(&Call, Reply) -> Reply + Send + Sync + 'static) -> Self {
        Self::Alter(Arc::new(change))
    }

    /// The answer that stands in for the real one, if this kind has one.
    pub fn instead(&self, call: &Call) -> Option<Reply> {
        Some(match self {
            Self::Status(status, wait) => status_reply(*status, *wait),
            Self::ErrorInBody(error) => Reply::json(&serde_json::json!({ "error": error })),
            Self::Throttle429InBody(seconds) => Reply::too_many(*seconds),
            Self::Html200 => Reply::html(200, "Please wait"),
            Self::Html(status) => Reply::html(*status, "Bad gateway"),
            Self::TextPlainError(code, message) => Reply::bytes(
                "text/plain;charset=utf-8",
                Reply::error(*code, message).body,
            ),
            Self::EmptyBody => Reply::json_text(String::new()),
            Self::DeepJson => Reply::json_text("[".repeat(100_000)),
            Self::Reset => Reply::json_text(String::new()).delivered(Delivery::Reset),
            Self::ExpireTokens if call.token.is_some() => Reply::error(498, "Invalid token."),
            Self::Custom(answer) => answer(call),
            _ => return None,
        })
    }

    /// The real answer, spoilt on its way.
    pub fn spoil(&self, call: &Call, reply: Reply) -> Reply {
        match self {
            Self::CutBody => reply.delivered(Delivery::Cut),
            Self::CutChunked => reply.delivered(Delivery::CutChunked),
            Self::CutGzip => reply.delivered(Delivery::CutGzip),
            Self::Drip => reply.delivered(Delivery::Drip),
            Self::TimeoutAfterActing => reply.delivered(Delivery::Reset),
            Self::Alter(change) => change(call, reply),
            _ => reply,
        }
    }
}

fn status_reply(status: u16, wait: Option<u64>) -> Reply {
    let reply = Reply::bytes("text/plain", "The server is not able to answer now.").status(status);
    match wait {
        Some(seconds) => reply.header("retry-after", seconds.to_string()),
        None => reply,
    }
}

impl fmt::Debug for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultKind")
    }
}

/// Its route is a route's name, `*`, or a host's `portal:*`, `services:*`, `blob:*`, `elsewhere:*`; `only` is part
/// of the path (an id, a service's name, `Parks/FeatureServer/0`), or a whole parameter.
pub type Fault = fault::Fault<FaultKind>;

impl Fault {
    fn matches(&self, call: &Call) -> bool {
        let whole_host = match call.host {
            Host::Portal => "portal:*",
            Host::Services => "services:*",
            Host::Blob => "blob:*",
            Host::Elsewhere => "elsewhere:*",
        };
        let route = self.route == "*" || self.route == call.route || self.route == whole_host;
        route
            && self.only.as_ref().is_none_or(|part| {
                call.path.contains(part.as_str()) || call.params.values().any(|value| value == part)
            })
    }
}

/// All faults in wait, in the order in which they were set.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that strike this request; each is used up by one.
    pub fn strike(&mut self, call: &Call) -> Vec<FaultKind> {
        self.0
            .iter_mut()
            .filter(|fault| fault.matches(call))
            .filter_map(|fault| {
                let turn = !fault.turns.passes() && fault.turns.take();
                turn.then(|| fault.kind.clone())
            })
            .collect()
    }
}
