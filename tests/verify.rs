//! `agol-backup verify`: damage is told by path, marked when asked, and healed by the next pass.

mod asked;
mod matrix;
mod repaired;
mod vouched;

use serde_json::{Value, json};

use crate::support::portal::{Catalogue, FakePortal};
use crate::support::run::{Archive, Job, Run};
use crate::support::worlds;

/// Three nights of an office with two layers, attachments and a map. Each night changed the first layer.
struct Office {
    portal: FakePortal,
    job: Job,
}

impl Office {
    fn of(world: Catalogue) -> Self {
        let portal = FakePortal::start_blocking(world);
        let job = Job::against(&portal);
        Self { portal, job }
    }

    fn three_nights() -> Self {
        let mut world = worlds::small_office();
        world
            .layer_mut("Office", 1)
            .attach(1, "photo.jpg", worlds::jpeg(1, 500));
        world
            .layer_mut("Office", 1)
            .attach(2, "note.txt", "A note of some length.");
        let office = Self::of(world);
        office.night();
        for _ in 0..2 {
            office.edit();
            office.night();
        }
        office
    }

    fn night(&self) {
        self.job.run().ended(0);
        self.archive().age(2);
    }

    fn edit(&self) {
        let row = worlds::values(json!({"NOTE": "new"}));
        self.portal
            .edit(|world| world.add_feature("Office", 0, row, None));
    }

    fn archive(&self) -> Archive {
        self.job.archive()
    }

    fn verify(&self, arguments: &[&str]) -> Run {
        let arguments: Vec<&str> = ["verify"].iter().chain(arguments).copied().collect();
        self.job.run_with(&arguments)
    }
}

/// The paths and what is wrong with each.
fn findings(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let damaged = run.events("damaged");
    damaged
        .iter()
        .map(|line| (text(&line["path"]), text(&line["damage"])))
        .collect()
}

fn end(run: &Run) -> Value {
    let mut ends = run.events("verify finished");
    assert_eq!(ends.len(), 1, "{}", run.stdout);
    ends.remove(0)
}
