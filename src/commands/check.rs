//! `agol-backup check`: what a pass would meet tonight, asked this evening. It asks everything that a pass
//! asks first, in the same order, and changes nothing: not in the organisation, not in the destination.
//! What goes wrong on one side does not hide the other.

mod content;
mod destination;
mod outlook;
mod report;
mod table;
mod warnings;

use std::sync::Arc;

use crate::config::{Config, Environment};
use crate::exit::{Exit, Stop};
use crate::portal::{Portal, Traffic};
use crate::snapshot::now;
use crate::summary::DaysLeft;
use crate::{PROGRAM, telemetry};
use content::Content;
use report::{Ending, Report, Sign};
use warnings::Facts;

pub(super) async fn run(environment: &Environment, json: bool) -> Result<Exit, Stop> {
    let config = Config::from_environment(environment)?;
    let (report, exit) = report(&config).await?;
    telemetry::bar().finish_and_clear();
    let text = if json {
        serde_json::to_string_pretty(&report).map_err(anyhow::Error::from)? + "\n"
    } else {
        table::of(&report)
    };
    telemetry::print(&text)?;
    Ok(exit)
}

async fn report(config: &Config) -> Result<(Report, Exit), Stop> {
    let started = now();
    let traffic = Arc::new(Traffic::default());
    let portal = Portal::new(config, Arc::clone(&traffic)).map_err(Stop::Config)?;
    let there = destination::look(&config.keeping, started).await?;
    let newest = there.newest.as_ref();
    let (signed_in, stranger) = apart(portal.sign_in().await);
    let (content, unread) = match &signed_in {
        Some(portal) => apart(content::look(portal, config, newest, started).await),
        None => (None, None),
    };
    let empty = content.as_ref().and_then(Content::emptiness);
    let end = match &signed_in {
        Some(portal) => portal.credentials_end().await,
        None => config.credentials.expire_at(),
    };
    let days_left = DaysLeft::until(end, started);
    let account = signed_in.as_ref().map(Portal::account);
    let facts = Facts {
        config,
        days_left,
        account,
        content: content.as_ref(),
        place: &there.place,
        skew: traffic.clock_skew(),
    };
    let warnings = facts.warnings();
    let portal_error = stranger.as_ref().or(unread.as_ref()).map(Stop::to_string);
    // The first of these that a pass meets ends it.
    let stops = [there.unusable, stranger, there.taken, unread, empty];
    let ending = Ending::of(
        stops.into_iter().flatten().next().as_ref(),
        content.as_ref(),
    );
    let exit = ending.exit;
    let report = Report {
        program: PROGRAM,
        ending,
        portal: Sign::of(config, account, days_left, portal_error),
        content,
        destination: there.place,
        warnings,
    };
    Ok((report, exit))
}

/// Either is told; neither hides the other.
fn apart<T>(result: Result<T, Stop>) -> (Option<T>, Option<Stop>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(stop) => (None, Some(stop)),
    }
}
