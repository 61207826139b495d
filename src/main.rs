//! The process: arguments, logging, one pass, the exit code.

use std::process::ExitCode;

use agol_backup::config::{self, Config, Environment};
use agol_backup::exit::{Exit, Stop};
use agol_backup::snapshot::now;
use agol_backup::summary::Summary;
use agol_backup::{pass, telemetry};
use clap::Parser;

#[derive(Parser)]
#[command(version, about = agol_backup::ABOUT)]
struct Arguments {}

fn main() -> ExitCode {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    match Arguments::try_parse() {
        Ok(Arguments {}) => match Config::from_environment(&environment) {
            Ok(config) => run(&config),
            Err(wrong) => refuse(&Stop::Config(wrong)),
        },
        Err(help) if !help.use_stderr() => help
            .print()
            .map_or(Exit::Internal, |()| Exit::Complete)
            .into(),
        Err(wrong) => refuse(&Stop::Config(config::Error::of_arguments(
            &wrong.to_string(),
        ))),
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
