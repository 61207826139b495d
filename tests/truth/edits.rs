//! What people do to the catalogue between the passes and during them.

use proptest::prelude::*;
use serde_json::json;

use super::world::made;
use crate::support::portal::{Catalogue, Data, Item, Shape, hex_id};

/// An edit of whichever is meant by these numbers, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    AddRow { layer: usize },
    UpdateRow { layer: usize, row: usize },
    DeleteRow { layer: usize, row: usize },
    AddAttachment { layer: usize, row: usize },
    Data { item: usize },
    Retitle { item: usize },
    AddResource { item: usize },
    Move { item: usize },
    AddItem,
    RemoveItem { item: usize },
}

/// By day.
pub(super) fn edits() -> impl Strategy<Value = Edit> {
    let at = || 0..8_usize;
    prop_oneof![
        3 => meanwhile(),
        1 => at().prop_map(|item| Edit::Retitle { item }),
        1 => at().prop_map(|item| Edit::AddResource { item }),
        1 => at().prop_map(|item| Edit::Move { item }),
        1 => (at(), 0..60_usize).prop_map(|(layer, row)| Edit::AddAttachment { layer, row }),
    ]
}

/// While a pass is at work.
pub(super) fn meanwhile() -> impl Strategy<Value = Edit> {
    let at = || 0..8_usize;
    let row = || (at(), 0..60_usize);
    prop_oneof![
        3 => at().prop_map(|layer| Edit::AddRow { layer }),
        3 => row().prop_map(|(layer, row)| Edit::UpdateRow { layer, row }),
        2 => row().prop_map(|(layer, row)| Edit::DeleteRow { layer, row }),
        1 => at().prop_map(|item| Edit::Data { item }),
        1 => Just(Edit::AddItem),
        1 => at().prop_map(|item| Edit::RemoveItem { item }),
    ]
}

impl Edit {
    pub(super) fn apply(self, world: &mut Catalogue) {
        match self {
            Self::AddRow { layer } => {
                let Some(at) = layer_at(world, layer) else {
                    return;
                };
                let oid = next_oid(world, &at);
                let row = made(oid, shape(world, &at));
                world.add_feature(&at.0, at.1, row.values, row.geometry);
            }
            Self::UpdateRow { layer, row } => {
                if let Some((at, oid)) = row_at(world, layer, row) {
                    let note = json!(format!("edited {}", changes(world)));
                    world.update_feature(&at.0, at.1, oid, |row| {
                        row.values.insert("NOTE".to_owned(), note);
                    });
                }
            }
            Self::DeleteRow { layer, row } => {
                if let Some((at, oid)) = row_at(world, layer, row) {
                    world.delete_feature(&at.0, at.1, oid);
                }
            }
            Self::AddAttachment { layer, row } => {
                if let Some((at, oid)) = row_at(world, layer, row) {
                    // Never the name of an earlier one: ids are taken again here, as no server does.
                    let name = format!("new {}.jpg", changes(world));
                    world.add_attachment(&at.0, at.1, oid, (&name, name.as_bytes()));
                }
            }
            item_or_listing => item_or_listing.apply_to_items(world),
        }
    }

    fn apply_to_items(self, world: &mut Catalogue) {
        let number = changes(world);
        let folder = world.folder_id(&format!("Folder {}", number % 3));
        let edit = |item: &mut Item| match self {
            Self::Data { .. } => item.data = Data::Json(format!("{{\"edited\": {number}}}")),
            Self::Retitle { .. } => item.title = format!("Title {number}"),
            Self::AddResource { .. } => {
                let resource = (format!("new {number}.txt"), format!("{number}").into());
                item.resources.push(resource);
            }
            _ => item.folder = folder,
        };
        match self {
            Self::AddItem => {
                let mut item = Item::new("Web Map", "New");
                item.id = hex_id(&format!("new {number}"));
                item.data = Data::Json("{}".to_owned());
                world.add_item(item);
            }
            Self::RemoveItem { item } => {
                if let Some(id) = document_at(world, item) {
                    world.remove_item(&id);
                }
            }
            Self::Data { item }
            | Self::Retitle { item }
            | Self::AddResource { item }
            | Self::Move { item } => {
                if let Some(id) = document_at(world, item) {
                    world.edit_item(&id, edit);
                }
            }
            _ => {}
        }
    }
}

/// A number that no other edit has: the moment, as the portal counts.
fn changes(world: &Catalogue) -> i64 {
    let items = world.items.iter().map(|item| item.modified);
    let layers = world.services.values().flat_map(|service| &service.layers);
    let dates = layers.filter_map(|layer| layer.editing.map(|dates| dates.last));
    items.chain(dates).max().unwrap_or(0) + i64::try_from(world.items.len()).unwrap_or(0)
}

/// A service's name and a layer's id.
type At = (String, i64);

fn layer_at(world: &Catalogue, number: usize) -> Option<At> {
    let own = world.services.values().filter(|one| one.view_of.is_none());
    let layers = own.flat_map(|one| one.layers.iter().map(|layer| (one.name.clone(), layer.id)));
    let layers: Vec<At> = layers.collect();
    layers.get(number % layers.len().max(1)).cloned()
}

fn row_at(world: &mut Catalogue, layer: usize, row: usize) -> Option<(At, i64)> {
    let at = layer_at(world, layer)?;
    let rows = &world.layer_mut(&at.0, at.1).rows;
    let oid = (rows.len() > 0).then(|| rows.oid(row % rows.len()))?;
    Some((at, oid))
}

fn next_oid(world: &mut Catalogue, at: &At) -> i64 {
    let rows = &world.layer_mut(&at.0, at.1).rows;
    rows.len()
        .checked_sub(1)
        .map_or(1, |last| rows.oid(last) + 1)
}

fn shape(world: &mut Catalogue, at: &At) -> Shape {
    world.layer_mut(&at.0, at.1).shape
}

/// Items with services stay: what shows them stays right.
fn document_at(world: &Catalogue, number: usize) -> Option<String> {
    let own = |item: &&Item| {
        item.service.is_none() && !item.protected && !super::expected::is_temporary(item)
    };
    let documents: Vec<&Item> = world.items.iter().filter(own).collect();
    let one = documents.get(number % documents.len().max(1))?;
    Some(one.id.clone())
}
