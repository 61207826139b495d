//! Runs the built program night after night against a portal of such a world.

use super::judge;
use super::moments::Moments;
use super::plan::{Night, Plan, Wish};
use super::trouble::{Trouble, What};
use crate::support::begun::Begun;
use crate::support::portal::{Catalogue, FakePortal};
use crate::support::run::{Archive, Job, Run};

/// A portal, an archive, and everything that the portal has held since the first night.
pub(super) struct Nights {
    pub(super) portal: FakePortal,
    pub(super) wish: Wish,
    job: Job,
    moments: Moments,
    /// A pass said that it left something in the organisation.
    have_told: bool,
    were_calm: bool,
}

/// How a night went.
pub(super) struct Gone<'n> {
    pub(super) night: &'n Night,
    pub(super) run: Run,
    /// What the portal held from the pass' beginning to its end, each state of it.
    pub(super) during: Vec<Catalogue>,
    /// And from the first night on.
    pub(super) ever: Vec<Catalogue>,
    /// The snapshots that there were before.
    pub(super) before: Vec<String>,
    /// The ids that were alone in danger, if only such were.
    pub(super) victims: Option<Vec<String>>,
}

impl Nights {
    pub(super) fn of(plan: &Plan) -> Self {
        let portal = FakePortal::start_blocking(plan.world.catalogue());
        let job = plan.wish.job(&portal);
        let wish = plan.wish.clone();
        Self {
            portal,
            wish,
            job,
            moments: Moments::default(),
            have_told: false,
            were_calm: true,
        }
    }

    pub(super) fn archive(&self) -> Archive {
        self.job.archive()
    }

    pub(super) fn go<'n>(&self, night: &'n Night) -> Gone<'n> {
        self.portal.clear_faults();
        self.portal.reset_log();
        self.portal
            .edit(|world| night.edits.iter().for_each(|edit| edit.apply(world)));
        let first = self.moments.count();
        self.portal.edit(|world| self.moments.add(world));
        let world = self.portal.edit(|world| world.clone());
        for trouble in &night.troubles {
            self.portal.add_fault(trouble.fault(&world, &self.moments));
        }
        // Whom an edit befalls is not told by where it lies in wait.
        let told = |one: &&Trouble| !matches!(one.what, What::Edit(_));
        let victims = night.troubles.iter();
        let victims = victims.map(|one| Some(one).filter(told)?.victim(&world));
        let victims = victims.map(|id| id.map(str::to_owned)).collect();
        let before = self.archive().stamps();
        let run = self.pass(night);
        let ever = self.moments.all();
        Gone {
            night,
            run,
            during: ever[first..].to_vec(),
            ever,
            before,
            victims,
        }
    }

    fn pass(&self, night: &Night) -> Run {
        let begun = Begun::of(&self.job);
        let Some((signal, requests)) = night.signal else {
            return begun.end();
        };
        let asked = |begun: &Begun| {
            self.portal.requests().len() >= requests || begun.heard().contains("\"pass finished\"")
        };
        while !asked(&begun) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        begun.told(signal)
    }

    /// Whether it is known that something is left in the organisation.
    pub(super) fn have_told(&self) -> bool {
        self.have_told
    }

    /// Whether nothing has gone wrong in any night before.
    pub(super) fn were_calm(&self) -> bool {
        self.were_calm
    }

    /// The next night is another day's.
    pub(super) fn is_over(&mut self, gone: &Gone<'_>) {
        self.have_told |= judge::tells_what_is_left(&gone.run);
        self.were_calm &= gone.night.is_calm();
        let archive = self.archive();
        silence_torn_marks(&archive);
        // What a dead pass left is known by the stamp that its mark still has.
        if self.wish.keep_last.is_some() && archive.names("passes").is_empty() {
            archive.age(1);
        }
    }

    pub(super) fn verify(&self) -> Run {
        self.job.run_with(&["verify", "--all"])
    }
}

/// A mark that a death cut in the writing is somebody's for two minutes, which go by before the next night.
fn silence_torn_marks(archive: &Archive) {
    for name in archive.names("passes") {
        let path = format!("passes/{name}");
        if serde_json::from_slice::<serde_json::Value>(&archive.bytes(&path)).is_err() {
            let mark = std::fs::File::options()
                .write(true)
                .open(archive.root.join(path));
            let long_ago = std::time::SystemTime::now() - std::time::Duration::from_mins(10);
            mark.and_then(|mark| mark.set_modified(long_ago))
                .expect("its date is set");
        }
    }
}
