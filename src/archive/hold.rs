//! One pass at a time on a destination. A running pass has its mark there, `passes/<stamp>.json`; one that
//! died leaves it. Who wants the destination claims it first, looks who else is there, and only then marks
//! it: `ARCHITECTURE.md` has the argument. Of several marks the newest holds.

mod claim;
mod others;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::sink::Sink;
use super::{Archive, Error, json};
use crate::snapshot::Stamp;
use claim::{claim_name, is_claim};
use others::{Other, host, marked, namespace};

/// A running pass says that it is alive this often.
const BEAT: Duration = Duration::from_secs(30);
/// A newer stamp than this far in the future is no clock difference any more.
const SKEW: Duration = Duration::from_mins(5);

/// What a mark and a claim say.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Marker {
    stamp: Stamp,
    host: String,
    process: u32,
    /// Whose numbers the process is counted by, where a system has several such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    started_at: Timestamp,
    program: String,
}

/// The destination is ours until [`Hold::release`].
#[derive(Debug)]
pub struct Hold {
    sink: Arc<Sink>,
    /// Names this pass.
    pub stamp: Stamp,
    /// Passes that died here, and when at the latest.
    dead: HashMap<Stamp, Timestamp>,
    /// Passes that came to their end here.
    finished: HashSet<Stamp>,
    beat: JoinHandle<()>,
}

impl Archive {
    /// Takes the destination for a pass that began at `started`, or tells who has it.
    pub async fn hold(&self, started: Timestamp) -> Result<Hold, Error> {
        self.nobody_holds_it().await?;
        let claim = claim_name(&Stamp::of(started));
        let held = self.claim_and_mark(&claim, started).await;
        if held.is_err() {
            self.sink.remove(&path_of(&claim)).await?;
        }
        held
    }

    /// Whether a pass that begins now would get the destination, or who has it. Takes nothing.
    pub async fn could_hold(&self, started: Timestamp) -> Result<(), Error> {
        self.nobody_holds_it().await?;
        let finished = self.stamps("history").await?;
        self.new_stamp(started, finished.last()).await.map(|_| ())
    }

    async fn nobody_holds_it(&self) -> Result<(), Error> {
        let others = self.others(None).await?;
        match others.iter().find(|other| other.alive) {
            Some(holder) => Err(holder.locks()),
            None => Ok(()),
        }
    }

    async fn claim_and_mark(&self, claim: &str, started: Timestamp) -> Result<Hold, Error> {
        let wish = json(&marker(Stamp::of(started), started))?;
        self.sink.rewrite(&path_of(claim), wish).await?;
        let others = self.stand_alone(claim).await?;
        let finished = self.stamps("history").await?;
        let stamp = self.new_stamp(started, finished.last()).await?;
        // Who stood still for so long that others took us for dead has no claim any more.
        if self.sink.written_at(&path_of(claim)).await?.is_none() {
            return Err(taken_over());
        }
        let content = json(&marker(stamp.clone(), started))?;
        let hold = Hold {
            beat: beat(Arc::clone(&self.sink), stamp.clone(), content.clone()),
            sink: Arc::clone(&self.sink),
            stamp,
            dead: others.iter().filter_map(Other::end).collect(),
            finished: finished.into_iter().collect(),
        };
        match self.mark(&hold.stamp, content, claim, &others).await {
            Ok(()) => Ok(hold),
            Err(error) => hold.release(false).await.and(Err(error)),
        }
    }

    /// Only when the mark stands our claim goes, and what dead passes left half-done.
    async fn mark(
        &self,
        stamp: &Stamp,
        content: Vec<u8>,
        claim: &str,
        others: &[Other],
    ) -> Result<(), Error> {
        self.sink.rewrite(&marker_path(stamp), content).await?;
        self.sink.remove(&path_of(claim)).await?;
        for dead in others.iter().filter(|other| is_claim(&other.name)) {
            self.sink.remove(&path_of(&dead.name)).await?;
        }
        self.sink.sweep().await?;
        self.remove_forgotten_probes().await
    }

    /// Later than every name here, so that the newest name is the newest pass.
    async fn new_stamp(
        &self,
        started: Timestamp,
        finished: Option<&Stamp>,
    ) -> Result<Stamp, Error> {
        let mut newest = finished.cloned();
        for folder in ["snapshots", "passes"] {
            newest = newest.max(self.stamps(folder).await?.pop());
        }
        let Some(newest) = newest.and_then(|newest| newest.moment()) else {
            return Ok(Stamp::of(started));
        };
        if newest > started + SKEW {
            return Err(Error::Store(format!(
                "it holds a pass of {newest}, which is in the future: set this machine's clock (it says {started})"
            )));
        }
        Ok(Stamp::of(started.max(newest + Duration::from_secs(1))))
    }
}

impl Hold {
    /// Passes that died here, and when at the latest. What they left behind in the organisation is nobody's any
    /// more. One that came to its end has removed its own: what bears its stamp may be another destination's.
    pub fn dead(&self) -> &HashMap<Stamp, Timestamp> {
        &self.dead
    }

    /// Passes that are over, dead or finished.
    pub(super) fn over(&self) -> HashSet<Stamp> {
        self.dead.keys().chain(&self.finished).cloned().collect()
    }

    /// Whether the destination is still ours. The commit and the prune ask first.
    pub async fn confirm(&self) -> Result<(), Error> {
        if is_held(&self.sink, &self.stamp).await? {
            Ok(())
        } else {
            Err(taken_over())
        }
    }

    /// The pass ends: its mark goes last, and those of dead passes whose traces are swept before. A pass
    /// that lost the destination touches nothing that may be its successor's.
    pub async fn release(self, swept: bool) -> Result<(), Error> {
        self.beat.abort();
        self.sink.call_off().await;
        if is_held(&self.sink, &self.stamp).await? {
            self.sink.sweep().await?;
        }
        if swept {
            for stamp in self.dead.keys() {
                info!(stamp = stamp.as_str(), "traces of a dead pass removed");
                self.sink.remove(&marker_path(stamp)).await?;
            }
        }
        self.sink.remove(&marker_path(&self.stamp)).await
    }
}

fn beat(sink: Arc<Sink>, stamp: Stamp, content: Vec<u8>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            let rewritten = match is_held(&sink, &stamp).await {
                Ok(true) => sink.rewrite(&marker_path(&stamp), content.clone()).await,
                Ok(false) => Err(taken_over()),
                Err(error) => Err(error),
            };
            if let Err(error) = rewritten {
                warn!(error = %error, "marker not rewritten");
            }
        }
    })
}

/// Our mark is there and the newest. Who takes over from a pass that seemed dead chooses a later stamp, and
/// may have removed the mark when it was done.
async fn is_held(sink: &Sink, stamp: &Stamp) -> Result<bool, Error> {
    let names = sink.names("passes").await?;
    let overtaken = names
        .iter()
        .filter_map(|name| marked(name))
        .any(|other| other > *stamp);
    Ok(!overtaken && sink.written_at(&marker_path(stamp)).await?.is_some())
}

fn taken_over() -> Error {
    Error::Locked("another pass took over the destination meanwhile".to_owned())
}

fn marker(stamp: Stamp, started: Timestamp) -> Marker {
    Marker {
        stamp,
        host: host(),
        process: std::process::id(),
        namespace: namespace(),
        started_at: started,
        program: crate::PROGRAM.to_owned(),
    }
}

fn marker_path(stamp: &Stamp) -> String {
    path_of(&format!("{stamp}.json"))
}

fn path_of(name: &str) -> String {
    format!("passes/{name}")
}
