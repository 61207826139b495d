//! How many requests may be in flight, and when a host must be left alone. The organisation's people
//! come first: its quota is shared, so we slow down long before it is gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use tracing::info;

/// Shares of the organisation's request units per minute at which we go slowly, and stop.
const SLOW_ABOVE: f64 = 0.7;
const STOP_ABOVE: f64 = 0.9;

/// One gate for all requests of a pass.
#[derive(Debug)]
pub(super) struct Throttle {
    in_flight: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug)]
struct Host {
    open_at: Instant,
    /// While narrow, requests to the host go one by one.
    narrow: bool,
    single_file: Arc<Semaphore>,
}

/// Held as long as a request, its body included, is in flight.
#[derive(Debug)]
pub(super) struct Admission {
    _in_flight: OwnedSemaphorePermit,
    _single_file: Option<OwnedSemaphorePermit>,
}

impl Throttle {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(concurrency)),
            hosts: Mutex::default(),
        }
    }

    /// Waits until the host may be asked. `None` only when the gate is gone, at the end of the process.
    pub(super) async fn enter(&self, host: &str) -> Option<Admission> {
        loop {
            let (open_at, single_file) = self.state_of(host);
            sleep_until(open_at).await;
            let single_file = match single_file {
                Some(gate) => Some(gate.acquire_owned().await.ok()?),
                None => None,
            };
            let in_flight = Arc::clone(&self.in_flight).acquire_owned().await.ok()?;
            // Another request may have been told to pause, or to go one by one, while this one waited.
            let (open_at, narrow) = self.state_of(host);
            if open_at <= Instant::now() && narrow.is_some() == single_file.is_some() {
                return Some(Admission {
                    _in_flight: in_flight,
                    _single_file: single_file,
                });
            }
        }
    }

    /// Nobody asks this host anything for a while.
    pub(super) fn pause(&self, host: &str, pause: Duration, why: &str) {
        info!(host, seconds = pause.as_secs(), why, "slowed down");
        self.with_host(host, |state| {
            state.open_at = state.open_at.max(Instant::now() + pause);
        });
    }

    /// Obeys the header with the organisation's use of its quota:
    /// `x-esri-org-request-units-per-min: usage=97;max=10000`.
    pub(super) fn heed(&self, host: &str, headers: &HeaderMap) {
        let Some(share) = share_of_quota(headers) else {
            return;
        };
        if share > STOP_ABOVE {
            self.pause(
                host,
                until_the_minute_turns(headers),
                "the organisation's quota is nearly used",
            );
        }
        let was_narrow = self.with_host(host, |state| {
            if (SLOW_ABOVE..=STOP_ABOVE).contains(&share) {
                let breath =
                    Duration::from_secs_f64((share - SLOW_ABOVE) / (STOP_ABOVE - SLOW_ABOVE));
                state.open_at = state.open_at.max(Instant::now() + breath);
            }
            std::mem::replace(&mut state.narrow, share > SLOW_ABOVE)
        });
        if share > SLOW_ABOVE && !was_narrow {
            info!(
                host,
                share_of_quota = share,
                why = "the organisation's quota is filling",
                "slowed down"
            );
        }
    }

    fn state_of(&self, host: &str) -> (Instant, Option<Arc<Semaphore>>) {
        self.with_host(host, |state| {
            (
                state.open_at,
                state.narrow.then(|| Arc::clone(&state.single_file)),
            )
        })
    }

    fn with_host<T>(&self, host: &str, act: impl FnOnce(&mut Host) -> T) -> T {
        let mut hosts: MutexGuard<'_, _> =
            self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        act(hosts.entry(host.to_owned()).or_insert_with(|| Host {
            open_at: Instant::now(),
            narrow: false,
            single_file: Arc::new(Semaphore::new(1)),
        }))
    }
}

fn share_of_quota(headers: &HeaderMap) -> Option<f64> {
    let text = headers
        .get("x-esri-org-request-units-per-min")?
        .to_str()
        .ok()?;
    let number = |name: &str| {
        let part = text
            .split(';')
            .find_map(|part| part.trim().strip_prefix(name))?;
        part.strip_prefix('=')?.trim().parse::<f64>().ok()
    };
    let (usage, max) = (number("usage")?, number("max")?);
    (max > 0.0).then(|| usage / max)
}

/// By the server's clock where it tells it: ours may differ.
fn until_the_minute_turns(headers: &HeaderMap) -> Duration {
    let now = server_time(headers).unwrap_or_else(Timestamp::now);
    let into_minute = now.as_second().rem_euclid(60).unsigned_abs();
    Duration::from_secs(61 - into_minute)
}

/// The `Date` header.
pub(super) fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(&text.replace("GMT", "+0000"))
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// `Retry-After` in seconds, where it is given.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_quota_is_read_from_the_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(share_of_quota(&headers), None);
        for (text, share) in [
            ("usage=97;max=10000", Some(0.0097)),
            ("usage=1; max=0", None),
            ("x", None),
        ] {
            headers.insert(
                "x-esri-org-request-units-per-min",
                text.parse().expect("a header"),
            );
            assert_eq!(share_of_quota(&headers), share, "{text}");
        }
    }

    #[test]
    fn the_minute_turns_by_the_servers_clock() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "date",
            "Mon, 23 Nov 2026 06:25:42 GMT".parse().expect("a header"),
        );
        assert_eq!(until_the_minute_turns(&headers), Duration::from_secs(19));
    }
}
