//! Everything that is said to ArcGIS: sign-in, listing, items, rows, attachments, exports. Knows nothing of
//! where a backup is kept. Writes nothing in the organisation except its own temporary export items.

mod allowance;
mod answer;
mod attachments;
mod body;
mod call;
mod discover;
mod disposition;
mod download;
mod error;
mod export;
mod features;
mod grant;
#[cfg(test)]
mod hostile;
mod layer;
mod login;
mod parts;
mod patience;
mod reach;
mod search;
mod service;
mod sign_in;
mod temporary;
mod throttle;
mod token;
mod trust;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use url::Url;

use crate::config::Bounds;

pub use attachments::Attachment;
pub use download::Download;
pub use error::Error;
pub use export::{Export, Job};
pub use features::Rows;
pub use grant::OUT_OF_BAND;
pub use layer::{Dates, Layer, LayerKind};
pub use login::Login;
pub use parts::{Part, Resource};
pub use patience::Patience;
pub use service::Service;
pub use sign_in::Account;
pub use temporary::{DeadPasses, TITLE_PREFIX};
pub use wire::Traffic;

/// A signed-in portal. Shared by everything that reads.
#[derive(Debug)]
pub struct Portal {
    /// Without `/sharing/rest`.
    address: Url,
    /// `{address}/sharing/rest`.
    rest: Url,
    client: reqwest::Client,
    tokens: token::Tokens,
    throttle: throttle::Throttle,
    reach: reach::Reach,
    bounds: Bounds,
    /// Held by the one body that may be long.
    long_bodies: Semaphore,
    /// Rest roots of other servers, and whether they name this portal as their owner.
    servers: tokio::sync::Mutex<HashMap<String, bool>>,
    temporary: temporary::Ledger,
    pages: features::PageBudget,
    account: Account,
    /// Requests and retries so far.
    pub traffic: Arc<Traffic>,
}

impl Portal {
    /// Who is signed in.
    pub fn account(&self) -> &Account {
        &self.account
    }
}
