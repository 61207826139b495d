//! From GeoJSON in WGS84, as rows keep it, to what a query asks for.

use serde_json::{Map, Value, json};

/// The frame of an answer: the spatial reference (4326 or 3857), heights, measures.
#[derive(Clone, Copy)]
pub struct Frame {
    pub wkid: u32,
    pub z: bool,
    pub m: bool,
}

/// GeoJSON knows no measures.
pub fn geojson(shape: &Value, frame: Frame) -> String {
    let at = positions(&shape["coordinates"], Frame { m: false, ..frame });
    format!("{{\"type\":{},\"coordinates\":{at}}}", shape["type"])
}

/// Esri's form: parts in one flat list, outer rings clockwise.
pub fn esri(shape: &Value, frame: Frame) -> Value {
    let at = positions(&shape["coordinates"], frame);
    match shape["type"].as_str().unwrap_or_default() {
        "Point" => point(&at, frame),
        "MultiPoint" => json!({ "points": at }),
        "LineString" => json!({"paths": [at]}),
        "MultiLineString" => json!({ "paths": at }),
        "Polygon" => json!({"rings": list(&at).iter().map(turned).collect::<Vec<_>>()}),
        _ => json!({"rings": list(&at).iter().flat_map(list).map(turned).collect::<Vec<_>>()}),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// RFC 7946 and Esri wind their rings the opposite way.
fn turned(ring: &Value) -> Value {
    list(ring).iter().rev().cloned().collect()
}

fn point(at: &Value, frame: Frame) -> Value {
    let names = [("x", true), ("y", true), ("z", frame.z), ("m", frame.m)];
    let present = names
        .into_iter()
        .filter(|(_, present)| *present)
        .map(|(name, _)| name.to_owned());
    Value::Object(present.zip(list(at).iter().cloned()).collect::<Map<_, _>>())
}

fn positions(value: &Value, frame: Frame) -> Value {
    match list(value).first() {
        Some(Value::Number(_)) => position(list(value), frame),
        _ => list(value)
            .iter()
            .map(|part| positions(part, frame))
            .collect(),
    }
}

fn position(numbers: &[Value], frame: Frame) -> Value {
    let number = |index: usize| {
        numbers
            .get(index)
            .and_then(Value::as_f64)
            .unwrap_or_default()
    };
    let mut out = match frame.wkid {
        3857 => mercator(number(0), number(1)).to_vec(),
        _ => vec![number(0), number(1)],
    };
    out.extend(frame.z.then(|| number(2)));
    out.extend(frame.m.then(|| number(3)));
    json!(out)
}

/// A bare position in the frame.
pub fn placed([longitude, latitude]: [f64; 2], frame: Frame) -> [f64; 2] {
    if frame.wkid == 3857 {
        mercator(longitude, latitude)
    } else {
        [longitude, latitude]
    }
}

/// Spherical Web Mercator, in metres.
fn mercator(longitude: f64, latitude: f64) -> [f64; 2] {
    const RADIUS: f64 = 6_378_137.0;
    let half = std::f64::consts::FRAC_PI_4 + latitude.to_radians() / 2.0;
    [RADIUS * longitude.to_radians(), RADIUS * half.tan().ln()]
}
