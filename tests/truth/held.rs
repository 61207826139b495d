//! What an archive holds of an item, read as a stranger reads it, in the same words as what is expected.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::expected::{Groups, add_named, properties};
use crate::support::run::Archive;

/// The groups that a record names.
pub(super) fn groups(archive: &Archive, record: &Value) -> Groups {
    let mut groups = Groups::new();
    let mut named: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for file in record["files"].as_array().expect("files") {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        let (path, hash) = (text("path"), text("sha256"));
        match file["role"].as_str().expect("a role") {
            "item" => {
                let item = archive.json(&path);
                let item = if item["item"].is_object() {
                    &item["item"]
                } else {
                    &item
                };
                groups.insert("properties".to_owned(), properties(item));
            }
            role @ ("data" | "thumbnail" | "metadata") => {
                groups.insert(role.to_owned(), hash);
            }
            "resource" => {
                let files = named.entry("resources".to_owned()).or_default();
                files.push((text("name"), hash));
            }
            "layers" => {
                groups.insert("layers".to_owned(), layers(&archive.json(&path)));
            }
            "rows" => {
                let format = text("format");
                let name = format!("rows/{}/{format}", file["layer"]);
                let rows = rows(&archive.bytes(&path), &format);
                groups.insert(name, rows.join("\n"));
            }
            "export" => {
                let rows = packed(&archive.bytes(&path));
                groups.insert(format!("export/{}", text("format")), rows.join("\n"));
            }
            "attachment" => {
                let files = named.entry(format!("attachments/{}", file["layer"]));
                let place = [&file["object_id"], &file["attachment_id"], &file["name"]];
                files.or_default().push((json!(place).to_string(), hash));
            }
            _ => {}
        }
    }
    for (name, files) in named {
        add_named(&mut groups, &name, files);
    }
    groups
}

fn layers(document: &Value) -> String {
    let all = ["layers", "tables"].map(|name| document[name].as_array().expect("a list"));
    let mut ids: Vec<i64> = all
        .into_iter()
        .flatten()
        .map(|layer| layer["id"].as_i64().expect("an id"))
        .collect();
    ids.sort_unstable();
    json!(ids).to_string()
}

/// A line for each row.
fn rows(bytes: &[u8], format: &str) -> Vec<String> {
    if bytes.starts_with(b"PK") {
        return packed(bytes);
    }
    match format {
        "csv" => sheet(bytes),
        format => {
            let file: Value = serde_json::from_slice(bytes).expect("JSON");
            features(&file, format)
        }
    }
}

fn features(file: &Value, format: &str) -> Vec<String> {
    let features = file["features"].as_array().expect("features").iter();
    let line = |row: &Value| match format {
        "esrijson" => {
            let id = ["OBJECTID", "objectid", "FID"]
                .iter()
                .find_map(|name| row["attributes"].get(name));
            json!([id, row.get("geometry").is_some(), row["attributes"]])
        }
        _ => json!([
            row["id"],
            row["geometry"].get("coordinates"),
            row["properties"]
        ]),
    };
    features.map(|row| line(row).to_string()).collect()
}

/// The object id and the note of each row.
fn sheet(bytes: &[u8]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let records = reader.records().map(|record| record.expect("a row"));
    records
        .map(|record| json!([record[0], record[1]]).to_string())
        .collect()
}

/// The rows of the collections in a container, which the portal of the tests does not compress.
fn packed(bytes: &[u8]) -> Vec<String> {
    const BEGIN: &[u8] = b"{\"type\":\"FeatureCollection\"";
    let begins = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(BEGIN));
    let collection = |at: usize| {
        let mut values = serde_json::Deserializer::from_slice(&bytes[at..]).into_iter::<Value>();
        values.next().expect("a collection").expect("JSON")
    };
    begins
        .flat_map(|at| features(&collection(at), "geojson"))
        .collect()
}
