//! A small office that is backed up night after night.

use serde_json::json;

use super::portal::{Catalogue, FakePortal};
use super::run::{Archive, Job, Run};
use super::worlds;

/// A portal and the archive of its nights.
pub struct Office {
    pub portal: FakePortal,
    pub job: Job,
}

impl Office {
    pub fn of(world: Catalogue) -> Self {
        let portal = FakePortal::start_blocking(world);
        let job = Job::against(&portal);
        Self { portal, job }
    }

    /// A service with two layers, and a map. No night has been yet.
    pub fn small() -> Self {
        Self::of(worlds::small_office())
    }

    /// The same with attachments, after three nights. Before each of them the first layer was edited.
    pub fn three_nights() -> Self {
        let mut world = worlds::small_office();
        let chairs = world.layer_mut("Office", 1);
        chairs.attach(1, "photo.jpg", worlds::jpeg(1, 500));
        chairs.attach(2, "note.txt", "A note of some length.");
        let office = Self::of(world);
        for _ in 0..3 {
            office.edit_layer(0);
            office.night();
        }
        office
    }

    pub fn archive(&self) -> Archive {
        self.job.archive()
    }

    /// A pass, two days ago as soon as it is over.
    pub fn night(&self) {
        self.job.run().ended(0);
        self.archive().assert_whole();
        self.archive().age(2);
    }

    pub fn edit_layer(&self, layer: i64) {
        let row = worlds::values(json!({"NOTE": "new"}));
        self.portal
            .edit(|world| world.add_feature("Office", layer, row, None));
    }

    /// A pass with a rule.
    pub fn prune(&mut self, rule: &str, count: u32) -> Run {
        self.job.set(rule, count.to_string());
        self.job.run()
    }

    pub fn verify(&self, arguments: &[&str]) -> Run {
        let arguments: Vec<&str> = ["verify"].iter().chain(arguments).copied().collect();
        self.job.run_with(&arguments)
    }
}
