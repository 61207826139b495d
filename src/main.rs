//! The process: arguments, logging, one pass or one command, the exit code.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use agol_backup::commands::Command;
use agol_backup::config::{self, Config, Environment};
use agol_backup::exit::{Exit, Stop};
use agol_backup::pass;
use agol_backup::telemetry::{self, Stream};
use clap::Parser;

#[derive(Parser)]
#[command(version, about = agol_backup::ABOUT, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let arguments = Arguments::try_parse();
    let command = arguments.map(|arguments| arguments.command);
    let answers = matches!(&command, Ok(Some(command)) if command.answers());
    telemetry::start(&environment, Stream::of(answers));
    match command {
        Ok(None) => match Config::from_environment(&environment) {
            Ok(config) => run(&environment, async { pass::run(&config).await.exit.into() }),
            Err(wrong) => pass::refuse(&environment, &Stop::Config(wrong)).into(),
        },
        Ok(Some(command)) => run(&environment, async {
            command.run(&environment).await.into()
        }),
        Err(help) if !help.use_stderr() => help
            .print()
            .map_or(Exit::Internal, |()| Exit::Complete)
            .into(),
        Err(wrong) => {
            let wrong = config::Error::of_arguments(&wrong.to_string());
            pass::refuse(&environment, &Stop::Config(wrong)).into()
        }
    }
}

fn run(environment: &Environment, work: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_or_else(
        |error| pass::refuse(environment, &Stop::Internal(error.into())).into(),
        |runtime| {
            let code = runtime.block_on(work);
            // A name that nobody resolves is still asked for, and cannot be called off.
            runtime.shutdown_timeout(Duration::from_secs(1));
            code
        },
    )
}
