//! Who else is here: the marks and claims of other passes, and whether their writers are alive.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use super::super::{Archive, Error, probe};
use super::Marker;
use super::claim::is_claim;
use crate::snapshot::Stamp;

/// Silent for this long by the store's clock, a pass is dead.
const SILENT: Duration = Duration::from_mins(2);

/// The mark of another pass, or its claim.
#[derive(Debug)]
pub(super) struct Other {
    /// In `passes/`.
    pub(super) name: String,
    pub(super) alive: bool,
    /// When it was last seen to be alive.
    seen: Timestamp,
    /// `None` when it cannot be read: then it is somebody unknown.
    writer: Option<Marker>,
}

impl Other {
    /// Of a mark: the pass, and when it died at the latest. One that lives is never silent for longer.
    pub(super) fn end(&self) -> Option<(Stamp, Timestamp)> {
        Some((marked(&self.name)?, self.seen + SILENT))
    }

    pub(super) fn locks(&self) -> Error {
        let who = match &self.writer {
            Some(writer) => format!(
                "process {} on {}, since {}",
                writer.process, writer.host, writer.started_at
            ),
            None => format!("its mark passes/{} cannot be read", self.name),
        };
        Error::Locked(format!("another pass holds the destination: {who}"))
    }
}

impl Archive {
    /// Everybody else who holds the destination, wants it, or died over it. When a claim goes while we look
    /// it may be a mark by now, one that was not there yet when the names were listed: then we look again.
    pub(super) async fn others(&self, own: Option<&str>) -> Result<Vec<Other>, Error> {
        let mut gone = HashSet::new();
        loop {
            let (mut others, known) = (Vec::new(), gone.len());
            for name in self.sink.names("passes").await? {
                if own == Some(&name) || !(is_claim(&name) || marked(&name).is_some()) {
                    continue;
                }
                match self.judge(name.clone()).await? {
                    Some(other) => others.push(other),
                    None => drop(gone.insert(name)),
                }
            }
            if gone.len() == known {
                return Ok(others);
            }
        }
    }

    /// `None` when it went while we looked, or when a listing lags.
    async fn judge(&self, name: String) -> Result<Option<Other>, Error> {
        let path = format!("passes/{name}");
        let (Some(content), Some(beat)) = (
            self.sink.read(&path).await?,
            self.sink.written_at(&path).await?,
        ) else {
            return Ok(None);
        };
        let writer: Option<Marker> = serde_json::from_slice(&content).ok();
        let gone = writer.as_ref().is_some_and(is_gone);
        let alive = !gone && !self.is_silent(beat).await?;
        Ok(Some(Other {
            name,
            alive,
            seen: beat,
            writer,
        }))
    }

    /// The store is asked for its time only when our clock says that the pass has fallen silent.
    async fn is_silent(&self, beat: Timestamp) -> Result<bool, Error> {
        let silent = |now: Timestamp| now > beat + SILENT;
        Ok(silent(Timestamp::now()) && silent(self.store_time().await?))
    }

    async fn store_time(&self) -> Result<Timestamp, Error> {
        let probe = probe::path();
        self.sink.rewrite(&probe, Vec::new()).await?;
        let now = self.sink.written_at(&probe).await?;
        self.sink.remove(&probe).await?;
        Ok(now.unwrap_or_else(Timestamp::now))
    }
}

/// The stamp in the name of a mark.
pub(super) fn marked(name: &str) -> Option<Stamp> {
    Stamp::parse(name.strip_suffix(".json")?)
}

/// A container counts its processes for itself.
#[cfg(target_os = "linux")]
pub(super) fn namespace() -> Option<String> {
    let link = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_string_lossy().into_owned())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn namespace() -> Option<String> {
    None
}

pub(super) fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// A process of this host that is there no more. Another host's may be alive, and a container's whose host has
/// the same name.
fn is_gone(writer: &Marker) -> bool {
    let counts_alike = writer.namespace.is_none() || writer.namespace == namespace();
    writer.host == host()
        && counts_alike
        && writer.process != std::process::id()
        && has_ended(writer.process)
}

/// Only where the system tells without being asked for rights; elsewhere silence decides. Who is not shown the
/// first process, which is always there, may not be shown others either.
#[cfg(target_os = "linux")]
fn has_ended(process: u32) -> bool {
    let is_there = |process: u32| {
        std::path::Path::new("/proc")
            .join(process.to_string())
            .exists()
    };
    is_there(1) && !is_there(process)
}

#[cfg(not(target_os = "linux"))]
fn has_ended(_: u32) -> bool {
    false
}
