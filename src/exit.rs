//! Why a run ends, and its number. The numbers are a promise to schedulers: never reuse one.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use futures::FutureExt;

use crate::{archive, config, portal};

/// Every way a run can end. The discriminant is the process' exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for is in a committed snapshot.
    Complete = 0,
    /// A defect of this program.
    Internal = 1,
    /// The command line or the environment is wrong.
    Config = 2,
    /// Committed, but some items failed.
    Partial = 3,
    /// The selection found no item.
    Empty = 4,
    /// The portal refuses the credentials.
    SignIn = 10,
    /// Another pass holds the destination.
    Locked = 11,
    /// The portal could not be read.
    Portal = 12,
    /// The destination could not be read or written.
    Sink = 13,
    /// `verify` found a missing or altered file.
    Damaged = 14,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Complete,
        Self::Internal,
        Self::Config,
        Self::Partial,
        Self::Empty,
        Self::SignIn,
        Self::Locked,
        Self::Portal,
        Self::Sink,
        Self::Damaged,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number the scheduler sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// By its number.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.code() == code)
    }

    /// The name used in logs and in the README's table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Internal => "internal",
            Self::Config => "config",
            Self::Partial => "partial",
            Self::Empty => "empty",
            Self::SignIn => "sign-in",
            Self::Locked => "locked",
            Self::Portal => "portal",
            Self::Sink => "sink",
            Self::Damaged => "damaged",
            Self::Interrupted | Self::Terminated => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What ends a pass before its commit.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A variable or an argument is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Nothing to keep was found.
    #[error("{0}")]
    Empty(String),
    /// The portal failed, or refuses the credentials.
    #[error(transparent)]
    Portal(#[from] portal::Error),
    /// The destination failed, or is held by another pass.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// SIGINT or Ctrl-C.
    #[error("interrupted by SIGINT")]
    Interrupted,
    /// SIGTERM.
    #[error("interrupted by SIGTERM")]
    Terminated,
    /// A defect of this program.
    #[error("internal error: {0:#}")]
    Internal(#[from] anyhow::Error),
}

impl Stop {
    /// The one place where an error becomes a number.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Archive(archive::Error::Settings(_)) => Exit::Config,
            Self::Empty(_) => Exit::Empty,
            Self::Portal(portal::Error::SignIn(_)) => Exit::SignIn,
            Self::Portal(_) => Exit::Portal,
            Self::Archive(archive::Error::Locked(_)) => Exit::Locked,
            Self::Archive(_) => Exit::Sink,
            Self::Interrupted => Exit::Interrupted,
            Self::Terminated => Exit::Terminated,
            Self::Internal(_) => Exit::Internal,
        }
    }
}

/// A panic is a defect of ours, and an end like any other.
pub async fn caught<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let panicked = || Stop::Internal(anyhow::anyhow!("a panic, told in the line before"));
    let end = AssertUnwindSafe(Box::pin(work)).catch_unwind().await;
    end.unwrap_or_else(|_payload| Err(panicked()))
}
