//! What a whole copy of an item holds, worked out from the portal's catalogue alone: text by group, so that a group of
//! an archive can be compared with the same group at any moment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::Wish;
use crate::support::portal::{Catalogue, Data, Item, Layer, Row, Rows, Service, USER};
use crate::support::run::sha256;

/// A group's name, such as `rows/0/geojson`, and what it holds.
pub(super) type Groups = BTreeMap<String, String>;

pub(super) fn is_temporary(item: &Item) -> bool {
    item.tags.iter().any(|tag| tag == "agol-backup-temporary")
}

pub(super) fn is_excluded(item: &Item) -> bool {
    item.tags.iter().any(|tag| tag == "no-backup")
}

/// The items that a pass is to keep, and those that it is to skip by name.
pub(super) fn selected<'w>(world: &'w Catalogue, wish: &Wish) -> Vec<&'w Item> {
    let everybody = wish.scope == "org";
    let wanted = |item: &&Item| !is_temporary(item) && (everybody || item.owner == USER);
    world.items.iter().filter(wanted).collect()
}

pub(super) fn groups(world: &Catalogue, item: &Item, wish: &Wish) -> Groups {
    let mut groups = parts(item);
    let service = item.service.as_ref().and_then(|name| world.resolved(name));
    if let Some(service) = service {
        add_service(&mut groups, &service, wish);
    }
    groups
}

pub(super) fn properties(item: &Value) -> String {
    let members = ["id", "title", "type", "owner", "tags", "snippet"].map(|name| &item[name]);
    json!(members).to_string()
}

fn parts(item: &Item) -> Groups {
    let as_item = json!({"id": item.id, "title": item.title, "type": item.kind, "owner": item.owner,
                         "tags": item.tags, "snippet": item.snippet});
    let mut groups = Groups::from([("properties".to_owned(), properties(&as_item))]);
    let data = match &item.data {
        Data::None => None,
        Data::Json(text) => Some(text.as_bytes()),
        Data::File { bytes, .. } => Some(bytes.as_ref()),
    };
    let files = [
        ("data", data),
        ("thumbnail", item.thumbnail.as_deref()),
        ("metadata", item.metadata.as_deref().map(str::as_bytes)),
    ];
    for (name, bytes) in files {
        groups.extend(bytes.map(|bytes| (name.to_owned(), sha256(bytes))));
    }
    let resources = item.resources.iter();
    let resources = resources.map(|(name, bytes)| (name.clone(), sha256(bytes)));
    add_named(&mut groups, "resources", resources.collect());
    groups
}

/// A group of files by their names; none when there are none.
pub(super) fn add_named(groups: &mut Groups, name: &str, mut files: Vec<(String, String)>) {
    files.sort();
    if !files.is_empty() {
        groups.insert(name.to_owned(), json!(files).to_string());
    }
}

fn add_service(groups: &mut Groups, service: &Service, wish: &Wish) {
    let ids = service.layers.iter().map(|layer| layer.id);
    let mut ids: Vec<i64> = ids
        .chain(service.groups.iter().map(|group| group.0))
        .collect();
    ids.sort_unstable();
    groups.insert("layers".to_owned(), json!(ids).to_string());
    let may_query = service.capabilities.contains("Query");
    for layer in &service.layers {
        for format in wish
            .formats
            .split(',')
            .filter(|format| !is_container(format))
        {
            if is_readable(service, layer, format, wish) {
                groups.insert(
                    format!("rows/{}/{format}", layer.id),
                    listed(layer, format).join("\n"),
                );
            }
        }
        if wish.attachments && may_query {
            add_attachments(groups, layer);
        }
    }
    for format in wish
        .formats
        .split(',')
        .filter(|format| is_container(format))
    {
        if service.hosted {
            let rows = service
                .layers
                .iter()
                .flat_map(|layer| listed(layer, "geojson"));
            groups.insert(
                format!("export/{format}"),
                rows.collect::<Vec<_>>().join("\n"),
            );
        }
    }
}

pub(super) fn is_container(format: &str) -> bool {
    format == "file-geodatabase"
}

/// Somebody can read the rows in this format: the query where it is allowed and speaks the format, the export where
/// the organisation holds the rows.
fn is_readable(service: &Service, layer: &Layer, format: &str, wish: &Wish) -> bool {
    let speaks = match format {
        "geojson" => layer.formats.contains("geoJSON"),
        other => other == "esrijson",
    };
    let by_query = wish.method != "export" && service.capabilities.contains("Query") && speaks;
    let by_export = wish.method != "query" && service.hosted && format != "esrijson";
    by_query || by_export
}

/// The rows of a layer, a line for each.
fn listed(layer: &Layer, format: &str) -> Vec<String> {
    let Rows::Listed(rows) = &*layer.rows else {
        unreachable!("no such rows are made here")
    };
    rows.iter().map(|row| line(layer, row, format)).collect()
}

fn line(layer: &Layer, row: &Row, format: &str) -> String {
    let mut values = json!({ &layer.oid_field: row.oid });
    for field in layer.fields.iter().filter(|field| field.carried()) {
        values[&field.name] = row.values.get(&field.name).cloned().unwrap_or_default();
    }
    let shape = row.geometry.as_ref().filter(|_| !layer.table());
    match format {
        "geojson" => {
            let numbers = if layer.has_z { 3 } else { 2 };
            let place = shape.map(|shape| {
                let place = shape["coordinates"].as_array().expect("numbers").iter();
                place.take(numbers).cloned().collect::<Vec<_>>()
            });
            json!([row.oid, place, values]).to_string()
        }
        // In the layer's own frame, which nobody works out a second time here.
        "esrijson" => json!([row.oid, shape.is_some(), values]).to_string(),
        _ => {
            let note = row.values["NOTE"].as_str().unwrap_or_default();
            json!([row.oid.to_string(), note]).to_string()
        }
    }
}

fn add_attachments(groups: &mut Groups, layer: &Layer) {
    if !layer.has_attachments {
        return;
    }
    let files = layer.attachments.iter().flat_map(|(oid, files)| {
        let file = move |file: &crate::support::portal::Attachment| {
            let place = json!([oid, file.id, file.name]).to_string();
            (place, sha256(&file.bytes))
        };
        files.iter().map(file)
    });
    add_named(
        groups,
        &format!("attachments/{}", layer.id),
        files.collect(),
    );
}
