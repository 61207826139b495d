//! What can be asked for besides a pass: to look at an archive.

mod snapshots;

use tracing::error;

use crate::config::{Environment, Keeping};
use crate::exit::{Exit, Stop};

/// A command line's first word.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Command {
    /// Lists the snapshots, and what the retention rules would do with each
    Snapshots {
        /// For machines
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    /// Does it. Its answer is on standard output, whatever goes wrong is a log line on standard error.
    pub async fn run(self, environment: &Environment) -> Exit {
        let done = match self {
            Self::Snapshots { json } => snapshots(environment, json).await,
        };
        done.unwrap_or_else(|stop| {
            let exit = stop.exit();
            error!(
                exit = exit.code(),
                outcome = exit.name(),
                error = %stop,
                "command failed"
            );
            exit
        })
    }
}

async fn snapshots(environment: &Environment, json: bool) -> Result<Exit, Stop> {
    snapshots::list(&Keeping::from_environment(environment)?, json).await
}
