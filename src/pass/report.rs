//! How a run closes, whatever its end: the summary file, those who want to be told, and one last line.

use tokio::time::Instant;
use tracing::warn;

use super::signals::Signals;
use crate::config::{Config, Environment};
use crate::exit::{Exit, Stop};
use crate::notify::{self, Messenger};
use crate::snapshot::now;
use crate::summary::{History, Summary};
use crate::telemetry;

/// Ends a run before anybody is contacted, also those who want to be told.
pub fn refuse(environment: &Environment, stop: &Stop) -> Exit {
    let mut summary = Summary::begun(now());
    summary.close(stop.exit(), Some(stop.to_string()));
    notify::summary_file(environment.summary_file().as_deref(), &summary);
    telemetry::finish(&summary);
    stop.exit()
}

pub(super) async fn report(config: &Config, messenger: Messenger<'_>, history: &History) {
    notify::summary_file(config.summary_file.as_deref(), &history.summary);
    if history.summary.exit != Exit::Config.code() {
        tell_others(messenger, history).await;
    }
    telemetry::finish(&history.summary);
}

/// Who is told to stop now waits for no answer any more: the pass itself has ended.
async fn tell_others(messenger: Messenger<'_>, history: &History) {
    let told = async {
        messenger.end(history).await;
        Ok(())
    };
    let told = match Signals::listen() {
        Ok(mut signals) => signals.unless_told(told).await,
        Err(_deaf) => told.await,
    };
    if let Err(stop) = told {
        warn!(reason = %stop, "not notified");
    }
}

pub(super) fn close(summary: &mut Summary, exit: Exit, error: Option<String>, began: Instant) {
    summary.close(exit, error);
    // Once: the history and the closing line tell the same.
    if summary.elapsed_ms == 0 {
        summary.elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    }
}
