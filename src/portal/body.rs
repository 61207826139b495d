//! The body of an answer, as it comes: never more of it than was allowed, and never slower than something that
//! is alive. What is compressed is measured unpacked, so a bomb stops where any other body does.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use tokio::time::Instant;

use super::Portal;
use super::error::{Error, Trouble};
use super::throttle::Admission;

/// Any document: definitions of a hundred layers have a few megabytes.
pub(super) const LONGEST_DOCUMENT: u64 = 64 << 20;
/// The ids of some ten million rows.
pub(super) const LONGEST_ID_LIST: u64 = 128 << 20;
/// A file of which nobody told how long it is.
pub(super) const LONGEST_UNTOLD: u64 = 4 << 30;
/// Only one body at a time may hold more of the memory than this.
const LONG: usize = 16 << 20;
/// Bytes a second that a body brings if somebody is still sending it.
const LEAST_SPEED: u64 = 100;

/// An answer whose body is still to come, with its place among the requests in flight.
pub(super) struct Opened {
    pub(super) response: Response,
    pub(super) pace: Pace,
    pub(super) _admission: Admission,
}

/// How fast a body comes. Only the time that is spent waiting counts: a slow destination is not the server's fault.
#[derive(Debug)]
pub(super) struct Pace {
    /// How long it is looked at before it is judged.
    over: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    pub(super) fn over(over: Duration) -> Self {
        Self {
            over,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    fn keeps(&mut self, waited: Duration, bytes: usize) -> Result<(), Trouble> {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < self.over {
            return Ok(());
        }
        let seen = std::mem::replace(self, Self::over(self.over));
        let least = u128::from(LEAST_SPEED) * seen.waited.as_millis() / 1_000;
        if u128::from(seen.bytes) >= least {
            return Ok(());
        }
        Err(Trouble::Final(Error::Overloaded(format!(
            "the answer drips: {} bytes in {} seconds",
            seen.bytes,
            seen.waited.as_secs()
        ))))
    }
}

impl Opened {
    /// The next piece; `None` at the end. Hyper reports a body that ends before its time.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        let asked = Instant::now();
        let piece = self.response.chunk().await.map_err(Trouble::of_transport)?;
        if let Some(piece) = &piece {
            self.pace.keeps(asked.elapsed(), piece.len())?;
        }
        Ok(piece)
    }
}

impl Portal {
    /// Reads a body to its end. A longer one is too much asked at once, where less can be asked.
    pub(super) async fn read_whole(
        &self,
        mut opened: Opened,
        longest: u64,
        can_shrink: bool,
    ) -> Result<Bytes, Trouble> {
        let announced = opened.response.content_length().unwrap_or(0);
        let mut body = BytesMut::new();
        let mut long = None;
        if announced > longest {
            return Err(too_long(longest, can_shrink));
        }
        while let Some(piece) = opened.next().await? {
            if (body.len() + piece.len()) as u64 > longest {
                return Err(too_long(longest, can_shrink));
            }
            if body.is_empty() {
                body.reserve(usize::try_from(announced).unwrap_or(0).min(LONG));
            }
            if long.is_none() && body.len() + piece.len() > LONG {
                long = self.long_bodies.acquire().await.ok();
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}

fn too_long(longest: u64, can_shrink: bool) -> Trouble {
    let message = format!("the answer is longer than {longest} bytes");
    Trouble::Final(if can_shrink {
        Error::Overloaded(message)
    } else {
        Error::Untrue(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body that brings so many bytes in each piece, one every so many seconds, is still alive after so many.
    fn lives(bytes: usize, every: u64, pieces: usize) -> bool {
        let mut pace = Pace::over(Duration::from_mins(3));
        (0..pieces).all(|_| pace.keeps(Duration::from_secs(every), bytes).is_ok())
    }

    #[test]
    fn a_body_that_drips_is_broken_off_and_a_slow_one_is_not() {
        assert!(lives(1, 60, 2), "too early to tell");
        assert!(!lives(1, 60, 3));
        assert!(!lives(5_000, 60, 3), "however much a single piece brings");
        assert!(lives(6_000, 60, 100));
        assert!(lives(1 << 20, 0, 1_000), "no wait is no slowness");
    }

    #[test]
    fn a_body_may_become_slow_later() {
        let mut pace = Pace::over(Duration::from_mins(3));
        assert!(pace.keeps(Duration::from_secs(200), 1 << 30).is_ok());
        assert!(pace.keeps(Duration::from_secs(179), 1).is_ok());
        assert!(pace.keeps(Duration::from_secs(1), 1).is_err());
    }
}
