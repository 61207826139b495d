//! SIGINT and SIGTERM end a pass in order: what is under way is dropped, what must be cleaned up is.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::exit::Stop;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlShutdown, ctrl_break, ctrl_c, ctrl_shutdown};

/// Heard from the beginning to the end: one that comes while nobody listens is told to the next who does.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// Task Scheduler and the console send Ctrl-C and Ctrl-Break, Windows itself a shutdown.
#[cfg(windows)]
#[derive(Debug)]
pub(crate) struct Signals {
    ctrl_c: CtrlC,
    ctrl_break: CtrlBreak,
    shutdown: CtrlShutdown,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Stop> {
        let heard = |kind| signal(kind).map_err(|error| Stop::Internal(error.into()));
        Ok(Self {
            interrupt: heard(SignalKind::interrupt())?,
            terminate: heard(SignalKind::terminate())?,
        })
    }

    #[cfg(windows)]
    pub(crate) fn listen() -> Result<Self, Stop> {
        let failed = |error: std::io::Error| Stop::Internal(error.into());
        Ok(Self {
            ctrl_c: ctrl_c().map_err(failed)?,
            ctrl_break: ctrl_break().map_err(failed)?,
            shutdown: ctrl_shutdown().map_err(failed)?,
        })
    }

    /// The work's own end, or the signal that came first.
    pub(crate) async fn unless_told<T>(
        &mut self,
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Result<T, Stop> {
        tokio::select! {
            end = work => end,
            stop = self.told() => Err(stop),
        }
    }

    /// The same for what should not be broken off: it gets a while to end by itself.
    pub(crate) async fn unless_told_for(
        &mut self,
        grace: Duration,
        work: impl Future<Output = ()>,
    ) -> Result<(), Stop> {
        let mut work = pin!(work);
        let stop = tokio::select! {
            () = &mut work => return Ok(()),
            stop = self.told() => stop,
        };
        // Either way it has had its time.
        timeout(grace, work).await.unwrap_or_default();
        Err(stop)
    }

    #[cfg(unix)]
    async fn told(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupted,
            _ = self.terminate.recv() => Stop::Terminated,
        }
    }

    #[cfg(windows)]
    async fn told(&mut self) -> Stop {
        tokio::select! {
            _ = self.ctrl_c.recv() => Stop::Interrupted,
            _ = self.ctrl_break.recv() => Stop::Interrupted,
            _ = self.shutdown.recv() => Stop::Terminated,
        }
    }
}
