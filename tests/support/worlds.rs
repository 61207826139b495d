//! Ready catalogues: an invented city for the demo, and small worlds for one question each.

mod city;
mod documents;
mod files;
mod places;
mod records;

use serde_json::{Map, Value, json};

pub use city::city;
pub use files::{jpeg, pdf, png};

use super::portal::{Catalogue, Data, Generated, Item, Layer, Row, Service, Shape};

/// Members of a JSON object, as rows take them.
pub fn values(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A point in WGS84.
pub fn point(longitude: f64, latitude: f64) -> Value {
    json!({"type": "Point", "coordinates": [longitude, latitude]})
}

pub fn row(oid: i64, object: Value, geometry: Option<Value>) -> Row {
    Row {
        oid,
        values: values(object),
        geometry,
    }
}

/// An account that owns nothing.
pub fn empty() -> Catalogue {
    Catalogue::default()
}

/// One hosted service of this one layer, titled like the layer; its name has `_` for spaces.
pub fn one_layer(layer: Layer) -> Catalogue {
    let mut world = empty();
    let name = layer.name.clone();
    let service = name.replace(' ', "_");
    world.add_service(
        Item::new("Feature Service", &name),
        Service::new(&service, vec![layer]),
    );
    world
}

/// A layer of that many points, made up on the fly: layer 0 of the service `Trees`.
pub fn big_layer(rows: usize) -> Catalogue {
    let mut world = one_layer(trees(rows));
    world.settings.gzip = false; // slower here than the bytes it saves
    world
}

/// The layer `Trees`: ids from 1, one left out after every 1000.
pub fn trees(rows: usize) -> Layer {
    let made = Generated {
        count: rows,
        first_oid: 1,
        gap_every: 1000,
        filler: 0,
    };
    Layer::new(0, "Trees", Shape::Point).generated(made)
}

/// The layer `Notes` of a few rows with a number and a text: for tests that edit.
pub fn notes(rows: i64) -> Layer {
    let made = |oid: i64| {
        let (x, y) = (f64::from(i32::try_from(oid).unwrap_or(0)), 50.0);
        row(
            oid,
            json!({"NOTE": format!("note {oid}"), "LEVEL": oid % 5}),
            Some(point(12.0 + x / 1000.0, y)),
        )
    };
    Layer::new(0, "Notes", Shape::Point)
        .field("NOTE", "String", "Note")
        .field("LEVEL", "Integer", "Level")
        .rows((1..=rows).map(made).collect())
}

/// The service `Office` with two layers, and the map `Handbook`.
pub fn small_office() -> Catalogue {
    let mut world = empty();
    let (desks, mut chairs) = (notes(3), notes(5));
    chairs.id = 1;
    "Chairs".clone_into(&mut chairs.name);
    world.add_service(
        Item::new("Feature Service", "Office"),
        Service::new("Office", vec![desks, chairs]),
    );
    let mut handbook = Item::new("Web Map", "Handbook");
    handbook.data = Data::Json(r#"{"operationalLayers":[],"version":"2.31"}"#.to_owned());
    world.add_item(handbook);
    world
}

/// Services `Points_0` … of one layer with 400 points each.
pub fn many_services(count: usize) -> Catalogue {
    services_with(count, 400)
}

/// The same with that many points.
pub fn services_with(count: usize, points: usize) -> Catalogue {
    let mut world = empty();
    for number in 0..count {
        let made = Generated {
            count: points,
            first_oid: 1,
            gap_every: 0,
            filler: 0,
        };
        let layer = Layer::new(0, "Points", Shape::Point).generated(made);
        let item = Item::new("Feature Service", &format!("Points {number}"));
        world.add_service(item, Service::new(&format!("Points_{number}"), vec![layer]));
    }
    world
}

/// That many small web maps, a quarter of them in the folder `Maps`.
pub fn large_listing(count: usize) -> Catalogue {
    let mut world = empty();
    let folder = world.add_folder(super::portal::USER, "Maps");
    for number in 0..count {
        let mut item = Item::new("Web Map", &format!("Map {number}"));
        item.created += i64::try_from(number).unwrap_or(0);
        item.folder = (number % 4 == 0).then(|| folder.clone());
        item.data = Data::Json(r#"{"operationalLayers":[],"version":"2.31"}"#.to_owned());
        world.items.push(item);
    }
    world
}
