//! The city's geography: where its streets, parks and trails lie, around 12.14° east, 50.83° north.

use serde_json::{Value, json};

const CENTRE: [f64; 2] = [12.142, 50.832];

/// Street names for addresses.
pub const STREETS: [&str; 10] = [
    "Mill Lane",
    "Market Square",
    "Station Road",
    "Linden Avenue",
    "Castle Hill",
    "Riverside",
    "Weaver Street",
    "St. Anne's Way",
    "Grüner Weg",
    "Harbour Street",
];

/// A position so many ten-thousandths of a degree from the centre, to six decimals.
pub fn at(east: f64, north: f64) -> [f64; 2] {
    let [x, y] = CENTRE;
    [round(x + east * 1e-4), round(y + north * 1e-4)]
}

fn round(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

/// A point along the street grid; neighbours differ a little, so that no two coincide.
pub fn on_street(number: i64) -> Value {
    let step =
        |every: i64, times: f64| times * f64::from(i32::try_from(number % every).unwrap_or(0));
    let east = step(10, 14.0) + step(7, 1.3) - 70.0;
    let north = step(25, 6.5) + step(11, 0.9) - 80.0;
    json!({"type": "Point", "coordinates": at(east, north)})
}

/// A closed ring around a middle, anticlockwise as RFC 7946 has outer rings.
fn ring(middle: [f64; 2], radius: f64, corners: u32) -> Vec<[f64; 2]> {
    let corner = |index: u32| {
        let angle = f64::from(index % corners) / f64::from(corners) * std::f64::consts::TAU;
        let [x, y] = middle;
        at(x + radius * 1.5 * angle.cos(), y + radius * angle.sin())
    };
    (0..=corners).map(corner).collect()
}

/// A park without a pond.
pub fn lawn(middle: [f64; 2], radius: f64) -> Value {
    json!({"type": "Polygon", "coordinates": [ring(middle, radius, 12)]})
}

/// A park with a pond in its middle, which is a hole.
pub fn park_with_pond(middle: [f64; 2], radius: f64) -> Value {
    json!({"type": "Polygon", "coordinates": [ring(middle, radius, 16), pond(middle, radius)]})
}

/// Two lawns on either side of a street, one of them with a pond.
pub fn park_in_two(middle: [f64; 2], radius: f64) -> Value {
    let [x, y] = middle;
    let other = [x + radius * 4.0, y];
    json!({"type": "MultiPolygon",
           "coordinates": [[ring(middle, radius, 12), pond(middle, radius)], [ring(other, radius, 8)]]})
}

fn pond(middle: [f64; 2], radius: f64) -> Vec<[f64; 2]> {
    ring(middle, radius / 4.0, 8).into_iter().rev().collect()
}

/// A winding trail with heights.
pub fn trail(start: [f64; 2], steps: u32) -> Value {
    let position = |step: u32| {
        let (along, [x, y]) = (f64::from(step), start);
        let [east, north] = at(x + along * 4.0, y + (along * 0.7).sin() * 6.0);
        [east, north, 212.0 + (along * 3.0 % 40.0)]
    };
    let line: Vec<_> = (0..steps).map(position).collect();
    json!({"type": "LineString", "coordinates": line})
}

/// A trail that a road interrupts.
pub fn broken_trail(start: [f64; 2], steps: u32) -> Value {
    let [x, y] = start;
    let parts = [trail(start, steps), trail([x, y + 30.0], steps)];
    let lines: Vec<&Value> = parts.iter().map(|part| &part["coordinates"]).collect();
    json!({"type": "MultiLineString", "coordinates": lines})
}
