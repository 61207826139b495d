//! Rows as text: Esri JSON, GeoJSON, CSV.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::call::Call;
use super::geometry::{self, Frame};
use super::layer::{Field, Generated, Layer, Row, Rows};
use super::query::carries_geometry;
use super::reply::Reply;
use super::service::{geometry_type, reference};

/// Writing to a `String` cannot fail.
macro_rules! put {
    ($text:expr, $($what:tt)*) => { write!($text, $($what)*).expect("text grows") };
}

/// What of a row is wanted, and in which frame.
pub struct Look {
    frame: Frame,
    geometry: bool,
    fields: Vec<usize>,
}

impl Look {
    pub fn asked(layer: &Layer, call: &Call) -> Result<Self, Reply> {
        let geojson = call.param("f") == Some("geojson");
        let native = if geojson { 4326 } else { layer.wkid };
        let wkid = match call.param("outSR") {
            None => native,
            Some("4326") => 4326,
            Some("3857" | "102100") => 3857,
            Some(_) => return Err(Reply::bad_query("'outSR' is invalid")),
        };
        let frame = Frame {
            wkid,
            z: layer.has_z && call.flag("returnZ"),
            m: layer.has_m && call.flag("returnM"),
        };
        let geometry = carries_geometry(layer) && call.param("returnGeometry") != Some("false");
        Ok(Self {
            frame,
            geometry,
            fields: fields(layer, call.param("outFields")),
        })
    }

    /// Everything that GeoJSON can hold.
    pub fn whole(layer: &Layer) -> Self {
        let frame = Frame {
            wkid: 4326,
            z: layer.has_z,
            m: false,
        };
        Self {
            frame,
            geometry: carries_geometry(layer),
            fields: fields(layer, Some("*")),
        }
    }
}

/// Without `outFields` only the object id comes.
fn fields(layer: &Layer, asked: Option<&str>) -> Vec<usize> {
    let asked = asked.unwrap_or_default();
    let named = |field: &Field| {
        asked
            .split(',')
            .any(|name| name.trim().eq_ignore_ascii_case(&field.name))
    };
    let wanted =
        |(_, field): &(usize, &Field)| field.carried() && (asked.trim() == "*" || named(field));
    layer
        .fields
        .iter()
        .enumerate()
        .filter(wanted)
        .map(|(index, _)| index)
        .collect()
}

pub fn field_json(field: &Field) -> Value {
    json!({"name": field.name, "type": format!("esriFieldType{}", field.kind), "alias": field.alias,
           "sqlType": "sqlTypeOther", "nullable": true, "editable": true, "visible": true, "domain": field.domain,
           "defaultValue": null})
}

/// A page in `f=json`.
pub fn json_page(layer: &Layer, rows: &[usize], look: &Look, more: bool) -> String {
    let mut head = json!({"objectIdFieldName": layer.oid_field, "globalIdFieldName": "",
                          "uniqueIdField": {"name": layer.oid_field, "isSystemMaintained": true}});
    if let Some(kind) = geometry_type(layer.shape) {
        head["geometryType"] = kind.into();
        head["spatialReference"] = reference(look.frame.wkid);
    }
    for (name, present) in [
        ("hasZ", look.frame.z),
        ("hasM", look.frame.m),
        ("exceededTransferLimit", more),
    ] {
        if present {
            head[name] = true.into();
        }
    }
    let oid = json!({"name": layer.oid_field, "type": "esriFieldTypeOID", "alias": layer.oid_field,
                     "sqlType": "sqlTypeOther", "domain": null, "defaultValue": null});
    let others = look
        .fields
        .iter()
        .filter_map(|index| layer.fields.get(*index))
        .map(field_json);
    head["fields"] = [oid].into_iter().chain(others).collect();
    let mut text = head.to_string();
    text.pop();
    text.push_str(",\"features\":[");
    join(&mut text, rows, |text, index| {
        json_row(text, layer, index, look);
    });
    text.push_str("]}");
    text
}

fn json_row(text: &mut String, layer: &Layer, index: usize, look: &Look) {
    text.push_str("{\"attributes\":{");
    attributes(text, layer, index, look);
    text.push('}');
    if let (true, Rows::Generated(_)) = (look.geometry, &*layer.rows) {
        let [x, y] = geometry::placed(made_up_place(index), look.frame);
        put!(text, ",\"geometry\":{{\"x\":{x},\"y\":{y}}}");
    } else if look.geometry
        && let Some(shape) = shape(layer, index)
    {
        put!(text, ",\"geometry\":{}", geometry::esri(&shape, look.frame));
    }
    text.push('}');
}

/// Where GeoJSON says that there is more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    Absent,
    /// Under `properties`, as it should be.
    Proper,
    /// Beside `type`.
    Top,
    /// Under `properties`, behind the rows.
    Last,
}

/// A page in `f=geojson`.
pub fn geojson_page(layer: &Layer, rows: &[usize], look: &Look, flag: Flag) -> String {
    let mut text = String::from("{\"type\":\"FeatureCollection\",");
    if look.frame.wkid != 4326 {
        put!(
            text,
            "\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"EPSG:{}\"}}}},",
            look.frame.wkid
        );
    }
    text.push_str(match flag {
        Flag::Absent | Flag::Last => "",
        Flag::Top => "\"exceededTransferLimit\":true,",
        Flag::Proper => "\"properties\":{\"exceededTransferLimit\":true},",
    });
    text.push_str("\"features\":[");
    join(&mut text, rows, |text, index| {
        geojson_row(text, layer, index, look);
    });
    text.push_str(if flag == Flag::Last {
        "],\"properties\":{\"exceededTransferLimit\":true}}"
    } else {
        "]}"
    });
    text
}

fn geojson_row(text: &mut String, layer: &Layer, index: usize, look: &Look) {
    put!(
        text,
        "{{\"type\":\"Feature\",\"id\":{},\"geometry\":",
        layer.rows.oid(index)
    );
    let made_up = look.geometry && matches!(&*layer.rows, Rows::Generated(_));
    match shape(layer, index).filter(|_| look.geometry) {
        Some(_) if made_up => {
            let [x, y] = geometry::placed(made_up_place(index), look.frame);
            put!(text, "{{\"type\":\"Point\",\"coordinates\":[{x},{y}]}}");
        }
        Some(shape) => put!(text, "{}", geometry::geojson(&shape, look.frame)),
        None => text.push_str("null"),
    }
    text.push_str(",\"properties\":{");
    attributes(text, layer, index, look);
    text.push_str("}}");
}

/// The whole layer as an exported GeoJSON file.
pub fn collection(layer: &Layer) -> String {
    let rows: Vec<usize> = (0..layer.rows.len()).collect();
    geojson_page(layer, &rows, &Look::whole(layer), Flag::Absent)
}

fn join(text: &mut String, rows: &[usize], write: impl Fn(&mut String, usize)) {
    text.reserve(rows.len() * 200);
    for (count, index) in rows.iter().enumerate() {
        if count > 0 {
            text.push(',');
        }
        write(text, *index);
    }
}

pub fn attributes(text: &mut String, layer: &Layer, index: usize, look: &Look) {
    put!(text, "\"{}\":{}", layer.oid_field, layer.rows.oid(index));
    match &*layer.rows {
        Rows::Generated(made) if !look.fields.is_empty() => made_up(text, *made, index),
        Rows::Generated(_) => {}
        Rows::Listed(rows) => {
            for field in look
                .fields
                .iter()
                .filter_map(|field| layer.fields.get(*field))
            {
                let value = rows
                    .get(index)
                    .and_then(|row: &Row| row.values.get(&field.name))
                    .unwrap_or(&Value::Null);
                put!(text, ",{}:{value}", Value::from(field.name.as_str()));
            }
        }
    }
}

fn made_up(text: &mut String, made: Generated, index: usize) {
    const KINDS: [&str; 4] = ["Linden", "Maple", "Plane", "Oak"];
    let (oid, height) = (made.oid(index), 4 + index % 23);
    let kind = KINDS.get(index % KINDS.len()).unwrap_or(&"Oak");
    let surveyed = super::MADE + oid * 60_000;
    put!(
        text,
        ",\"NAME\":\"Tree {oid}\",\"KIND\":\"{kind}\",\"HEIGHT\":{height}.5,\"SURVEYED\":{surveyed}"
    );
    if made.filler > 0 {
        put!(text, ",\"REMARKS\":\"{:x<1$}\"", "", made.filler);
    }
}

pub fn shape(layer: &Layer, index: usize) -> Option<Value> {
    match &*layer.rows {
        Rows::Listed(rows) => rows.get(index).and_then(|row| row.geometry.clone()),
        Rows::Generated(_) => Some(json!({"type": "Point", "coordinates": made_up_place(index)})),
    }
}

/// A grid of a thousand by a thousand places.
fn made_up_place(index: usize) -> [f64; 2] {
    [
        12.1 + to_f64(index % 1000) * 0.0002,
        50.8 + to_f64(index / 1000 % 1000) * 0.0001,
    ]
}

fn to_f64(small: usize) -> f64 {
    f64::from(u32::try_from(small).unwrap_or(0))
}
