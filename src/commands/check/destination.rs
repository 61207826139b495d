//! The destination's side: whether it can be used, who has it, what lies there and what the rules would do.

use jiff::Timestamp;
use serde::Serialize;

use crate::archive::{self, Archive, Survey};
use crate::commands::snapshots::candidates;
use crate::config::Keeping;
use crate::exit::{Exit, Stop};
use crate::retention::{self, Candidate, Verdict};
use crate::snapshot::{Snapshot, Stamp};

/// As the report tells it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Place {
    /// The folder or store.
    pub(super) address: String,
    /// A file could be written, read, listed and deleted.
    pub(super) usable: bool,
    /// Another pass is at work there.
    pub(super) held: bool,
    /// What is wrong, in the store's own words.
    pub(super) error: Option<String>,
    /// Snapshots; `None` when they could not be listed.
    pub(super) snapshots: Option<u64>,
    /// Those that cannot be read.
    pub(super) damaged: u64,
    /// The newest one that can.
    pub(super) newest: Option<Stamp>,
    /// A rule is set.
    pub(super) prunes: bool,
    /// How many a pass would remove that commits now.
    pub(super) goes: u64,
}

/// What to tell, what to compare with, and what would end a pass.
pub(super) struct Looked {
    pub(super) place: Place,
    pub(super) newest: Option<Snapshot>,
    /// Before it signs in.
    pub(super) unusable: Option<Stop>,
    /// Afterwards, when it takes the destination.
    pub(super) taken: Option<Stop>,
}

/// An error is one of the settings: it ends a pass, and this too, before anybody is contacted.
pub(super) async fn look(keeping: &Keeping, started: Timestamp) -> Result<Looked, Stop> {
    let mut looked = Looked {
        place: Place {
            address: keeping.destination.to_string(),
            prunes: !keeping.rules.is_empty(),
            ..Place::default()
        },
        newest: None,
        unusable: None,
        taken: None,
    };
    match Archive::rehearse(&keeping.destination).await {
        Ok(archive) => looked.look_inside(&archive, keeping, started).await,
        Err(error @ archive::Error::Settings(_)) => return Err(error.into()),
        Err(error) => looked.unusable = Some(error.into()),
    }
    let stop = looked.unusable.as_ref().or(looked.taken.as_ref());
    looked.place.error = stop.map(Stop::to_string);
    Ok(looked)
}

impl Looked {
    async fn look_inside(&mut self, archive: &Archive, keeping: &Keeping, started: Timestamp) {
        self.place.usable = true;
        let held = archive.could_hold(started).await.map_err(Stop::from);
        self.taken = held.err();
        let locked = |stop: &Stop| stop.exit() == Exit::Locked;
        self.place.held = self.taken.as_ref().is_some_and(locked);
        match read(archive).await {
            Ok((survey, newest)) => {
                self.place.tell(&survey, keeping, started);
                self.place.newest = newest.as_ref().map(|newest| newest.stamp.clone());
                self.newest = newest;
            }
            Err(stop) => self.taken = self.taken.take().or(Some(stop)),
        }
    }
}

async fn read(archive: &Archive) -> Result<(Survey, Option<Snapshot>), Stop> {
    Ok((archive.survey().await?, archive.newest_snapshot().await?))
}

impl Place {
    /// The rules are asked as a pass asks them, with its own snapshot among the others.
    fn tell(&mut self, survey: &Survey, keeping: &Keeping, started: Timestamp) {
        let listed = &survey.snapshots;
        let mut candidates = candidates(listed);
        self.snapshots = Some(listed.len() as u64);
        self.damaged = (listed.len() - candidates.len()) as u64;
        if self.damaged > 0 {
            return;
        }
        candidates.push(Candidate {
            stamp: Stamp::of(started),
            complete: true,
        });
        let verdicts = retention::retain(&candidates, &keeping.rules);
        let goes = verdicts
            .iter()
            .filter(|verdict| Verdict::is_removal(verdict));
        self.goes = goes.count() as u64;
    }
}
