//! A fake Microsoft Graph with one drive: real HTTP on loopback, stateful, with faults by name.
//! Three listeners play Graph, the login and the storage behind pre-authenticated URLs. What the
//! documents refuse is refused here too.

mod address;
mod call;
mod download;
mod drive;
mod faults;
mod items;
mod journal;
mod login;
mod names;
mod portrait;
mod reply;
mod routes;
mod server;
mod state;
mod upload;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use tokio::sync::oneshot;

pub use call::Host;
pub use faults::{Fault, FaultKind};
pub use journal::Seen;
pub use state::{Account, Settings};

use drive::{Conflict, Content, Item, Kind};
use server::Shared;

/// A running Graph on a thread of its own; it stops when dropped.
pub struct FakeGraph {
    shared: Arc<Shared>,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl FakeGraph {
    pub const CLIENT_ID: &str = login::CLIENT_ID;
    pub const CLIENT_SECRET: &str = login::CLIENT_SECRET;

    pub fn start(account: Account) -> Self {
        let (shared, listeners) = server::bind(account);
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = thread::spawn(move || server::serve(&served, listeners, stopped));
        Self {
            shared,
            thread: Some((stop, thread)),
        }
    }

    /// The routes are below `/v1.0`.
    pub fn graph_url(&self) -> String {
        self.shared.lock().places.graph.clone()
    }

    pub fn login_url(&self) -> String {
        self.shared.lock().places.login.clone()
    }

    /// Pre-authenticated uploads and downloads.
    pub fn storage_url(&self) -> String {
        self.shared.lock().places.storage.clone()
    }

    pub fn drive_id(&self) -> String {
        self.shared.lock().places.drive_id().to_owned()
    }

    pub fn tenant(&self) -> String {
        self.shared.lock().places.tenant().to_owned()
    }

    /// The newest that is valid.
    pub fn refresh_token(&self) -> String {
        let state = self.shared.lock();
        state.tokens.newest_refresh().cloned().unwrap_or_default()
    }

    /// A fresh one, without a visit to the login; an app's own where the app is `app_only`.
    pub fn access_token(&self) -> String {
        let mut state = self.shared.lock();
        let app_only = state.settings.app_only;
        state.new_access_token(app_only)
    }

    /// Finished files by their paths, without a leading slash. Discarded contents are empty here.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.shared.lock();
        let file = |item: &Item| match &item.kind {
            Kind::File(content) => {
                let bytes = content.bytes.as_deref().unwrap_or_default();
                Some((item.path.clone(), bytes.to_vec()))
            }
            Kind::Folder | Kind::Package => None,
        };
        state.drive.all().filter_map(file).collect()
    }

    /// Known even of a content that was discarded.
    pub fn sha256(&self, path: &str) -> Option<String> {
        self.content(path).map(|content| content.sha256)
    }

    /// Known even of a content that was discarded.
    pub fn size(&self, path: &str) -> Option<u64> {
        self.content(path).map(|content| content.len)
    }

    fn content(&self, path: &str) -> Option<Content> {
        match &self.shared.lock().drive.get(path)?.kind {
            Kind::File(content) => Some(content.clone()),
            Kind::Folder | Kind::Package => None,
        }
    }

    /// As another user would; any name is taken.
    pub fn put(&self, path: &str, content: &[u8]) {
        let content = Content::new(Bytes::copy_from_slice(content), false);
        self.place(path, Kind::File(content));
    }

    /// An item with neither file nor folder, as a `OneNote` notebook is.
    pub fn put_package(&self, path: &str) {
        self.place(path, Kind::Package);
    }

    fn place(&self, path: &str, kind: Kind) {
        let placed = self
            .shared
            .lock()
            .drive
            .write(path, kind, Conflict::Replace);
        assert!(placed.is_ok(), "{path} is taken by another kind of item");
    }

    /// Upload sessions neither finished nor cancelled.
    pub fn open_sessions(&self) -> usize {
        self.shared.lock().sessions.len()
    }

    /// Entries of the recycle bin; a folder is one, whatever is in it.
    pub fn recycled(&self) -> usize {
        self.shared.lock().drive.recycled
    }

    /// In the order of arrival.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.lock().journal.requests.clone()
    }

    /// Requests to a route, answered well or not.
    pub fn count(&self, route: &str) -> usize {
        let state = self.shared.lock();
        let requests = state.journal.requests.iter();
        requests.filter(|seen| seen.route == route).count()
    }

    /// On the graph and storage hosts together.
    pub fn most_in_flight(&self) -> usize {
        self.shared.lock().journal.most_in_flight
    }

    /// Credentials where none belong.
    pub fn violations(&self) -> Vec<String> {
        self.shared.lock().journal.violations.clone()
    }

    pub fn add_fault(&self, fault: Fault) {
        self.shared.lock().faults.add(fault);
    }

    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    pub fn edit(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.lock().settings);
    }
}

impl Drop for FakeGraph {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            drop(thread.join()); // its panic has failed the test already
        }
    }
}
