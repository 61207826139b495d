//! Every part of every kind of item is kept, as the portal sent it, under names that no title can break.

mod addresses;
mod attachments;
mod names;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::portal::{Catalogue, Data, FakePortal, Fault, FaultKind, Item};
use crate::support::run::{Archive, Job};
use crate::support::worlds;

/// A world after one pass without trouble.
struct Kept {
    portal: FakePortal,
    job: Job,
}

impl Kept {
    fn of(world: Catalogue) -> Self {
        let portal = FakePortal::start_blocking(world);
        let job = Job::against(&portal).with("BACKUP_METHOD", "query");
        let kept = Self { portal, job };
        kept.pass();
        kept
    }

    fn pass(&self) {
        self.job.run().ended(0);
        self.archive().assert_whole();
    }

    fn archive(&self) -> Archive {
        self.job.archive()
    }

    /// The bytes of an item's only file of a role, and its name in the version's folder.
    fn part(&self, title: &str, role: &str) -> (String, Vec<u8>) {
        let files = self.archive().files_of(title, role);
        assert_eq!(files.len(), 1, "{title} has one {role}: {files:?}");
        let path = files[0]["path"].as_str().expect("a path");
        let name = path
            .splitn(4, '/')
            .nth(3)
            .expect("a name below the version");
        (name.to_owned(), self.archive().bytes(path))
    }
}

/// The bodies that the portal sends on a route from now on.
fn heard(portal: &FakePortal, route: &str) -> Arc<Mutex<Vec<Vec<u8>>>> {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&bodies);
    let listen = FaultKind::alter(move |_, reply| {
        ear.lock().expect("no panic").push(reply.body.to_vec());
        reply
    });
    portal.add_fault(Fault::on(route, listen).forever());
    bodies
}

/// One attachment or resource: its name, its length, its bytes.
fn named(archive: &Archive, title: &str, role: &str) -> Vec<(String, Vec<u8>)> {
    let files = archive.files_of(title, role);
    let file = |file: &Value| {
        let name = file["name"].as_str().expect("a name").to_owned();
        (name, archive.bytes(file["path"].as_str().expect("a path")))
    };
    let mut files: Vec<_> = files.iter().map(file).collect();
    files.sort();
    files
}

fn web_map(title: &str) -> Item {
    let mut item = Item::new("Web Map", title);
    item.data = Data::Json("{}".to_owned());
    item
}

#[test]
fn a_map_is_kept_with_all_its_parts() {
    let kept = Kept::of(worlds::city());
    let map = kept.portal.edit(|world| world.titled("City map").clone());
    let Data::Json(text) = &map.data else {
        panic!("a map's data is JSON")
    };
    let (name, bytes) = kept.part("City map", "data");
    assert_eq!(
        (name.as_str(), bytes.as_slice()),
        ("data.json", text.as_bytes())
    );
    let (name, bytes) = kept.part("City map", "thumbnail");
    assert_eq!(
        (name.as_str(), Some(bytes)),
        ("thumbnail.png", map.thumbnail.map(|png| png.to_vec()))
    );
    let mut resources: Vec<_> = map
        .resources
        .iter()
        .map(|(name, bytes)| (name.clone(), bytes.to_vec()))
        .collect();
    resources.sort();
    assert_eq!(named(&kept.archive(), "City map", "resource"), resources);
    let (name, bytes) = kept.part("City map", "item");
    let item: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(
        (name.as_str(), &item["id"], &item["title"]),
        ("item.json", &json!(map.id), &json!(map.title))
    );
    assert_eq!(
        kept.archive().content("City map", "sharing")["access"],
        "private"
    );
    let related = kept.archive().content("Hydrant dashboard", "related");
    assert_eq!(related["relatedItems"][0]["id"], json!(map.id));
}

#[test]
fn files_keep_their_bytes_and_their_endings() {
    let kept = Kept::of(worlds::city());
    for (title, name) in [
        ("Annual report", "data.pdf"),
        ("Trees of Market Square", "data.csv"),
        ("Survey 2019", "data.geojson"),
    ] {
        let item = kept.portal.edit(|world| world.titled(title).clone());
        let Data::File { bytes, .. } = item.data else {
            panic!("{title} is a file")
        };
        assert_eq!(kept.part(title, "data"), (name.to_owned(), bytes.to_vec()));
    }
    let metadata = kept
        .portal
        .edit(|world| world.titled("Annual report").metadata.clone());
    let (name, bytes) = kept.part("Annual report", "metadata");
    assert_eq!(
        (name.as_str(), Some(bytes)),
        ("metadata.xml", metadata.map(String::into_bytes))
    );
    assert!(
        kept.portal.deleted().is_empty(),
        "the user's own GeoJSON is where it was"
    );
}

#[test]
fn an_item_without_data_has_no_file_of_it() {
    let mut world = worlds::empty();
    world.add_item(Item::new("Web Map", "Bare"));
    let kept = Kept::of(world);
    assert!(kept.archive().files_of("Bare", "data").is_empty());
    let roles = ["thumbnail", "metadata", "related", "resource"];
    assert!(
        roles
            .iter()
            .all(|role| kept.archive().files_of("Bare", role).is_empty())
    );
}

#[test]
fn a_long_list_of_related_items_is_kept_to_its_end() {
    let mut world = worlds::large_listing(130);
    for item in &mut world.items {
        item.tags = vec!["no-backup".to_owned()];
    }
    let mut hub = web_map("Hub");
    hub.related = world.items.iter().map(|item| item.id.clone()).collect();
    world.add_item(hub);
    let kept = Kept::of(world);
    let related = kept.archive().content("Hub", "related").to_string();
    let missing = kept
        .portal
        .edit(|world| world.titled("Hub").related.clone())
        .into_iter();
    let missing = missing.filter(|id| !related.contains(id.as_str())).count();
    assert_eq!(missing, 0, "related items that are not in related.json");
}

#[test]
fn a_service_is_kept_as_it_describes_itself() {
    let mut world = worlds::one_layer(worlds::notes(3));
    world.items[0].data = Data::Json(r#"{"layers": [{"id": 0, "popupInfo": {}}]}"#.to_owned());
    let portal = FakePortal::start_blocking(world);
    let bodies = ["service", "layers", "data"].map(|route| (route, heard(&portal, route)));
    let job = Job::against(&portal);
    job.run().ended(0);
    let kept = Kept { portal, job };
    for (route, bodies) in bodies {
        let sent = bodies
            .lock()
            .expect("no panic")
            .first()
            .expect("an answer")
            .clone();
        assert_eq!(kept.part("Notes", route), (format!("{route}.json"), sent));
    }
}

#[test]
fn an_item_of_somebody_else_is_kept_with_its_groups() {
    let mut item = web_map("Theirs");
    item.owner = "colleague".to_owned();
    let mut world = worlds::empty();
    world.add_item(item);
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal).with("BACKUP_SCOPE", "org");
    job.run().ended(0);
    assert_eq!(
        job.archive().content("Theirs", "item")["owner"],
        "colleague"
    );
    assert_eq!(
        job.archive().content("Theirs", "sharing")["other"],
        json!([])
    );
    assert_eq!(job.archive().entry("Theirs")["owner"], "colleague");
}

#[test]
fn members_that_nobody_knows_survive() {
    let mut layer = worlds::notes(1);
    layer.extra.insert(
        "futureOfLayers".to_owned(),
        json!({"numbers": [1.50, 1e300]}),
    );
    let mut world = worlds::one_layer(layer);
    world.items[0]
        .extra
        .insert("futureOfItems".to_owned(), json!({"deep": [null, "ü"]}));
    let kept = Kept::of(world);
    let archive = kept.archive();
    assert_eq!(
        archive.content("Notes", "item")["futureOfItems"],
        json!({"deep": [null, "ü"]})
    );
    let layers = archive.content("Notes", "layers");
    assert_eq!(
        layers["layers"][0]["futureOfLayers"]["numbers"],
        json!([1.50, 1e300])
    );
}

#[test]
fn a_view_tells_what_it_reads_and_shows_no_more_than_it_may() {
    let kept = Kept::of(worlds::city());
    let (name, bytes) = kept.part("Hydrants (public view)", "view");
    let view: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(
        (name.as_str(), &view["services"][0]["name"]),
        ("view.json", &json!("Hydrants"))
    );
    let rows = kept.archive().content("Hydrants (public view)", "rows");
    assert_eq!(rows["features"].as_array().map(Vec::len), Some(250));
    assert!(!rows.to_string().contains("SECRET_KEY"));
    assert!(kept.archive().files_of("Hydrants", "view").is_empty());
}
