//! When the number of used units begins anew. Nobody documents it, so it is believed only when it was seen.

use std::time::Duration;

use tokio::time::Instant;

pub(super) const MINUTE: Duration = Duration::from_mins(1);
/// The clock is told in whole seconds, and a whole one is added to what is left of the minute.
const TICK: Duration = Duration::from_secs(2);
/// A turn that was seen with two answers no further apart is known well enough.
const BLINK: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Turn {
    /// Perhaps by the minute of the server's clock; perhaps never, because the minute slides.
    #[default]
    Unknown,
    /// By the minute of the server's clock.
    ByClock,
    /// A minute after this, and every minute from then on.
    At(Instant),
}

impl Turn {
    pub(super) fn is_known(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// What is known when the number, last told at `told_at` and to begin anew at `due_at`, has fallen or has not.
    pub(super) fn seen(self, fell: bool, told_at: Instant, due_at: Instant, now: Instant) -> Self {
        let due = now + TICK >= due_at;
        // It fell at any time since it was told.
        let precise = now <= told_at + BLINK;
        match self {
            Self::Unknown if fell && due && precise => Self::ByClock,
            Self::Unknown if fell => Self::At(now),
            Self::ByClock | Self::At(_) if fell && !due => Self::At(now),
            Self::ByClock | Self::At(_) if !fell && now >= due_at => Self::Unknown,
            known => known,
        }
    }

    /// The next one, where the clock's minute turns after `by_clock`.
    pub(super) fn next(self, by_clock: Duration, now: Instant) -> Instant {
        match self {
            Self::Unknown | Self::ByClock => now + by_clock,
            Self::At(first) => {
                let passed = (now - first).as_secs() % MINUTE.as_secs();
                now + MINUTE - Duration::from_secs(passed)
            }
        }
    }
}
