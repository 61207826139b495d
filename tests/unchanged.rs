//! What has not changed is neither read nor stored again, and what has is never taken for unchanged.

mod edited;
mod failing;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::portal::{Catalogue, Editing, FakePortal, Host, Item, MADE};
use crate::support::run::{Archive, Job, Run};
use crate::support::worlds;

/// A portal whose content was backed up once; the log of requests is empty.
struct Office {
    portal: FakePortal,
    job: Job,
}

impl Office {
    fn of(world: Catalogue) -> Self {
        let portal = FakePortal::start_blocking(world);
        let job = Job::against(&portal).with("BACKUP_METHOD", "query");
        let office = Self { portal, job };
        office.pass();
        office
    }

    /// A city in which every layer tells when it was edited.
    fn city() -> Self {
        let mut world = worlds::city();
        let dates = Editing {
            last: MADE,
            schema: MADE,
            data: MADE,
        };
        world.layer_mut("Budget", 0).editing = Some(dates);
        Self::of(world)
    }

    /// One more pass without trouble; what came before is not in the log.
    fn pass(&self) -> Run {
        self.portal.reset_log();
        let run = self.job.run();
        run.ended(0);
        self.archive().assert_whole();
        run
    }

    /// An edit that moves the item's date.
    fn edit(&self, title: &str, change: impl FnOnce(&mut Item)) {
        let id = self.portal.edit(|world| world.titled(title).id.clone());
        self.portal.edit(|world| world.edit_item(&id, change));
    }

    fn archive(&self) -> Archive {
        self.job.archive()
    }

    fn state(&self, title: &str) -> Value {
        self.archive().entry(title)["state"].clone()
    }

    /// The path of each file of an item, by what it is.
    fn paths(&self, title: &str) -> BTreeMap<String, String> {
        let record = self.archive().record(title);
        let file = |file: &Value| {
            let members = ["role", "layer", "attachment_id", "name"];
            let members = members.iter().filter_map(|member| file.get(member));
            let label: Vec<String> = members.map(Value::to_string).collect();
            let path = file["path"].as_str().expect("a path").to_owned();
            (label.join(" ").replace('"', ""), path)
        };
        record["files"]
            .as_array()
            .expect("files")
            .iter()
            .map(file)
            .collect()
    }

    /// What of an item lies elsewhere than it did.
    fn moved(&self, title: &str, before: &BTreeMap<String, String>) -> Vec<String> {
        let mut now = self.paths(title);
        now.retain(|label, path| before.get(label) != Some(path));
        now.into_keys().collect()
    }

    /// The same for rows and attachments.
    fn moved_rows(&self, title: &str, before: &BTreeMap<String, String>) -> Vec<String> {
        let mut moved = self.moved(title, before);
        moved.retain(|label| label.starts_with("rows") || label.starts_with("attachment"));
        moved
    }

    /// Requests by route.
    fn costs(&self) -> BTreeMap<&'static str, usize> {
        let mut costs = BTreeMap::new();
        for seen in self.portal.requests() {
            *costs.entry(seen.route).or_default() += 1;
        }
        costs
    }
}

#[test]
fn a_second_pass_reads_and_stores_nothing() {
    let office = Office::city();
    let (first, files) = (office.archive().snapshot(), office.archive().files());
    let run = office.pass();
    let second = office.archive().snapshot();
    let items = |snapshot: &Value| snapshot["items"].as_array().expect("items").clone();
    for (before, now) in items(&first).iter().zip(items(&second)) {
        let expected = if before["state"] == "skipped" {
            "skipped"
        } else {
            "unchanged"
        };
        assert_eq!(now["state"], expected, "{now}");
        for member in [
            "id",
            "record",
            "record_sha256",
            "change",
            "files",
            "bytes",
            "rows",
            "notes",
        ] {
            assert_eq!(now[member], before[member], "{member} of {now}");
        }
    }
    assert_eq!(
        (&run.summary()["stored"], &run.summary()["bytes"]),
        (&json!(0), &json!(0))
    );
    let new = office.archive().files().len() - files.len();
    assert_eq!(new, 2, "a snapshot and a history");
}

#[test]
fn an_unchanged_organisation_costs_its_listing_and_one_request_a_service() {
    let office = Office::city();
    office.pass();
    let services = office.portal.edit(|world| world.services.len());
    let expected = [
        ("token", 1),
        ("self", 1),
        ("user_content", 3),
        ("rest_info", 2), // whose servers these are
        ("layers", services),
    ];
    assert_eq!(office.costs(), BTreeMap::from(expected));
    let hosted = office.portal.requests_to("layers");
    assert_eq!(
        hosted
            .iter()
            .filter(|seen| seen.host == Host::Services)
            .count(),
        6
    );
}

#[test]
fn a_vanished_item_leaves_the_snapshot_and_not_the_archive() {
    let office = Office::city();
    let entry = office.archive().entry("Trails");
    let files = office.archive().files();
    office.portal.edit(|world| {
        let id = world.titled("Trails").id.clone();
        world.remove_item(&id);
    });
    office.pass();
    let items = office.archive().snapshot()["items"].clone();
    let ids = items
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["id"]);
    assert_eq!(ids.filter(|id| **id == entry["id"]).count(), 0);
    let now = office.archive().files();
    assert!(files.iter().all(|file| now.contains(file)));
}

#[test]
fn an_old_copy_is_read_anew() {
    let mut office = Office::city();
    let before = office.paths("Hydrants");
    office.job.set("BACKUP_FULL_EVERY", "0s");
    let run = office.pass();
    assert_eq!(run.summary()["unchanged"], 0);
    assert_eq!(
        office.moved("Hydrants", &before).len(),
        before.len(),
        "nothing is taken over"
    );
    assert_eq!(office.portal.count("attachment"), 7);
}

#[test]
fn other_wishes_are_another_copy() {
    for (name, value) in [
        ("BACKUP_FORMATS", "geojson,esrijson"),
        ("BACKUP_ATTACHMENTS", "false"),
    ] {
        let mut office = Office::city();
        office.job.set(name, value);
        let run = office.pass();
        assert_eq!(run.summary()["unchanged"], 0, "{name}");
        let formats = if name == "BACKUP_FORMATS" { 2 } else { 1 };
        assert_eq!(office.archive().files_of("Trails", "rows").len(), formats);
        assert_eq!(office.pass().summary()["stored"], 0, "{name}");
    }
}

#[test]
fn a_layer_that_tells_no_date_is_read_each_time() {
    let zero = Editing {
        last: 0,
        schema: 0,
        data: 0,
    };
    for editing in [None, Some(zero)] {
        let office = Office::of(worlds::one_layer(
            worlds::notes(3).with(|layer| layer.editing = editing),
        ));
        let row = worlds::row(4, json!({"NOTE": "unseen"}), None);
        office.portal.edit(|world| {
            let layer = world.layer_mut("Notes", 0).clone();
            *world.layer_mut("Notes", 0) = layer.rows(vec![row]);
        });
        office.pass();
        assert_eq!(office.state("Notes"), "stored");
        assert_eq!(office.archive().entry("Notes")["rows"], 1);
    }
}
