//! How long trouble with the portal may last. No variable sets these: they are a promise, not a taste. They are
//! values, so that a test need not wait as long as a night does.

use std::time::Duration;

/// What is waited for, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Failed attempts and the waits after them, for one item together.
    pub trouble: Duration,
    /// Pauses that hosts ask for while one item is read, together: they are not the item's fault.
    pub pauses: Duration,
    /// An answer that brings no byte for so long has broken off.
    pub silence: Duration,
    /// Over so long a body is looked at, whether it still moves.
    pub slowness: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            trouble: Duration::from_mins(30),
            pauses: Duration::from_hours(2),
            silence: Duration::from_secs(90),
            slowness: Duration::from_mins(3),
        }
    }
}
