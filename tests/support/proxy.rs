//! A proxy on loopback in front of a store: it writes down what passes, and lets it go wrong on demand.
//! What it passes on is what the client sent, to the byte and with its `Host`: that is what is signed.

mod pass;
mod rule;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use url::Url;

pub use rule::{Act, Fault, Rule};

use super::aside::Listener;

/// Longer than any client of a test should take to send a request.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running proxy; it stops when dropped.
pub struct Proxy {
    listener: Listener,
    target: Url,
    shared: Arc<Shared>,
}

/// A request that has arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub method: String,
    /// With its query, as it was sent.
    pub path: String,
    /// What the client was told, if it was told anything yet.
    pub status: Option<u16>,
    pub body_len: usize,
}

/// What all connections share.
struct Shared {
    /// `host:port` of the store.
    target: String,
    state: Mutex<State>,
    gate: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    faults: Vec<Fault>,
    passed: Vec<Passed>,
    held: usize,
    /// How often the test has let go.
    turn: usize,
    in_flight: usize,
    peak: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// In front of an `http:` address.
    pub fn to(url: &str) -> Self {
        let target = Url::parse(url).expect("an address");
        let shared = Arc::new(Shared {
            target: target.authority().to_owned(),
            state: Mutex::default(),
            gate: watch::Sender::new(()),
        });
        let connections = Arc::clone(&shared);
        let listener =
            Listener::start(move |stream| pass::converse(Arc::clone(&connections), stream));
        Self {
            listener,
            target,
            shared,
        }
    }

    /// The target's address with the proxy's port.
    pub fn url(&self) -> String {
        let path = self.target.path().trim_end_matches('/');
        format!("http://127.0.0.1:{}{path}", self.listener.port())
    }

    pub fn add(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// All requests in the order of their arrival.
    pub fn requests(&self) -> Vec<Passed> {
        self.shared.lock().passed.clone()
    }

    pub fn count(&self, wanted: impl Fn(&Passed) -> bool) -> usize {
        self.requests().iter().filter(|one| wanted(one)).count()
    }

    pub fn most_in_flight(&self) -> usize {
        self.shared.lock().peak
    }

    /// Waits until a request is held.
    #[track_caller]
    pub fn wait_until_held(&self) {
        let patience = Instant::now() + PATIENCE;
        while self.shared.lock().held == 0 {
            assert!(Instant::now() < patience, "nothing to hold has come");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets go of what is held now; what comes later is held again, if a rule says so.
    pub fn let_go(&self) {
        let mut state = self.shared.lock();
        (state.held, state.turn) = (0, state.turn + 1);
        self.shared.gate.send_replace(());
    }
}
