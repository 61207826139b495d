//! SIGINT and SIGTERM end a pass in order: what is under way is dropped, what must be cleaned up is.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::exit::Stop;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlShutdown, ctrl_break, ctrl_c, ctrl_shutdown};

/// Heard from the beginning to the end: one that comes while nobody listens is told to the next who does.
#[derive(Debug)]
pub(crate) struct Signals {
    listeners: Listeners,
    told: Option<Told>,
}

#[derive(Clone, Copy, Debug)]
enum Told {
    Interrupt,
    Terminate,
}

#[cfg(unix)]
#[derive(Debug)]
struct Listeners {
    interrupt: Signal,
    terminate: Signal,
}

/// Task Scheduler and the console send Ctrl-C and Ctrl-Break, Windows itself a shutdown.
#[cfg(windows)]
#[derive(Debug)]
struct Listeners {
    ctrl_c: CtrlC,
    ctrl_break: CtrlBreak,
    shutdown: CtrlShutdown,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self, Stop> {
        let listeners = Listeners::new().map_err(|error| Stop::Internal(error.into()))?;
        Ok(Self {
            listeners,
            told: None,
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

    /// The same for what should not be broken off: after a signal it gets a while to end by itself. Beside the
    /// signal stands what it ended with, if it did.
    pub(crate) async fn unless_told_for<T>(
        &mut self,
        grace: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, (Stop, Option<T>)> {
        let mut work = pin!(work);
        let stop = tokio::select! {
            end = &mut work => return Ok(end),
            stop = self.told() => stop,
        };
        Err((stop, timeout(grace, work).await.ok()))
    }

    /// Who was told once stays told.
    async fn told(&mut self) -> Stop {
        let told = match self.told {
            Some(told) => told,
            None => *self.told.insert(self.listeners.next().await),
        };
        match told {
            Told::Interrupt => Stop::Interrupted,
            Told::Terminate => Stop::Terminated,
        }
    }
}

impl Listeners {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(windows)]
    fn new() -> io::Result<Self> {
        Ok(Self {
            ctrl_c: ctrl_c()?,
            ctrl_break: ctrl_break()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Interrupt,
            _ = self.terminate.recv() => Told::Terminate,
        }
    }

    #[cfg(windows)]
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.ctrl_c.recv() => Told::Interrupt,
            _ = self.ctrl_break.recv() => Told::Interrupt,
            _ = self.shutdown.recv() => Told::Terminate,
        }
    }
}
