//! What can be asked for besides a pass: to sign in, to look at an archive, and at what a pass would meet.

mod check;
mod login;
mod repair;
mod snapshots;
mod verify;

use tracing::error;

use crate::config::{Environment, Keeping};
use crate::exit::{Exit, Stop, caught};
use crate::telemetry;

/// A command line's first word.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Signs in, in a browser, and writes the token file that runs sign in with
    Login(login::Options),
    /// Tells what a pass would do, read and meet, and changes nothing
    Check {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Lists the snapshots, and what the retention rules would do with each
    Snapshots {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Reads the newest snapshot's files and compares them with what was stored; exit code 14 on any damage
    Verify(verify::Options),
}

impl Command {
    /// Its answer is on standard output, so that log lines go to standard error.
    pub fn answers(&self) -> bool {
        !matches!(self, Self::Verify(_))
    }

    /// Does it.
    pub async fn run(&self, environment: &Environment) -> Exit {
        caught(self.done(environment)).await.unwrap_or_else(|stop| {
            let exit = stop.exit();
            telemetry::bar().finish_and_clear();
            error!(
                exit = exit.code(),
                outcome = exit.name(),
                error = %stop,
                "command failed"
            );
            exit
        })
    }

    async fn done(&self, environment: &Environment) -> Result<Exit, Stop> {
        match self {
            Self::Login(options) => login::run(environment, options).await,
            Self::Check { json } => check::run(environment, *json).await,
            Self::Snapshots { json } => {
                snapshots::list(&Keeping::from_environment(environment)?, *json).await
            }
            Self::Verify(options) => {
                verify::run(&Keeping::from_environment(environment)?, options).await
            }
        }
    }
}
