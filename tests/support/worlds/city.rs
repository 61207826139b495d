//! The city of Lindenau: a dozen and more items as a GIS office has them, oddities included.

use serde_json::{Value, json};

use super::super::portal::{Catalogue, Item, Layer, MADE, Row, Service, Shape, USER, hex_id};
use super::documents::{documents, maps};
use super::files::{jpeg, pdf, png};
use super::records::{budget, inspections};
use super::{places, row};

pub const DAY: i64 = 86_400_000;

/// The demo's world. Services: `Hydrants` (250 rows, attachments), `Trails`, `Parks`, `Inspections` (a group, two
/// layers, a table), `Hydrants_public` (a view), `Budget` (a table alone), `Traffic` (by reference).
pub fn city() -> Catalogue {
    let mut world = Catalogue::default();
    let parks = world.add_folder(USER, "Parks");
    world.add_folder(USER, "Drafts"); // empty
    let hydrants = world.add_service(
        described("Hydrants", "Fire hydrants of the city"),
        hydrants(),
    );
    world.add_service(
        in_folder(described("Trails", "Walking trails"), &parks),
        trails(),
    );
    let lawns = world.add_service(
        in_folder(described("Parks", "Parks and gardens"), &parks),
        parks_service(),
    );
    world.add_service(
        described("Inspections", "What the inspectors found"),
        inspections(),
    );
    view(&mut world, &hydrants);
    world.add_service(
        described("Budget", "Spending by office, a table without a map"),
        budget(),
    );
    referenced(&mut world);
    maps(&mut world, &hydrants, &lawns);
    documents(&mut world, &parks);
    world
}

/// A feature service's item with what most of them have.
fn described(title: &str, snippet: &str) -> Item {
    let mut item = Item::new("Feature Service", title);
    item.snippet = Some(snippet.to_owned());
    item.description = Some(format!("<p>{snippet}. Kept by the city's GIS office.</p>"));
    item.tags = vec!["lindenau".to_owned(), title.to_lowercase()];
    item.thumbnail = Some(png(60, 40, [38, 110, 92]));
    item.extent = json!([[12.12, 50.82], [12.17, 50.85]]);
    "org".clone_into(&mut item.access);
    item
}

pub fn in_folder(mut item: Item, folder: &str) -> Item {
    item.folder = Some(folder.to_owned());
    item
}

/// Object ids with gaps: every tenth hydrant was taken away.
fn hydrants() -> Service {
    let oids = (1..).filter(|oid| oid % 10 != 0).take(250);
    let mut layer = Layer::new(0, "Hydrants", Shape::Point)
        .field("LABEL", "String", "Label")
        .field("STREET", "String", "Street")
        .field("KIND", "String", "Kind")
        .field("PRESSURE", "Double", "Pressure (bar)")
        .field("INSTALLED", "Date", "Installed on")
        .field("SECRET_KEY", "String", "Cabinet key")
        .rows(oids.map(hydrant).collect());
    if let Some(kind) = layer.fields.iter_mut().find(|field| field.name == "KIND") {
        kind.domain = json!({"type": "codedValue", "name": "hydrant_kind", "codedValues":
            [{"name": "Pillar", "code": "P"}, {"name": "Underground", "code": "U"}]});
    }
    for oid in [1, 7, 42, 111] {
        layer.attach(
            oid,
            "Photo 1.jpg",
            jpeg(u8::try_from(oid).unwrap_or(0), 3000),
        );
    }
    layer.attach(7, "Photo 1.jpg", jpeg(99, 1200)); // the same name twice
    layer.attach(
        42,
        "../report: 50% / \"final\".pdf",
        pdf("Hydrant 42, inspected"),
    );
    layer.attach(111, "empty.txt", "");
    Service::new("Hydrants", vec![layer])
}

fn hydrant(oid: i64) -> Row {
    let number = usize::try_from(oid).unwrap_or(0);
    let street = places::STREETS.get(number % places::STREETS.len()).copied();
    let tenths = i32::try_from(38 + oid % 27).unwrap_or(0);
    let pressure = if oid % 17 == 0 {
        Value::Null
    } else {
        json!(f64::from(tenths) / 10.0)
    };
    let attributes = json!({"LABEL": format!("H-{oid:04}"), "STREET": street, "PRESSURE": pressure,
        "KIND": if oid % 3 == 0 { "U" } else { "P" }, "INSTALLED": MADE - (oid * 37 % 9000) * DAY,
        "SECRET_KEY": format!("K{}", oid * 7 % 100)});
    row(oid, attributes, Some(places::on_street(oid)))
}

/// Lines with heights, in Web Mercator, some in several parts.
fn trails() -> Service {
    const NAMES: [&str; 8] = [
        "River Trail",
        "Old Railway",
        "Castle Loop",
        "Mill Path",
        "Vineyard Way",
        "Heron Walk",
        "Forest Circuit",
        "Pilgrims' Path",
    ];
    let trail = |(number, name): (i32, &&str)| {
        let start = [
            f64::from(number) * 9.0 - 60.0,
            f64::from(number) * 11.0 - 50.0,
        ];
        let steps = 8 + number.unsigned_abs() * 3;
        let line = if number % 3 == 2 {
            places::broken_trail(start, steps)
        } else {
            places::trail(start, steps)
        };
        let attributes = json!({"Name": name, "Surface": if number % 2 == 0 { "gravel" } else { "asphalt" },
                                "Length_km": f64::from(12 + number * 7) / 10.0, "Guid": hex_id(name)});
        row(i64::from(number), attributes, Some(line)) // the first object id is 0
    };
    let layer = Layer::new(0, "Trails", Shape::Line)
        .field("Name", "String", "Name")
        .field("Surface", "String", "Surface")
        .field("Length_km", "Double", "Length (km)")
        .field("Guid", "GUID", "Key")
        .rows((0..).zip(&NAMES).map(trail).collect())
        .with(|layer| {
            "FID".clone_into(&mut layer.oid_field);
            layer.oid_as_integer = true;
            layer.has_z = true;
        });
    Service::new("Trails", vec![layer])
}

/// Polygons in WGS84: ponds as holes, one park in two parts, one that nobody has drawn yet.
fn parks_service() -> Service {
    let park = |oid: i64, name: &str, hectares: f64, shape: Option<Value>| {
        let note = if shape.is_some() {
            Value::Null
        } else {
            json!("boundary to be surveyed")
        };
        let attributes = json!({"name": name, "hectares": hectares, "opened": format!("19{:02}-05-01", 20 + oid * 9),
                                "parcel_no": 9_007_199_254_740_993_i64 + oid, "note": note});
        row(oid, attributes, shape)
    };
    let rows = vec![
        park(
            1,
            "Stadtpark",
            14.2,
            Some(places::park_with_pond([0.0, 10.0], 12.0)),
        ),
        park(
            2,
            "Rose Garden",
            1.6,
            Some(places::lawn([-40.0, 22.0], 4.0)),
        ),
        park(
            3,
            "Twin Meadows",
            8.9,
            Some(places::park_in_two([35.0, -20.0], 7.0)),
        ),
        park(
            4,
            "Jardín de la Amistad “Änne”",
            0.4,
            Some(places::lawn([-15.0, -35.0], 2.0)),
        ),
        park(5, "Quarry Park", 5.0, None),
        park(
            8,
            "Schlossgarten",
            22.7,
            Some(places::park_with_pond([52.0, 40.0], 15.0)),
        ),
    ];
    let layer = Layer::new(0, "Parks", Shape::Polygon)
        .field("name", "String", "Name")
        .field("hectares", "Double", "Area (ha)")
        .field("opened", "DateOnly", "Opened on")
        .field("parcel_no", "BigInteger", "Parcel number")
        .field("note", "String", "Note")
        .rows(rows)
        .with(|layer| {
            "objectid".clone_into(&mut layer.oid_field);
            layer.wkid = 4326;
        });
    Service::new("Parks", vec![layer])
}

/// The public sees fewer columns.
fn view(world: &mut Catalogue, source: &str) {
    let mut layer = Layer::new(0, "Hydrants", Shape::Point)
        .field("LABEL", "String", "Label")
        .field("STREET", "String", "Street");
    layer
        .extra
        .insert("viewDefinitionQuery".to_owned(), "".into());
    let mut service = Service::new("Hydrants_public", vec![layer]);
    service.view_of = Some("Hydrants".to_owned());
    let mut item = described("Hydrants (public view)", "Hydrants for everybody");
    "public".clone_into(&mut item.access);
    item.related = vec![source.to_owned()];
    world.add_service(item, service);
}

/// Registered in the portal, kept on another server that knows nothing of our tokens.
fn referenced(world: &mut Catalogue) {
    let count = |oid: i64| {
        row(
            oid,
            json!({"CARS": 400 + oid * 13 % 700}),
            Some(places::on_street(oid)),
        )
    };
    let layer = Layer::new(0, "Counts", Shape::Point).field("CARS", "Integer", "Cars a day");
    let mut service = Service::new("Traffic", vec![layer.rows((1..=12).map(count).collect())]);
    service.hosted = false;
    world.add_service(
        described("Traffic counts", "By reference, from the county's server"),
        service,
    );
}
