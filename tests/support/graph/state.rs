//! All that the server knows, behind one lock.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::drive::{Content, Drive, hex};
use super::faults::Faults;
use super::journal::Journal;
use super::login::Tokens;
use super::upload::Session;

/// What kind of account owns the drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    Personal,
    Work,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Places {
    pub account: Account,
    pub graph: String,
    pub login: String,
    pub storage: String,
}

impl Places {
    pub fn drive_id(&self) -> &'static str {
        match self.account {
            Account::Personal => "A0AA0A000A000A0A",
            Account::Work => "b!Xy-t3xG0kUqW7hQ2mZ1nB_4c9dEfPaRsLvJo6iK8uYwT5gNzCbHxSDMrQe",
        }
    }

    /// All personal accounts share one tenant.
    pub fn tenant(&self) -> &'static str {
        match self.account {
            Account::Personal => "9188040d-6c67-4c5b-b112-36a304b66dad",
            Account::Work => "5f1f11f3-a6b4-4414-aee0-215c774f80db",
        }
    }
}

/// How this server behaves; all may change between two requests.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug)]
pub struct Settings {
    /// Each refresh gives a new refresh token.
    pub rotate_refresh_token: bool,
    /// The refresh token that was used is void once there is a new one.
    pub revoke_old_refresh_token: bool,
    /// The app is registered in one tenant only: `/common` and `/organizations` are refused.
    pub single_tenant: bool,
    /// The app has no delegated permissions: refresh tokens are refused.
    pub app_only: bool,
    /// Contents are forgotten; lengths and hashes stay.
    pub discard_content: bool,
    /// Items directly in a work drive's root come without `eTag` and `parentReference.path`.
    pub bare_root_items: bool,
    pub token_lifetime_seconds: u64,
    /// The most children on a page; `$top` may ask for fewer.
    pub page_size: usize,
    /// Before each answer.
    pub latency_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rotate_refresh_token: true,
            revoke_old_refresh_token: false,
            single_tenant: false,
            app_only: false,
            discard_content: false,
            bare_root_items: true,
            token_lifetime_seconds: 3600,
            page_size: 200,
            latency_ms: 0,
        }
    }
}

#[derive(Debug)]
pub struct State {
    pub places: Places,
    pub settings: Settings,
    pub drive: Drive,
    pub tokens: Tokens,
    /// By the path of the upload URL.
    pub sessions: BTreeMap<String, Session>,
    /// By the path of the download URL.
    pub downloads: BTreeMap<String, (String, Content)>,
    pub journal: Journal,
    pub faults: Faults,
    secrets: u64,
}

impl State {
    pub fn new(places: Places) -> Self {
        let mut state = Self {
            places,
            settings: Settings::default(),
            drive: Drive::new(),
            tokens: Tokens::default(),
            sessions: BTreeMap::new(),
            downloads: BTreeMap::new(),
            journal: Journal::default(),
            faults: Faults::default(),
            secrets: 0,
        };
        state.new_refresh_token();
        state
    }

    /// Never the same twice, and not to be guessed by accident.
    pub fn secret(&mut self) -> String {
        self.secrets += 1;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seed = format!("{} {since:?}", self.secrets);
        hex(&Sha256::digest(seed.as_bytes()))
    }
}

/// To the second, as Graph writes it.
pub fn now() -> String {
    written(Timestamp::now())
}

pub fn in_minutes(minutes: i64) -> String {
    written(Timestamp::now() + SignedDuration::from_mins(minutes))
}

fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
