//! `agol-backup login`: a person signs in, once, in the browser of any machine, and the token goes into a file. It
//! opens nothing by itself, asks for no password, and says no secret. What can be wrong is found before the person
//! is sent to the browser.

mod answer;
mod code;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::config::{Environment, Error, Login as Settings};
use crate::exit::{Exit, Stop};
use crate::pass::Signals;
use crate::portal::{Account, Login};
use crate::snapshot::now;
use crate::telemetry;
use crate::token_file::{Token, TokenFile, Turn};
use answer::Answer;
use code::Pasted;

/// What can be asked of it. Each variable has an argument, because this is typed by a person.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The OAuth application; without it `ARCGIS_CLIENT_ID`, or what the file names
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Where the token goes; without it `ARCGIS_REFRESH_TOKEN_FILE`
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// Replace a working token of another account
    #[arg(long)]
    replace: bool,
    /// For machines: a line with the address to open, then, when the code was given, a line with the answer
    #[arg(long)]
    json: bool,
}

/// A run that renews the token in the file has it for some seconds.
const LONGEST_TURN: Duration = Duration::from_mins(2);

pub(super) async fn run(environment: &Environment, options: &Options) -> Result<Exit, Stop> {
    let (client_id, file) = (options.client_id.as_deref(), options.token_file.as_deref());
    let settings = Settings::from_environment(environment, client_id, file)?;
    // There is nothing to count.
    telemetry::bar().finish_and_clear();
    let mut signals = Signals::listen()?;
    let end = signals.unless_told(sign_in(&settings, options)).await;
    if matches!(end, Err(Stop::Interrupted)) && !options.json {
        // The question has got no answer, and no end of its line.
        telemetry::print("\n")?;
    }
    end.map(|()| Exit::Complete)
}

async fn sign_in(settings: &Settings, options: &Options) -> Result<(), Stop> {
    let file = &settings.file;
    file.rehearse().map_err(|error| unwritable(file, &error))?;
    let login = Login::begin(settings)?;
    login.probe().await?;
    let there = match file.read() {
        Some(token) => login.holder(&token).await?,
        None => None,
    };
    let address = login.address();
    if options.json {
        telemetry::print(&format!("{}\n", json!({ "open": address.as_str() })))?;
    } else {
        telemetry::print(&invitation(address.as_str(), file, there.as_deref()))?;
    }
    let mut pasted = Pasted::on_standard_input();
    let code = pasted.code(!options.json).await?;
    let (portal, token) = login.redeem(&code).await?;
    if let Some(holder) = there.filter(|_| !options.replace) {
        same(&holder, portal.account(), file)?;
    }
    keep(file, &token).await?;
    let answer = Answer::of(settings, portal.account(), &token, now());
    telemetry::print(&answer.told(options.json)?)?;
    Ok(())
}

fn invitation(address: &str, file: &TokenFile, holder: Option<&str>) -> String {
    let path = file.path().display();
    let there = holder.map_or_else(String::new, |holder| {
        format!(
            "{path} holds a working token of {holder}. It is replaced when you sign in as {holder}\n\
             again, and with --replace by that of any other account.\n\n"
        )
    });
    format!(
        "{there}Open this address in a browser, on any machine, and sign in as the account whose content is\n\
         to be backed up:\n\n  {address}\n\n\
         The page then shows a code. Paste it here, or the page's whole title or address, and press Enter.\n\
         Code: "
    )
}

/// A job may live on the token that is there.
fn same(holder: &str, account: &Account, file: &TokenFile) -> Result<(), Error> {
    let username = account.username.as_deref().unwrap_or_default();
    if username == holder {
        return Ok(());
    }
    let path = file.path().display();
    Err(Error::new(
        "--token-file",
        format!(
            "{path} holds a working token of {holder}, and you signed in as {username}: nothing was written; choose another file, or write --replace"
        ),
    ))
}

async fn keep(file: &TokenFile, token: &Token) -> Result<(), Stop> {
    let turn = take_turn(file).await?;
    let written = file.write(token).and_then(|()| file.tidy());
    written.map_err(|error| unwritable(file, &error))?;
    drop(turn);
    Ok(())
}

/// A run that is renewing the token at this moment would put another into the place of ours.
async fn take_turn(file: &TokenFile) -> Result<Turn, Stop> {
    let began = tokio::time::Instant::now();
    loop {
        match file.take_turn().map_err(|error| unwritable(file, &error))? {
            Some(turn) => return Ok(turn),
            None if began.elapsed() > LONGEST_TURN => {
                let problem = "is being renewed by a run that does not come to an end: look for it, then sign in again";
                return Err(Error::new("--token-file", problem).into());
            }
            None => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

fn unwritable(file: &TokenFile, error: &std::io::Error) -> Error {
    let path = file.path().display();
    Error::new(
        "--token-file",
        format!(
            "{path} cannot be written or replaced ({error}): its folder must exist and be writable for you"
        ),
    )
}
