//! The destination, taken for this pass alone and given back whatever its end. A signal waits for neither longer
//! than [`LAST_WORDS`]: a mark that stays is a dead pass's, and the next one knows what to do with it.

use jiff::Timestamp;
use tracing::warn;

use super::LAST_WORDS;
use super::signals::Signals;
use crate::archive::{self, Archive, Hold};
use crate::exit::Stop;
use crate::summary::History;

/// A signal that comes meanwhile ends it with nothing taken.
pub(super) async fn take(
    archive: &Archive,
    started: Timestamp,
    signals: &mut Signals,
) -> Result<Hold, Stop> {
    let taking = archive.hold(started);
    match signals.unless_told_for(LAST_WORDS, taking).await {
        Ok(held) => Ok(held?),
        Err((stop, late)) => {
            if let Some(Ok(hold)) = late {
                in_time(hold.release(false), signals)
                    .await
                    .unwrap_or_default(); // the signal came first
            }
            Err(stop)
        }
    }
}

/// Writes the account of the pass and lets go.
pub(super) async fn give_back(
    archive: &Archive,
    hold: Hold,
    history: &History,
    swept: bool,
    signals: &mut Signals,
) -> Result<(), Stop> {
    let closing = async {
        archive.remember(&hold.stamp, history).await?;
        hold.release(swept).await
    };
    in_time(closing, signals).await
}

/// The error of the destination, or the signal that came before it answered, is told here.
async fn in_time(
    closing: impl Future<Output = Result<(), archive::Error>>,
    signals: &mut Signals,
) -> Result<(), Stop> {
    let closed = signals.unless_told_for(LAST_WORDS, closing).await;
    let closed = closed.or_else(|(stop, late)| late.ok_or(stop));
    let closed = closed.and_then(|closed| Ok(closed?));
    closed.inspect_err(|stop| warn!(error = %stop, "pass not closed"))
}
