//! One pass: sign in → discover → decide → read → store → commit → prune → report.

mod attached;
mod copy;
mod earlier;
mod engines;
mod files;
mod held;
mod parts;
mod prepare;
mod prune;
mod renewal;
mod report;
mod rows;
mod service;
mod signals;
mod trouble;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::archive::{Archive, Hold};
use crate::config::Config;
use crate::decide::{self, Plan, Policy};
use crate::exit::{Exit, Stop, caught};
use crate::notify::Messenger;
use crate::portal::{Portal, Traffic};
use crate::progress::Progress;
use crate::snapshot::{Entry, FORMAT, Origin, Snapshot, State, now};
use crate::summary::{DaysLeft, History, Summary};
use crate::{PROGRAM, telemetry};
pub(crate) use engines::Engines;
pub(crate) use prepare::observed;
pub(crate) use renewal::SIGN_IN_ANEW;
use report::close;
pub use report::refuse;
pub(crate) use signals::Signals;

/// Seconds between the clocks, either way: more is warned of.
pub(crate) const SKEW_TO_WARN: i64 = 300;
/// How long the organisation, or the destination, may keep an interrupted pass before it ends all the same.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Runs one pass and reports it. Never panics, never exits the process.
pub async fn run(config: &Config) -> Summary {
    let began = Instant::now();
    let mut history = History::begun(now());
    let summary = &mut history.summary;
    summary.token_days_left = DaysLeft::until(config.credentials.expire_at(), summary.started_at);
    info!(program = PROGRAM, portal = %config.portal, destination = %config.keeping.destination, "pass started");
    for name in &config.unknown_variables {
        warn!(variable = name, "unknown variable");
    }
    let traffic = Arc::new(Traffic::default());
    let mut messenger = Messenger::of(config);
    let work = whole_pass(config, &mut history, &traffic, &mut messenger, began);
    let end = caught(work).await;
    let summary = &mut history.summary;
    (summary.requests, summary.retries) = (traffic.requests(), traffic.retries());
    if let Err(stop) = &end {
        close(summary, stop.exit(), Some(stop.to_string()), began);
    }
    report::report(config, messenger, &history).await;
    history.summary
}

/// Signs in, takes the destination, works, and leaves both as they should be, however the work ended.
async fn whole_pass(
    config: &Config,
    history: &mut History,
    traffic: &Arc<Traffic>,
    messenger: &mut Messenger<'_>,
    began: Instant,
) -> Result<(), Stop> {
    let mut signals = Signals::listen()?;
    let portal = Portal::new(config, Arc::clone(traffic)).map_err(Stop::Config)?;
    let archive = Archive::open(&config.keeping.destination)?;
    // The settings are right: from here on somebody is contacted.
    messenger.begin();
    signals.unless_told(probed(&archive)).await?;
    let summary = &mut history.summary;
    let portal = signals.unless_told(signed_in(portal, summary)).await?;
    let hold = held::take(&archive, summary.started_at, &mut signals).await?;
    summary.stamp = Some(hold.stamp.clone());

    let progress = Progress::default();
    let mut account = Account::default();
    let pass = Pass {
        config,
        portal: &portal,
        archive: &archive,
        hold: &hold,
        progress: &progress,
        began,
    };
    let end = pass
        .until_told(&mut signals, summary.started_at, &mut account)
        .await;
    summary.token_days_left = days_left(&portal).await;

    if timeout(LAST_WORDS, portal.remove_leftovers()).await != Ok(0) {
        warn!("temporary exports left");
    }
    history.tell_of(&account.entries);
    let summary = &mut history.summary;
    (summary.rows, summary.bytes) = (progress.rows(), progress.bytes());
    (summary.requests, summary.retries) = (traffic.requests(), traffic.retries());
    let (exit, error) = account.told(&end);
    close(summary, exit, error, began);
    history.snapshot_sha256 = account.snapshot_sha256;
    let closed = held::give_back(&archive, hold, history, end.is_ok(), &mut signals).await;
    end?;
    // The snapshot stands: what failed is only the account of it.
    if let Err(stop) = closed {
        let error = format!("committed, but not closed: {stop}");
        history.summary.close(Exit::Partial, Some(error));
    }
    Ok(())
}

/// What there is to tell of a pass, however it ends.
#[derive(Default)]
struct Account {
    entries: Vec<Entry>,
    /// Of the committed snapshot.
    snapshot_sha256: Option<String>,
    /// No item failed.
    complete: bool,
    /// What went wrong after the commit.
    afterwards: Option<String>,
}

impl Account {
    fn told(&self, end: &Result<(), Stop>) -> (Exit, Option<String>) {
        match end {
            Err(stop) => (stop.exit(), Some(stop.to_string())),
            Ok(()) if self.complete && self.afterwards.is_none() => (Exit::Complete, None),
            Ok(()) => (Exit::Partial, self.afterwards.clone()),
        }
    }
}

/// A destination that cannot be used ends the pass before the portal is asked.
async fn probed(archive: &Archive) -> Result<(), Stop> {
    Ok(archive.probe().await?)
}

async fn signed_in(portal: Portal, summary: &mut Summary) -> Result<Portal, Stop> {
    let portal = portal.sign_in().await?;
    summary.token_days_left = days_left(&portal).await;
    info!(
        username = portal.account().username,
        token_days_left = telemetry::days_left(&summary.token_days_left),
        "signed in"
    );
    warn_of_the_clock(&portal);
    Ok(portal)
}

/// Of the token that is in force.
async fn days_left(portal: &Portal) -> DaysLeft {
    DaysLeft::until(portal.credentials_end().await, now())
}

fn warn_of_the_clock(portal: &Portal) {
    let skew = portal.traffic.clock_skew();
    if let Some(skew) = skew.filter(|skew| skew.abs() > SKEW_TO_WARN) {
        warn!(
            skew_seconds = skew,
            remedy = "set this machine's clock",
            "clock differs from the portal's"
        );
    }
}

/// What every step of a pass needs.
struct Pass<'a> {
    config: &'a Config,
    portal: &'a Portal,
    archive: &'a Archive,
    hold: &'a Hold,
    progress: &'a Progress,
    began: Instant,
}

impl Pass<'_> {
    /// The token is renewed when this pass can store something, and no other on this destination is at it.
    async fn until_told(
        &self,
        signals: &mut Signals,
        started: Timestamp,
        account: &mut Account,
    ) -> Result<(), Stop> {
        let renewal = renewal::renew(self.config, self.portal, started);
        let renewed = signals.unless_told_for(LAST_WORDS, renewal).await;
        renewed.map_err(|(stop, _late)| stop)?;
        let work = self
            .progress
            .told_while(caught(self.work(started, account)));
        signals.unless_told(work).await
    }

    /// The pipeline. What is in the account is told when a later step fails too.
    async fn work(&self, started: Timestamp, account: &mut Account) -> Result<(), Stop> {
        let newest = self.archive.newest_snapshot().await?;
        let settings = self.config.reading.fingerprint();
        let policy = Policy::of(self.config, started, &settings);
        let selected = self.discover(&policy).await?;
        let empty = selected.why_empty(&policy);
        let items = selected.items;
        let earlier = self.adopt(&items, newest, &policy).await?;
        let observed = self.observe(&items, &earlier, &policy).await?;
        let plan = decide::decide(items, &earlier, &observed, &policy);
        drop((earlier, observed));
        self.tell(&plan);
        empty.map_or(Ok(()), |why| Err(Stop::Empty(why)))?;
        account.entries = self.read_and_store(plan, &settings).await?;
        let snapshot = self.snapshot(started, &account.entries);
        account.snapshot_sha256 = Some(self.archive.commit(self.hold, &snapshot).await?);
        account.complete = snapshot.complete;
        info!(
            stamp = snapshot.stamp.as_str(),
            complete = snapshot.complete,
            items = snapshot.items.len(),
            "snapshot committed"
        );
        drop(snapshot);
        account.afterwards = self.prune().await.err();
        Ok(())
    }

    fn tell(&self, plan: &Plan) {
        let (read, unchanged, skipped) = plan.counts();
        info!(read, unchanged, skipped, "plan ready");
        self.progress.expect(plan.actions.len());
    }

    /// Moves several items at a time; each ends as one entry of the snapshot.
    async fn read_and_store(&self, plan: Plan, settings: &str) -> Result<Vec<Entry>, Stop> {
        let moves = futures::stream::iter(plan.actions).map(async |(item, action)| {
            let entry = Box::pin(self.move_item(&item, action, settings)).await;
            self.progress.item_done();
            entry
        });
        let mut moves = moves.buffer_unordered(self.config.concurrency);
        let mut entries = Vec::new();
        while let Some(entry) = moves.next().await {
            entries.push(entry?);
        }
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(entries)
    }

    fn snapshot(&self, started: Timestamp, entries: &[Entry]) -> Snapshot {
        let account = self.portal.account();
        let failed = |entry: &Entry| matches!(entry.state, State::Kept | State::Missing);
        Snapshot {
            format: FORMAT,
            stamp: self.hold.stamp.clone(),
            program: PROGRAM.to_owned(),
            started_at: started,
            finished_at: now(),
            portal: Origin {
                url: self.config.portal.as_str().trim_end_matches('/').to_owned(),
                org_id: account.org_id.clone(),
                username: account.username.clone(),
            },
            complete: !entries.iter().any(failed),
            items: entries.to_vec(),
        }
    }
}
