//! SIGINT and SIGTERM end a pass in order: what is under way is dropped, what must be cleaned up is.

use std::future::Future;

use crate::exit::Stop;

/// The work's own end, or the signal that came first.
pub(super) async fn unless_told<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    tokio::select! {
        end = work => end,
        stop = told() => Err(stop),
    }
}

#[cfg(unix)]
async fn told() -> Stop {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        tracing::warn!("signals cannot be heard");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Stop::Interrupted,
        _ = terminate.recv() => Stop::Terminated,
    }
}

/// Task Scheduler and the console send Ctrl-C and Ctrl-Break, Windows itself a shutdown.
#[cfg(windows)]
async fn told() -> Stop {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_shutdown};
    let (Ok(mut ctrl_c), Ok(mut ctrl_break), Ok(mut shutdown)) =
        (ctrl_c(), ctrl_break(), ctrl_shutdown())
    else {
        tracing::warn!("signals cannot be heard");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = ctrl_c.recv() => Stop::Interrupted,
        _ = ctrl_break.recv() => Stop::Interrupted,
        _ = shutdown.recv() => Stop::Terminated,
    }
}
