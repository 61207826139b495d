//! The city's maps, apps and files, with titles that would break a careless path.

use serde_json::json;

use super::super::portal::{Catalogue, Data, Item};
use super::city::in_folder;
use super::files::{pdf, png};

pub fn maps(world: &mut Catalogue, hydrants: &str, parks: &str) {
    let mut map = Item::new("Web Map", "City map");
    map.keywords = ["ArcGIS Online", "Map", "Web Map"]
        .map(str::to_owned)
        .to_vec();
    let layers = json!([{"id": "h", "itemId": hydrants, "title": "Hydrants", "layerType": "ArcGISFeatureLayer"},
                        {"id": "p", "itemId": parks, "title": "Parks", "layerType": "ArcGISFeatureLayer"}]);
    map.data = Data::Json(format!(
        "{:#}",
        json!({"version": "2.31", "operationalLayers": layers})
    ));
    map.resources = vec![
        (
            "images/legend one.png".to_owned(),
            png(24, 24, [200, 30, 30]),
        ),
        ("notes.json".to_owned(), r#"{"drawn":"by hand"}"#.into()),
    ];
    map.thumbnail = Some(png(60, 40, [90, 130, 200]));
    let map = world.add_item(map);
    let mut dashboard = Item::new("Dashboard", "Hydrant dashboard");
    dashboard.data = Data::Json(
        json!({"version": 30, "widgets": [{"type": "mapWidget", "itemId": map}]}).to_string(),
    );
    dashboard.related = vec![map];
    world.add_item(dashboard);
}

/// Files, and the user's own GeoJSON, which no sweep may touch.
pub fn documents(world: &mut Catalogue, parks: &str) {
    let file = |kind: &str, title: &str, name: &str, media: &'static str, bytes: bytes::Bytes| {
        let mut item = Item::new(kind, title);
        item.name = Some(name.to_owned());
        item.data = Data::File { media, bytes };
        item
    };
    let mut report = file(
        "PDF",
        "Annual report",
        "annual report 2025.pdf",
        "application/pdf",
        pdf("Annual report 2025"),
    );
    report.metadata =
        Some("<?xml version=\"1.0\"?><metadata><Esri/><dataIdInfo/></metadata>".to_owned());
    report.keywords = vec!["PDF".to_owned(), "Metadata".to_owned()];
    world.add_item(report);
    let trees = "id,kind,lon,lat\r\n1,Linden,12.141,50.831\r\n2,\"Maple, red\",12.146,50.834\r\n";
    world.add_item(file(
        "CSV",
        "Trees of Market Square",
        "trees.csv",
        "text/csv",
        trees.into(),
    ));
    let own = r#"{"type":"FeatureCollection","features":[]}"#;
    world.add_item(file(
        "GeoJson",
        "Survey 2019",
        "survey_2019.geojson",
        "application/geo+json",
        own.into(),
    ));
    let parks_csv = file(
        "CSV",
        "Parks",
        "parks.csv",
        "text/csv",
        "name,hectares\r\nStadtpark,14.2\r\n".into(),
    );
    world.add_item(in_folder(parks_csv, parks)); // a second item of that title
    let mut hostile = Item::new("Web Map", "../../etc/passwd <script> CON. \u{202e}地图 🗺 ");
    hostile.data = Data::Json(r#"{"operationalLayers":[],"version":"2.31"}"#.to_owned());
    world.add_item(hostile);
    let mut draft = Item::new("Web Map", "Scratch map");
    draft.tags = vec!["no-backup".to_owned()];
    draft.data = Data::Json("{}".to_owned());
    world.add_item(draft);
}
