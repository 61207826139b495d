//! What the portal is asked for: one job per layer or one per service, named so that it can be found again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{asked, by_export, nothing_left, quick};
use crate::support::portal::FakePortal;
use crate::support::run::Job;
use crate::support::worlds;

/// The city, exported in these formats.
fn city(formats: &str) -> (FakePortal, Job) {
    let portal = quick(worlds::city());
    let job = by_export(&portal).with("BACKUP_FORMATS", formats);
    job.run().ended(0);
    job.archive().assert_whole();
    nothing_left(&portal);
    (portal, job)
}

/// How many exports were asked for of each service, by its title.
fn per_service(portal: &FakePortal) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (seen, _) in asked(portal) {
        let title = portal.edit(|world| {
            world
                .item(&seen.params["itemId"])
                .expect("an item")
                .title
                .clone()
        });
        *counts.entry(title).or_insert(0) += 1;
    }
    counts
}

#[test]
fn the_users_own_geojson_stays_and_only_temporary_items_go() {
    let (portal, job) = city("geojson");
    assert!(portal.edit(|world| world.items.iter().any(|item| item.title == "Survey 2019")));
    assert_eq!(job.archive().entry("Survey 2019")["state"], "stored");
    assert_eq!(
        (portal.deleted().len(), portal.exports_created().len()),
        (8, 8)
    );
    for seen in portal.requests_to("delete") {
        assert_eq!(seen.params["permanentDelete"], "true");
    }
    assert_eq!(
        (portal.count("delete"), portal.count("delete_items")),
        (8, 0),
        "each by its id"
    );
    let items = job.archive().snapshot()["items"].clone();
    assert_eq!(
        items.as_array().expect("items").len(),
        15,
        "no temporary item is content"
    );
}

#[test]
fn each_layer_and_table_is_an_export_of_its_own() {
    for (format, name) in [("geojson", "GeoJson"), ("csv", "CSV")] {
        let (portal, _job) = city(format);
        let counts = per_service(&portal);
        let several = counts
            .iter()
            .filter(|(_, count)| **count != 1)
            .collect::<Vec<_>>();
        assert_eq!(
            (counts.len(), several),
            (6, vec![(&"Inspections".to_owned(), &3)])
        );
        let mut layers = Vec::new();
        for (seen, inner) in asked(&portal) {
            assert_eq!(seen.params["exportFormat"], name);
            assert_eq!(inner["layers"].as_array().map(Vec::len), Some(1), "{inner}");
            layers.push(inner["layers"][0]["id"].as_i64().expect("an id"));
        }
        layers.sort_unstable();
        assert_eq!(layers, [0, 0, 0, 0, 0, 1, 3, 5]);
    }
}

#[test]
fn a_container_is_one_export_of_the_whole_service() {
    let (portal, job) = city("file-geodatabase");
    let counts = per_service(&portal);
    assert!(
        counts.len() == 6 && counts.values().all(|count| *count == 1),
        "{counts:?}"
    );
    for (seen, inner) in asked(&portal) {
        assert_eq!(seen.params["exportFormat"], "File Geodatabase");
        assert!(inner["layers"].is_null(), "{inner}");
    }
    let archive = job.archive();
    let files = archive.files_of("Inspections", "export");
    assert_eq!(
        (files.len(), &files[0]["format"]),
        (1, &json!("file-geodatabase"))
    );
    let path = files[0]["path"].as_str().expect("a path");
    assert!(path.ends_with("/exports/file-geodatabase.zip"), "{path}");
    assert!(archive.bytes(path).starts_with(b"PK"), "a zip");
    assert!(
        archive
            .notes("Inspections")
            .contains(&"rows_not_counted".to_owned())
    );
    assert!(
        archive
            .notes("Traffic counts")
            .contains(&"not_exportable".to_owned())
    );
}

#[test]
fn only_views_are_asked_to_keep_their_columns_hidden() {
    let (portal, job) = city("geojson,shapefile");
    let view = job.archive().entry("Hydrants (public view)")["id"].clone();
    let exports = asked(&portal);
    assert_eq!(exports.len(), 8 + 6);
    for (seen, inner) in exports {
        let hidden = inner["enforceFieldVisibility"].clone();
        let expected = if view == seen.params["itemId"] {
            json!(true)
        } else {
            Value::Null
        };
        assert_eq!(hidden, expected, "{:?}", seen.params);
    }
}

#[test]
fn a_temporary_item_says_whose_it_is() {
    let (portal, job) = city("geojson,csv");
    let stamp = job.archive().stamps().remove(0);
    let mut titles = Vec::new();
    for (seen, inner) in asked(&portal) {
        assert_eq!(seen.params["tags"], "agol-backup-temporary");
        let title = &seen.params["title"];
        let words: Vec<&str> = title.split(' ').collect();
        assert_eq!(words[..3], ["agol-backup", "temporary", &stamp], "{title}");
        assert_eq!(words[3], seen.params["itemId"]);
        let layer = inner["layers"][0]["id"].to_string();
        assert!(words.len() == 5 && words[4].starts_with(&layer), "{title}");
        assert!(
            seen.params["exportFormat"] != "GeoJson" || words[4] == layer,
            "{title}"
        );
        titles.push(title.clone());
    }
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 16, "no two of a pass are named alike");
}

#[test]
fn somebody_elses_item_is_exported_into_the_content_of_its_owner() {
    let mut world = worlds::one_layer(worlds::notes(5));
    "colleague".clone_into(&mut world.items[0].owner);
    let portal = quick(world);
    let job = by_export(&portal).with("BACKUP_SCOPE", "org");
    job.run().ended(0);
    nothing_left(&portal);
    for route in ["export", "delete"] {
        let seen = portal.requests_to(route).remove(0);
        assert!(
            seen.path.contains("/content/users/colleague/"),
            "{}",
            seen.path
        );
    }
}

#[test]
fn an_export_lands_in_the_root_folder_and_is_deleted_there() {
    let (portal, _job) = city("geojson");
    for seen in portal.requests_to("delete") {
        assert!(
            seen.path.contains("/content/users/gis_backup/items/"),
            "{}",
            seen.path
        );
    }
}
