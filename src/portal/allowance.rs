//! How much trouble one item may cost. Every question has its own few tries; what they lose is bounded here for
//! all of them together, so that an item of a thousand parts on a broken server does not hold a pass for days.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Portal;
use super::error::Error;
use crate::config::Bounds;

tokio::task_local! {
    /// All that is asked for an item is asked in one task.
    static OF_THE_ITEM: Arc<Allowance>;
}

/// What may still be lost.
#[derive(Debug)]
pub(super) struct Allowance {
    bounds: Bounds,
    trouble: Mutex<Lost>,
    pauses: Mutex<Lost>,
}

/// Time that was lost so far.
#[derive(Debug, Default)]
struct Lost {
    in_all: Duration,
    until: Option<Instant>,
}

impl Lost {
    /// What several questions lose side by side is lost once.
    fn add(&mut self, from: Instant, until: Instant) {
        let from = self.until.map_or(from, |before| before.max(from));
        self.in_all += until.saturating_duration_since(from);
        self.until = Some(from.max(until));
    }
}

impl Allowance {
    fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            trouble: Mutex::default(),
            pauses: Mutex::default(),
        }
    }

    /// The one of the work under way; a question that belongs to none has its own.
    pub(super) fn current(bounds: Bounds) -> Arc<Self> {
        OF_THE_ITEM
            .try_with(Arc::clone)
            .unwrap_or_else(|_outside| Arc::new(Self::new(bounds)))
    }

    /// An attempt in vain, or a wait.
    pub(super) fn lose(&self, from: Instant, until: Instant) {
        locked(&self.trouble).add(from, until);
    }

    /// An error when more was lost than may be.
    pub(super) fn lasts(&self, why: &str) -> Result<(), Error> {
        let most = self.bounds.trouble;
        if locked(&self.trouble).in_all <= most {
            return Ok(());
        }
        Err(Error::Unavailable(format!(
            "{why} (given up: failed attempts and waits took more than {} seconds in all)",
            most.as_secs()
        )))
    }

    /// A pause that a host asks for.
    pub(super) fn pause(&self, pause: Duration) -> Result<(), Error> {
        let (now, most) = (Instant::now(), self.bounds.pauses);
        let mut pauses = locked(&self.pauses);
        pauses.add(now, now + pause);
        if pauses.in_all <= most {
            return Ok(());
        }
        Err(Error::Unavailable(format!(
            "the host asks for pauses of more than {} seconds in all",
            most.as_secs()
        )))
    }
}

fn locked(lost: &Mutex<Lost>) -> MutexGuard<'_, Lost> {
    lost.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Portal {
    /// Does work whose trouble is bounded as a whole.
    pub async fn bounded<T>(&self, work: impl Future<Output = T>) -> T {
        let allowance = Arc::new(Allowance::new(self.bounds));
        OF_THE_ITEM.scope(allowance, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn allowance() -> Allowance {
        Allowance::new(Bounds {
            trouble: seconds(60),
            pauses: seconds(100),
            ..Bounds::default()
        })
    }

    #[test]
    fn what_is_lost_side_by_side_is_lost_once() {
        let (allowance, began) = (allowance(), Instant::now());
        let at = |moment| began + seconds(moment);
        for (from, until, lasts) in [
            (0, 30, true),
            (0, 30, true),
            (10, 40, true),
            (100, 120, true),
            (110, 120, true),
            (120, 121, false),
        ] {
            allowance.lose(at(from), at(until));
            let lost = allowance.lasts("cut");
            assert_eq!(lost.is_ok(), lasts, "from {from} until {until}");
        }
    }

    #[test]
    fn an_end_says_why() {
        let (allowance, now) = (allowance(), Instant::now());
        allowance.lose(now, now + seconds(61));
        let end = allowance.lasts("HTTP 502 Bad Gateway");
        let message = end.expect_err("too much").to_string();
        assert!(
            message.starts_with("HTTP 502 Bad Gateway (given up: "),
            "{message}"
        );
        assert!(message.contains("60 seconds"), "{message}");
    }

    #[test]
    fn pauses_are_no_trouble_but_they_end_too() {
        let allowance = allowance();
        assert!(allowance.pause(seconds(90)).is_ok());
        let now = Instant::now();
        allowance.lose(now, now + seconds(50));
        assert!(allowance.lasts("cut").is_ok());
        assert!(allowance.pause(seconds(600)).is_err());
    }

    #[tokio::test]
    async fn only_work_that_belongs_together_shares_one() {
        let shared = Arc::new(allowance());
        let within = async { Arc::ptr_eq(&Allowance::current(Bounds::default()), &shared) };
        assert!(OF_THE_ITEM.scope(Arc::clone(&shared), within).await);
        assert!(!Arc::ptr_eq(
            &Allowance::current(Bounds::default()),
            &shared
        ));
    }
}
