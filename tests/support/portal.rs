//! A fake ArcGIS portal: real HTTP on loopback, stateful, with faults by name. Four listeners play
//! the sharing API, the hosted services, the file store and somebody else's server. Whoever harms
//! an item that the portal did not itself create by `export` fails the test when the handle drops.

mod about;
mod attachments;
mod auth;
mod call;
mod catalogue;
mod content;
mod edits;
mod export;
mod faults;
mod features;
mod files;
mod geometry;
mod journal;
mod layer;
mod pages;
mod parcel;
mod parts;
mod query;
mod remove;
mod reply;
mod routes;
mod search;
mod select;
mod server;
mod service;
mod sheet;
mod state;
mod units;

use std::sync::{Arc, MutexGuard};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

pub use call::{Call, Host};
pub use catalogue::{
    API_KEY, CLIENT_ID, Catalogue, Data, Folder, Item, MADE, ORG, REFRESH_TOKEN, Service, Settings,
    USER, hex_id, now,
};
pub use edits::media_type;
pub use faults::{Fault, FaultKind};
pub use journal::Seen;
pub use layer::{Attachment, Editing, Field, Generated, Layer, Row, Rows, Shape};
pub use pages::{OUT_OF_BAND, PERSON};
pub use reply::{Delivery, Reply};
pub use state::{Places, State};
pub use units::Units;

use server::{Running, Shared};

/// A running portal; it stops when dropped.
pub struct FakePortal {
    shared: Arc<Shared>,
    running: Option<Running>,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl FakePortal {
    /// Serves from the current runtime.
    pub async fn start(world: Catalogue) -> Self {
        let (shared, running) = server::start(world).await;
        Self {
            shared,
            running: Some(running),
            thread: None,
        }
    }

    /// Serves from a thread with a runtime of its own, for tests that are not async.
    pub fn start_blocking(world: Catalogue) -> Self {
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || serve_until(world, &ready, stopped));
        let shared = started.recv().expect("the portal starts");
        Self {
            shared,
            running: None,
            thread: Some((stop, thread)),
        }
    }

    /// `http://127.0.0.1:<port>`, with the context path if there is one.
    pub fn url(&self) -> String {
        self.shared.places.portal.clone()
    }

    /// The host of the hosted services.
    pub fn services_url(&self) -> String {
        self.shared.places.services.clone()
    }

    /// The file store.
    pub fn blob_url(&self) -> String {
        self.shared.places.blob.clone()
    }

    /// Somebody else's server.
    pub fn elsewhere_url(&self) -> String {
        self.shared.places.elsewhere.clone()
    }

    /// The state itself; no request is answered while it is held.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// Looks at the catalogue or changes it, between two requests.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut Catalogue) -> T) -> T {
        edit(&mut self.state().catalogue)
    }

    pub fn add_fault(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// All requests since the start or the last `reset_log`.
    pub fn requests(&self) -> Vec<Seen> {
        self.state().journal.requests.clone()
    }

    /// The requests to one route, or to all with `*`.
    pub fn requests_to(&self, route: &str) -> Vec<Seen> {
        let wanted = |seen: &Seen| route == "*" || seen.route == route;
        self.requests().into_iter().filter(wanted).collect()
    }

    pub fn count(&self, route: &str) -> usize {
        self.requests_to(route).len()
    }

    pub fn peak_in_flight(&self) -> usize {
        self.state().journal.peak
    }

    /// The highest share of the organisation's units that was used when a request of ours was answered.
    pub fn peak_share(&self) -> f64 {
        self.state().journal.peak_share
    }

    /// A request of a person in the organisation; false when it is refused.
    pub fn person_asks(&self, cost: u64) -> bool {
        self.state().person_asks(cost)
    }

    pub fn reset_log(&self) {
        self.state().journal.clear();
    }

    /// Ids of deleted items, in order.
    pub fn deleted(&self) -> Vec<String> {
        self.state().journal.deleted.clone()
    }

    /// Ids of all items that `export` created.
    pub fn exports_created(&self) -> Vec<String> {
        self.state().journal.exports.clone()
    }

    /// Ids of export items that nobody has deleted.
    pub fn exports_left(&self) -> Vec<String> {
        let state = self.state();
        let left = |id: &&String| state.catalogue.item(id).is_some();
        state.journal.exports.iter().filter(left).cloned().collect()
    }

    /// Ids of items that were deleted, but not for good.
    pub fn recycle_bin(&self) -> Vec<String> {
        self.state()
            .bin
            .iter()
            .map(|item| item.id.clone())
            .collect()
    }

    /// What nobody may do, and somebody did.
    pub fn violations(&self) -> Vec<String> {
        self.state().journal.violations.clone()
    }

    /// Takes the violations away, for tests that provoke them.
    pub fn forgive(&self) -> Vec<String> {
        std::mem::take(&mut self.state().journal.violations)
    }

    /// Declares an item to be a temporary export, as a dead pass would have left it.
    pub fn adopt_export(&self, item: Item) -> String {
        let mut state = self.state();
        state.journal.exports.push(item.id.clone());
        state.catalogue.add_item(item)
    }

    /// Voids every access token; the next use of one answers 498.
    pub fn expire_tokens(&self) {
        self.state().auth.expire_access();
    }

    /// Voids refresh tokens, access tokens and the API key.
    pub fn revoke_refresh(&self) {
        self.state().auth.revoke();
    }

    /// What a person brings back who opens this address and signs in; without the browser.
    pub fn code_for(&self, address: &str) -> String {
        let state = &mut *self.state();
        let settings = &state.catalogue.settings;
        let call = Call::to(Host::Portal, address);
        let asked = pages::asked(&call, settings).unwrap_or_else(|page| panic!("{page:?}"));
        state.auth.code(asked, settings)
    }

    /// One refresh token stops working.
    pub fn end_refresh(&self, token: &str) {
        self.state().auth.end(token);
    }

    /// How many access tokens were handed out.
    pub fn tokens_issued(&self) -> usize {
        self.state().auth.issued()
    }

    /// Refresh tokens that still work.
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.state().auth.refresh_tokens()
    }
}

impl Drop for FakePortal {
    fn drop(&mut self) {
        self.running.take();
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            drop(thread.join());
        }
        let violations = self.violations();
        assert!(
            violations.is_empty() || thread::panicking(),
            "the portal was harmed: {violations:#?}"
        );
    }
}

fn serve_until(
    world: Catalogue,
    ready: &std::sync::mpsc::Sender<Arc<Shared>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let (shared, running) = server::start(world).await;
        ready.send(shared).expect("somebody waits for the portal");
        drop(stopped.await); // an error means that the handle is gone: the same wish
        drop(running);
    });
}
