//! What becomes of a row: GeoJSON, Esri JSON, or a note that says why not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{all, backed_up, numbered, param, services, text};
use crate::support::portal::{FakePortal, Item, Layer, Service, Shape};
use crate::support::run::Job;
use crate::support::worlds;

#[test]
fn heights_are_asked_for_and_kept() {
    let (portal, job) = backed_up(worlds::city());
    let rows = job.archive().content("Trails", "rows");
    assert_eq!(
        rows["features"][0]["geometry"]["coordinates"][0]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    for seen in portal.requests_to("query") {
        let expected = seen.path.contains("Trails/").then_some("true");
        assert_eq!(param(&seen, "returnZ"), expected, "{}", seen.path);
    }
}

#[test]
fn measures_are_kept_where_the_format_has_room() {
    let measured = json!({"type": "Point", "coordinates": [12.0, 50.0, 7.5, 3.25]});
    let layer = Layer::new(0, "Posts", Shape::Point)
        .rows(vec![worlds::row(1, json!({}), Some(measured))])
        .with(|layer| (layer.has_z, layer.has_m, layer.wkid) = (true, true, 4326));
    let portal = FakePortal::start_blocking(worlds::one_layer(layer));
    let job = Job::against(&portal).with("BACKUP_FORMATS", "esrijson");
    job.run().ended(0);
    let geometry = &job.archive().content("Posts", "rows")["features"][0]["geometry"];
    assert_eq!(
        geometry,
        &json!({"x": 12.0, "y": 50.0, "z": 7.5, "m": 3.25})
    );
}

#[test]
fn a_table_is_asked_for_no_geometry_and_becomes_a_collection_without() {
    let (portal, job) = backed_up(worlds::city());
    for seen in portal
        .requests_to("query")
        .iter()
        .filter(|seen| seen.path.contains("Budget/"))
    {
        let spatial = seen.params.keys().filter(|name| {
            name.starts_with("returnGeometry") || name.contains("SR") || name.starts_with("returnZ")
        });
        assert_eq!(spatial.count(), 0, "{:?}", seen.params);
    }
    let rows = job.archive().content("Budget", "rows");
    assert_eq!(rows["type"], "FeatureCollection");
    let features = rows["features"].as_array().expect("features");
    assert_eq!(features.len(), 50);
    assert!(
        features
            .iter()
            .all(|row| row["type"] == "Feature" && row["geometry"] == Value::Null)
    );
}

#[test]
fn a_layer_without_rows_is_a_collection_without_features() {
    let portal = FakePortal::start_blocking(services(vec![numbered("Empty", [])]));
    let job = Job::against(&portal).with("BACKUP_FORMATS", "geojson,esrijson");
    job.run().ended(0);
    let archive = job.archive();
    let files = archive.files_of("Empty", "rows");
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!(
            (&file["rows"], &file["server_rows"]),
            (&json!(0), &json!(0))
        );
        let rows = archive.json(file["path"].as_str().expect("a path"));
        assert_eq!(rows["features"], json!([]));
        let geojson = file["format"] == "geojson";
        assert_eq!(rows["type"] == "FeatureCollection", geojson);
        assert_eq!(rows["fields"].is_array(), !geojson);
    }
}

#[test]
fn esri_json_is_one_feature_set_that_loses_nothing() {
    let row = |oid: i64| {
        let values = json!({"BIG": 9_007_199_254_740_993_i64 + oid});
        worlds::row(oid, values, Some(worlds::point(12.1, 50.8)))
    };
    let layer = numbered("Parcels", [])
        .field("BIG", "BigInteger", "Big")
        .rows((1..=25).map(row).collect());
    let portal = FakePortal::start_blocking(services(vec![layer]));
    let job = Job::against(&portal).with("BACKUP_FORMATS", "esrijson");
    job.run().ended(0);
    let set = job.archive().content("Parcels", "rows");
    let names: Vec<&Value> = set["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| &field["name"])
        .collect();
    assert_eq!(names, ["OBJECTID", "NOTE", "BIG"]);
    assert_eq!(
        set["spatialReference"],
        json!({"wkid": 102_100, "latestWkid": 3857})
    );
    assert_eq!(set["geometryType"], "esriGeometryPoint");
    let features = set["features"].as_array().expect("features");
    let ids: Vec<_> = features
        .iter()
        .filter_map(|row| row["attributes"]["OBJECTID"].as_i64())
        .collect();
    assert_eq!(ids, all(1..=25));
    assert!(
        features[0]["geometry"]["x"].as_f64() > Some(1e6),
        "native coordinates"
    );
    assert!(
        set.get("exceededTransferLimit").is_none(),
        "the set is whole"
    );
    assert!(text(&job, "Parcels").contains("9007199254740994"));
}

#[test]
fn a_layer_can_be_kept_in_both_formats() {
    let portal = FakePortal::start_blocking(worlds::one_layer(worlds::notes(7)));
    let job = Job::against(&portal).with("BACKUP_FORMATS", "geojson, esrijson");
    job.run().ended(0);
    let files = job.archive().files_of("Notes", "rows");
    let formats: BTreeSet<_> = files
        .iter()
        .filter_map(|file| file["format"].as_str())
        .collect();
    assert_eq!(formats, BTreeSet::from(["geojson", "esrijson"]));
    assert!(
        files
            .iter()
            .all(|file| file["rows"] == 7 && file["method"] == "query")
    );
    assert_eq!(job.archive().entry("Notes")["rows"], json!(14));
}

#[test]
fn what_no_query_carries_is_noted_and_no_failure() {
    let mut world = worlds::city();
    let mesh =
        Layer::new(0, "Houses", Shape::MultiPatch).rows(vec![worlds::row(1, json!({}), None)]);
    world.add_service(
        Item::new("Feature Service", "Houses"),
        Service::new("Houses", vec![mesh]),
    );
    let mut closed = Service::new("Closed", vec![worlds::notes(3)]);
    closed.capabilities = "Create,Editing".to_owned();
    world.add_service(Item::new("Feature Service", "Closed"), closed);
    let (_portal, job) = backed_up(world);
    let codes = |title: &str| BTreeSet::from_iter(job.archive().notes(title));
    let set = |codes: &[&str]| {
        codes
            .iter()
            .map(|code| (*code).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        codes("Inspections"),
        set(&["group_layer", "field_not_carried"])
    );
    assert_eq!(codes("Houses"), set(&["multipatch", "rows_not_readable"]));
    assert_eq!(codes("Closed"), set(&["rows_not_readable"]));
    assert!(job.archive().files_of("Closed", "rows").is_empty());
    assert_eq!(job.archive().files_of("Inspections", "rows").len(), 3);
}

#[test]
fn the_columns_of_a_mesh_are_kept_as_esri_json() {
    let mesh = Layer::new(0, "Houses", Shape::MultiPatch)
        .field("OWNER", "String", "Owner")
        .rows(vec![worlds::row(1, json!({"OWNER": "city"}), None)]);
    let portal = FakePortal::start_blocking(worlds::one_layer(mesh));
    let job = Job::against(&portal).with("BACKUP_FORMATS", "esrijson");
    job.run().ended(0);
    assert_eq!(
        job.archive().content("Houses", "rows")["features"][0]["attributes"]["OWNER"],
        "city"
    );
    assert_eq!(job.archive().notes("Houses"), ["multipatch"]);
}

#[test]
fn a_layer_that_speaks_no_geojson_is_exported_instead() {
    let speaking =
        |formats: &str| worlds::notes(5).with(|layer| formats.clone_into(&mut layer.formats));
    for (formats, method) in [("JSON, PBF", "export"), ("JSON, AMF, GEOJSON", "query")] {
        let portal = FakePortal::start_blocking(worlds::one_layer(speaking(formats)));
        let job = Job::against(&portal);
        job.run().ended(0);
        let files = job.archive().files_of("Notes", "rows");
        assert_eq!(
            (&files[0]["method"], &files[0]["rows"]),
            (&json!(method), &json!(5))
        );
        assert!(portal.exports_left().is_empty());
    }
}
