//! A claim: "I want the destination", under a name that nobody else writes. It is written before anybody is
//! looked for, so of two who want it at once, the one who wrote later sees the other.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::{Archive, Error};
use super::others::Other;
use crate::snapshot::Stamp;

const ENDING: &str = ".claim";
/// The lower of two claims waits this long for the other to withdraw.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(200);

/// Unlike a mark's name, which is a stamp, no two are alike: processes in containers share their numbers, and
/// clocks their seconds.
pub(super) fn claim_name(stamp: &Stamp) -> String {
    // Seeded by the system: the one source of chance in the standard library.
    let chance = RandomState::new().hash_one(stamp.as_str());
    format!("{stamp}-{}-{chance:016x}{ENDING}", std::process::id())
}

pub(super) fn is_claim(name: &str) -> bool {
    name.ends_with(ENDING)
}

impl Archive {
    /// Waits until nobody else marks or claims the destination, and returns the dead; or gives way. A mark
    /// and a lower claim go first. A higher claim withdraws when it sees ours; one that has looked before
    /// ours was there becomes a mark.
    pub(super) async fn stand_alone(&self, claim: &str) -> Result<Vec<Other>, Error> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let others = self.others(Some(claim)).await?;
            let goes_first =
                |other: &&Other| other.alive && (!is_claim(&other.name) || *other.name < *claim);
            if let Some(first) = others.iter().find(goes_first) {
                return Err(first.locks());
            }
            match others.iter().find(|other| other.alive) {
                None => return Ok(others),
                // It may not have seen us: both withdrawn is better than both at work.
                Some(rival) if Instant::now() > patience => return Err(rival.locks()),
                Some(_) => sleep(POLL).await,
            }
        }
    }
}
