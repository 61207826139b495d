//! What people do to the catalogue while nobody looks: features, attachments, items.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Folder, Item, Service, hex_id, now};
use super::layer::{Attachment, Layer, Row, Rows};

impl Catalogue {
    /// Adds a folder of the item's owner and gives its id.
    pub fn add_folder(&mut self, owner: &str, title: &str) -> String {
        let id = hex_id(&format!("folder/{owner}/{title}"));
        self.folders.push(Folder {
            id: id.clone(),
            owner: owner.to_owned(),
            title: title.to_owned(),
        });
        id
    }

    /// Adds an item and gives its id.
    pub fn add_item(&mut self, item: Item) -> String {
        let id = item.id.clone();
        self.items.push(item);
        id
    }

    /// Adds a service with the item that stands for it, and gives the item's id.
    pub fn add_service(&mut self, mut item: Item, mut service: Service) -> String {
        item.keywords = service_keywords(&service);
        item.service = Some(service.name.clone());
        service.item_id.clone_from(&item.id);
        self.services
            .insert(service.name.clone(), Arc::new(service));
        self.add_item(item)
    }

    /// Changes an item; its `modified` moves.
    pub fn edit_item(&mut self, id: &str, change: impl FnOnce(&mut Item)) {
        let item = self
            .items
            .iter_mut()
            .find(|item| item.id == id)
            .expect("an item of that id");
        item.modified = now().max(item.modified + 1);
        change(item);
    }

    /// Takes an item away as its owner would, with its service.
    pub fn remove_item(&mut self, id: &str) {
        if let Some(service) = self.item(id).and_then(|item| item.service.clone()) {
            self.services.remove(&service);
        }
        self.items.retain(|item| item.id != id);
    }

    pub fn service_mut(&mut self, name: &str) -> &mut Service {
        Arc::make_mut(self.services.get_mut(name).expect("a service of that name"))
    }

    /// A layer, to be changed without any date moving.
    pub fn layer_mut(&mut self, service: &str, layer: i64) -> &mut Layer {
        let found = self
            .service_mut(service)
            .layers
            .iter_mut()
            .find(|one| one.id == layer);
        found.expect("a layer of that id")
    }

    /// Adds a row under the next object id, which it gives.
    pub fn add_feature(
        &mut self,
        service: &str,
        layer: i64,
        values: Map<String, Value>,
        geometry: Option<Value>,
    ) -> i64 {
        let rows = self.edited_rows(service, layer);
        let oid = rows.last().map_or(1, |row| row.oid + 1);
        rows.push(Row {
            oid,
            values,
            geometry,
        });
        oid
    }

    pub fn update_feature(
        &mut self,
        service: &str,
        layer: i64,
        oid: i64,
        change: impl FnOnce(&mut Row),
    ) {
        let row = self
            .edited_rows(service, layer)
            .iter_mut()
            .find(|row| row.oid == oid);
        change(row.expect("a row of that object id"));
    }

    /// Takes a row away, with its attachments.
    pub fn delete_feature(&mut self, service: &str, layer: i64, oid: i64) {
        self.edited_rows(service, layer)
            .retain(|row| row.oid != oid);
        Arc::make_mut(&mut self.layer_mut(service, layer).attachments).remove(&oid);
    }

    /// Attaches a file to a row and gives the attachment's id.
    pub fn add_attachment(
        &mut self,
        service: &str,
        layer: i64,
        oid: i64,
        file: (&str, &[u8]),
    ) -> i64 {
        self.touch(service, layer);
        self.layer_mut(service, layer)
            .attach(oid, file.0, Bytes::copy_from_slice(file.1))
    }

    pub fn delete_attachment(&mut self, service: &str, layer: i64, oid: i64, attachment: i64) {
        self.touch(service, layer);
        let attachments = Arc::make_mut(&mut self.layer_mut(service, layer).attachments);
        attachments
            .entry(oid)
            .or_default()
            .retain(|one| one.id != attachment);
        attachments.retain(|_, files| !files.is_empty());
    }

    /// Moves the layer's edit dates, as any edit of its rows does.
    pub fn touch(&mut self, service: &str, layer: i64) {
        if let Some(editing) = &mut self.layer_mut(service, layer).editing {
            editing.last = now().max(editing.last + 1);
            editing.data = editing.last;
        }
    }

    fn edited_rows(&mut self, service: &str, layer: i64) -> &mut Vec<Row> {
        self.touch(service, layer);
        match Arc::make_mut(&mut self.layer_mut(service, layer).rows) {
            Rows::Listed(rows) => rows,
            Rows::Generated(_) => unreachable!("rows made up on the fly cannot be edited"),
        }
    }
}

impl Layer {
    /// Attaches a file without any date moving; ids run on through the layer.
    pub fn attach(&mut self, oid: i64, name: &str, bytes: impl Into<Bytes>) -> i64 {
        self.has_attachments = true;
        let all = Arc::make_mut(&mut self.attachments);
        let id = all.values().flatten().map(|one| one.id).max().unwrap_or(0) + 1;
        let content_type = media_type(name).to_owned();
        let file = Attachment {
            id,
            name: name.to_owned(),
            content_type,
            bytes: bytes.into(),
            told_size: None,
        };
        all.entry(oid).or_default().push(file);
        id
    }
}

/// What a file's name says it is.
pub fn media_type(name: &str) -> &'static str {
    match name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "pdf" => "application/pdf",
        "csv" => "text/csv",
        "txt" => "text/plain",
        "json" | "geojson" => "application/json",
        _ => "application/octet-stream",
    }
}

fn service_keywords(service: &Service) -> Vec<String> {
    let several = service.layers.len() > 1;
    let mut words = vec![
        "ArcGIS Server",
        "Data",
        "Feature Access",
        "Feature Service",
        "Service",
    ];
    words.push(if several { "Multilayer" } else { "Singlelayer" });
    if service.hosted {
        words.push("Hosted Service");
    }
    if service.view_of.is_some() {
        words.push("View Service");
    }
    if service.layers.iter().all(Layer::table) {
        words.push("Table");
    }
    words.into_iter().map(str::to_owned).collect()
}
