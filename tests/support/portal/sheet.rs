//! A layer as an exported CSV file.

use serde_json::Value;

use super::features::{Look, attributes, shape};
use super::layer::Layer;

/// The whole layer as an exported CSV file, points with x and y.
pub fn csv(layer: &Layer) -> String {
    let names = layer
        .fields
        .iter()
        .filter(|field| field.carried())
        .map(|field| field.name.as_str());
    let names: Vec<&str> = [layer.oid_field.as_str()]
        .into_iter()
        .chain(names)
        .collect();
    let mut lines = vec![[names.as_slice(), &["x", "y"]].concat().join(",")];
    lines.extend((0..layer.rows.len()).map(|index| line(layer, &names, index)));
    lines.join("\r\n") + "\r\n"
}

fn line(layer: &Layer, names: &[&str], index: usize) -> String {
    let mut row = String::from("{");
    attributes(&mut row, layer, index, &Look::whole(layer));
    let values: Value = serde_json::from_str(&(row + "}")).expect("attributes are JSON");
    let point = shape(layer, index).unwrap_or_default();
    let place = [&point["coordinates"][0], &point["coordinates"][1]];
    let cells = names
        .iter()
        .map(|name| &values[*name])
        .chain(place)
        .map(cell);
    cells.collect::<Vec<_>>().join(",")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null | Value::Array(_) => String::new(),
        Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        other => other.to_string(),
    }
}
