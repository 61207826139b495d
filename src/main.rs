//! The process: arguments, logging, one pass, the exit code.

use std::process::ExitCode;

use agol_backup::config::{Config, Environment};
use agol_backup::exit::{Exit, Stop};
use agol_backup::snapshot::now;
use agol_backup::summary::Summary;
use agol_backup::{pass, telemetry};
use clap::Parser;
use clap::error::ErrorKind;

const ABOUT: &str = "\
Backs up ArcGIS content to a folder: runs one pass and exits.

Everything is configured by environment variables; README.md has the table. Set at least
ARCGIS_CLIENT_ID, ARCGIS_REFRESH_TOKEN and BACKUP_DESTINATION.

Exit codes: 0 complete, 2 configuration, 3 partial, 4 nothing found, 10 sign-in refused, 11 locked,
12 portal, 13 destination, 130 and 143 interrupted, 1 a defect.";

#[derive(Parser)]
#[command(version, about = ABOUT)]
struct Arguments {}

fn main() -> ExitCode {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    match Arguments::try_parse() {
        Err(help)
            if matches!(
                help.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            if help.print().is_ok() {
                Exit::Complete.into()
            } else {
                Exit::Internal.into()
            }
        }
        Err(wrong) => refuse(&Stop::Config(agol_backup::config::Error::of_arguments(
            &wrong.to_string(),
        ))),
        Ok(Arguments {}) => match Config::from_environment(&environment) {
            Ok(config) => run(&config),
            Err(wrong) => refuse(&Stop::Config(wrong)),
        },
    }
}

fn run(config: &Config) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => ExitCode::from(runtime.block_on(pass::run(config)).exit),
        Err(error) => refuse(&Stop::Internal(error.into())),
    }
}

/// Ends before anything was contacted.
fn refuse(stop: &Stop) -> ExitCode {
    let mut summary = Summary::begun(now());
    summary.close(stop.exit(), Some(stop.to_string()));
    telemetry::finish(&summary);
    stop.exit().into()
}
