//! How many requests may be in flight, and when somebody must be left alone. The organisation's people come
//! first: its quota is shared, so a request goes only when there is room for it.

mod gate;
mod meter;
mod people;
mod told;
mod turn;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::info;
use url::Url;

use super::call::host_of;
use super::error::Error;
use gate::{FRESH, Gate, Verdict};
use told::told;
pub(super) use told::{retry_after, server_time};

/// While it cleans up, a pass waits no longer than this before it asks again.
const BREATH: Duration = Duration::from_secs(1);

/// The way to all servers of a pass.
#[derive(Debug)]
pub(super) struct Throttle {
    in_flight: Arc<Semaphore>,
    gates: Mutex<HashMap<String, Arc<Guarded>>>,
    lifted: AtomicBool,
}

/// A gate, and the bell that rings when something may have changed there.
#[derive(Debug)]
struct Guarded {
    gate: Mutex<Gate>,
    bell: Notify,
}

/// Held as long as a request, its body included, is in flight. Nothing is held once all is lifted.
#[derive(Debug, Default)]
pub(super) struct Admission {
    _in_flight: Option<OwnedSemaphorePermit>,
    asked: Option<Asked>,
}

/// A question whose answer has not begun.
#[derive(Debug)]
struct Asked {
    guarded: Arc<Guarded>,
    at: Instant,
}

impl Throttle {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(concurrency)),
            gates: Mutex::default(),
            lifted: AtomicBool::new(false),
        }
    }

    /// Waits until this address may be asked.
    pub(super) async fn enter(&self, url: &Url) -> Result<Admission, Error> {
        let guarded = self.gate_of(url);
        while !self.is_lifted() {
            let permit = Arc::clone(&self.in_flight).acquire_owned().await;
            let permit = permit.map_err(|_closed| ended())?;
            let rings = guarded.bell.notified();
            let now = Instant::now();
            let verdict = guarded.locked().ask(now);
            if verdict == Verdict::Go {
                let asked = Some(Asked {
                    guarded: Arc::clone(&guarded),
                    at: now,
                });
                return Ok(Admission {
                    _in_flight: Some(permit),
                    asked,
                });
            }
            drop(permit);
            match verdict {
                Verdict::Never => return Err(used_up(url)),
                Verdict::Full(until, share) => {
                    tell_full(url, until - now, share);
                    sleep_until(until).await;
                }
                Verdict::NotBefore(until) => sleep_until(until).await,
                _ => drop(timeout(FRESH, rings).await),
            }
        }
        Ok(Admission::default())
    }

    /// Nobody asks there anything for a while.
    pub(super) fn pause(&self, url: &Url, pause: Duration) {
        let (host, seconds) = (host_of(url), pause.as_secs());
        info!(
            host,
            seconds,
            why = "the host asks for a pause",
            "slowed down"
        );
        let guarded = self.gate_of(url);
        guarded.locked().pause_until(Instant::now() + pause);
    }

    /// From now on nobody waits: what is left to ask cleans up, and is little.
    pub(super) fn lift(&self) {
        self.lifted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_lifted(&self) -> bool {
        self.lifted.load(Ordering::Relaxed)
    }

    /// How long to wait before a question is asked again.
    pub(super) fn patient(&self, wait: Duration) -> Duration {
        if self.is_lifted() {
            wait.min(BREATH)
        } else {
            wait
        }
    }

    fn gate_of(&self, url: &Url) -> Arc<Guarded> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            Arc::new(Guarded {
                gate: Mutex::new(Gate::new(Instant::now())),
                bell: Notify::new(),
            })
        };
        Arc::clone(gates.entry(debtor(url)).or_insert_with(made))
    }
}

impl Guarded {
    fn locked(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission {
    /// The answer began with these headers.
    pub(super) fn hear(&mut self, headers: &HeaderMap) {
        if let Some(asked) = self.asked.take() {
            let told = told(headers);
            asked.guarded.locked().hear(asked.at, told, Instant::now());
            asked.guarded.bell.notify_waiters();
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(asked) = self.asked.take() {
            asked.guarded.locked().unanswered(Instant::now());
            asked.guarded.bell.notify_waiters();
        }
    }
}

/// Who is burdened by a request: a host, but all hosts of hosted services together for one organisation, which
/// they name first in the path. Elsewhere the path says what its owner likes.
fn debtor(url: &Url) -> String {
    let hosted = url
        .host_str()
        .is_some_and(|host| host.starts_with("services") && host.ends_with(".arcgis.com"));
    let organisation = url.path_segments().and_then(|mut path| path.next());
    match organisation.filter(|_| hosted) {
        Some(organisation) => organisation.to_owned(),
        None => host_of(url),
    }
}

fn tell_full(url: &Url, wait: Duration, share: f64) {
    info!(
        host = host_of(url),
        seconds = wait.as_secs(),
        share_of_quota = share,
        why = "what is left of the organisation's quota is for its people",
        "slowed down"
    );
}

fn ended() -> Error {
    Error::Unavailable("the pass is ending".to_owned())
}

fn used_up(url: &Url) -> Error {
    let host = host_of(url);
    Error::Unavailable(format!(
        "{host}: the organisation's quota of requests has been used up by others for an hour; run at another time of day"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_of_an_organisation_share_its_quota_and_nobody_else_does() {
        let debtor = |url: &str| debtor(&Url::parse(url).expect("a url"));
        for host in ["services1", "services7"] {
            let url = format!("https://{host}.arcgis.com/CityOrg/arcgis/rest/services/Parks");
            assert_eq!(debtor(&url), "CityOrg");
        }
        for host in [
            "www.arcgis.com",
            "gis.city.gov:6443",
            "services.arcgis.com.evil.org",
        ] {
            let url = format!("https://{host}/CityOrg/arcgis/rest/services/Parks");
            assert_eq!(debtor(&url), host);
        }
    }
}
