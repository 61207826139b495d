//! One pass at a time on a destination, told by `passes/<stamp>.json`: the mark of a running pass, and of
//! one that died. It excludes passes that begin more than a few seconds apart; of two that begin at the same
//! moment the lower stamp goes on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::sink::Sink;
use super::{Archive, Error, json};
use crate::snapshot::Stamp;

/// A running pass says that it is alive this often.
const BEAT: Duration = Duration::from_secs(30);
/// Silent for this long by the store's clock, a pass is dead.
const SILENT: Duration = Duration::from_mins(2);
/// A newer stamp than this far in the future is no clock difference any more.
const SKEW: Duration = Duration::from_mins(5);

/// The marker's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    stamp: Stamp,
    host: String,
    process: u32,
    started_at: Timestamp,
    program: String,
}

/// The destination is ours until [`Hold::release`].
#[derive(Debug)]
pub struct Hold {
    sink: Arc<Sink>,
    /// Names this pass.
    pub stamp: Stamp,
    /// Passes that died here.
    dead: HashSet<Stamp>,
    /// Passes that came to their end here.
    finished: HashSet<Stamp>,
    beat: JoinHandle<()>,
}

impl Archive {
    /// Takes the destination for a pass that began at `started`, or tells who has it.
    pub async fn hold(&self, started: Timestamp) -> Result<Hold, Error> {
        let mut dead = self.others(None).await?;
        let stamp = self.new_stamp(started).await?;
        let marker = Marker {
            stamp: stamp.clone(),
            host: host(),
            process: std::process::id(),
            started_at: started,
            program: crate::PROGRAM.to_owned(),
        };
        let path = marker_path(&stamp);
        let content = json(&marker)?;
        self.sink.rewrite(&path, content.clone()).await?;
        match self.others(Some(&marker)).await {
            Ok(others) => dead.extend(others),
            Err(error) => {
                self.sink.remove(&path).await?;
                return Err(error);
            }
        }
        self.sink.sweep().await?;
        self.remove_forgotten_probes().await?;
        let finished = self.stamps("history").await?.into_iter().collect();
        Ok(Hold {
            beat: beat(Arc::clone(&self.sink), path, content),
            sink: Arc::clone(&self.sink),
            stamp,
            dead,
            finished,
        })
    }

    /// Looks at the other passes: the dead ones are returned, a living one is an error. Beside our own
    /// marker, who has the higher stamp withdraws.
    async fn others(&self, own: Option<&Marker>) -> Result<HashSet<Stamp>, Error> {
        let mut dead = HashSet::new();
        for stamp in self.stamps("passes").await? {
            if own.is_some_and(|own| own.stamp == stamp) {
                self.still_ours(&stamp, own).await?;
                continue;
            }
            match self.dead_or_alive(&stamp).await? {
                Some(holder) if own.is_none_or(|own| stamp < own.stamp) => {
                    return Err(locked(&holder));
                }
                Some(_) => {}
                None => {
                    dead.insert(stamp);
                }
            }
        }
        Ok(dead)
    }

    /// Two passes of the same second wrote the same name: one of them is there now.
    async fn still_ours(&self, stamp: &Stamp, own: Option<&Marker>) -> Result<(), Error> {
        let found = self.marker(stamp).await?;
        match (found, own) {
            (Some(found), Some(own)) if found != *own => Err(locked(&found)),
            _ => Ok(()),
        }
    }

    /// The marker of a living pass, `None` for a dead one.
    async fn dead_or_alive(&self, stamp: &Stamp) -> Result<Option<Marker>, Error> {
        let (Some(marker), Some(beat)) = (
            self.marker(stamp).await?,
            self.sink.written_at(&marker_path(stamp)).await?,
        ) else {
            return Ok(None);
        };
        let gone = marker.host == host()
            && marker.process != std::process::id()
            && is_gone(marker.process);
        // The store is asked for its time only when our clock says that the pass has fallen silent.
        let silent = is_silent(beat, Timestamp::now()) && is_silent(beat, self.store_time().await?);
        Ok((!silent && !gone).then_some(marker))
    }

    async fn store_time(&self) -> Result<Timestamp, Error> {
        let probe = super::probe::path();
        self.sink.rewrite(&probe, Vec::new()).await?;
        let now = self.sink.written_at(&probe).await?;
        self.sink.remove(&probe).await?;
        Ok(now.unwrap_or_else(Timestamp::now))
    }

    async fn marker(&self, stamp: &Stamp) -> Result<Option<Marker>, Error> {
        let content = self.sink.read(&marker_path(stamp)).await?;
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    /// Later than every name here, so that the newest name is the newest pass.
    async fn new_stamp(&self, started: Timestamp) -> Result<Stamp, Error> {
        let mut newest = None;
        for folder in ["snapshots", "history", "passes"] {
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
    /// Passes that are certainly over: what they left behind in the organisation is nobody's any more.
    pub fn ended(&self) -> HashSet<Stamp> {
        self.dead.union(&self.finished).cloned().collect()
    }

    /// The pass ends: its marker goes, and those of dead passes whose traces are swept.
    pub async fn release(self, swept: bool) -> Result<(), Error> {
        self.beat.abort();
        if swept {
            for stamp in &self.dead {
                info!(stamp = stamp.as_str(), "traces of a dead pass removed");
                self.sink.remove(&marker_path(stamp)).await?;
            }
        }
        self.sink.remove(&marker_path(&self.stamp)).await?;
        self.sink.sweep().await
    }
}

fn beat(sink: Arc<Sink>, path: String, content: Vec<u8>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            if let Err(error) = sink.rewrite(&path, content.clone()).await {
                warn!(error = %error, "marker not rewritten");
            }
        }
    })
}

fn is_silent(beat: Timestamp, now: Timestamp) -> bool {
    now > beat + SILENT
}

pub(super) fn is_older(written: Timestamp, than: Duration) -> bool {
    Timestamp::now() > written + than
}

fn locked(holder: &Marker) -> Error {
    Error::Locked(format!(
        "another pass holds the destination: process {} on {}, since {}",
        holder.process, holder.host, holder.started_at
    ))
}

fn marker_path(stamp: &Stamp) -> String {
    format!("passes/{stamp}.json")
}

fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// Only where the system tells without being asked for rights; elsewhere silence decides.
#[cfg(target_os = "linux")]
fn is_gone(process: u32) -> bool {
    !std::path::Path::new("/proc")
        .join(process.to_string())
        .exists()
}

#[cfg(not(target_os = "linux"))]
fn is_gone(_: u32) -> bool {
    false
}
