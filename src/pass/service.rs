//! Copies a feature service: its definitions, every layer and table, and container exports.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};

use super::Pass;
use super::files::{Errand, Opened};
use super::parts::absent;
use super::trouble::{Trouble, at};
use crate::archive::Version;
use crate::config::Format;
use crate::item::Item;
use crate::portal::{self, Job, Layer, LayerKind, Service};
use crate::snapshot::{Change, File, Note, Role};

/// Layers of one service in flight.
const LAYERS_AT_ONCE: usize = 4;

/// A service on its way into a version of its item.
pub(super) struct ServiceCopy<'a> {
    pub(super) item: &'a Item,
    pub(super) service: &'a Service,
    pub(super) version: &'a Version,
    /// What is known of the earlier version, when its rows may serve again.
    earlier: Option<&'a Change>,
}

/// What the next pass compares.
#[derive(Debug, Default)]
pub(super) struct Dates {
    /// As they were before the rows were read: an edit meanwhile is seen next time.
    pub(super) layers: BTreeMap<u32, i64>,
    /// Some rows are an earlier version's.
    pub(super) reused: bool,
}

impl Pass<'_> {
    /// Everything that a feature service has beyond an item's parts. Nothing for other items.
    pub(super) async fn copy_service(
        &self,
        item: &Item,
        version: &Version,
        earlier: Option<&Change>,
    ) -> Result<Dates, Trouble> {
        if !item.is_feature_service() {
            note_a_service_of_pictures(item, version);
            return Ok(Dates::default());
        }
        let service = match self.portal.service(item).await {
            Ok(service) => service,
            // Somebody else's server: the item is whole without it, and the note says what is not here.
            Err(error) if error.is_refusal() && !item.is_hosted() => {
                absent(version, "service_not_readable", error).map_err(at("service"))?;
                return Ok(Dates::default());
            }
            Err(error) => return Err(at("service")(error)),
        };
        let of = ServiceCopy {
            item,
            service: &service,
            version,
            earlier,
        };
        let reused = futures::stream::iter(&service.layers)
            .map(|layer| self.copy_layer(&of, layer))
            .buffer_unordered(LAYERS_AT_ONCE)
            .try_fold(false, async |any, reused| Ok(any || reused))
            .await?;
        self.copy_definitions(&of).await?;
        let dates = service.edit_dates();
        let unchanged =
            service.tells_all_dates() && earlier.is_some_and(|change| change.layers == dates);
        self.copy_containers(item, version, unchanged).await?;
        Ok(Dates {
            layers: dates,
            reused: reused || unchanged,
        })
    }

    async fn copy_definitions(&self, of: &ServiceCopy<'_>) -> Result<(), Trouble> {
        let layers = File::to_be(Role::Layers, "layers.json");
        self.keep(of.version, layers, of.service.document.clone())
            .await?;
        let definition = self.portal.service_definition(of.service).await;
        let definition = definition.map_err(at("service"))?;
        self.keep(
            of.version,
            File::to_be(Role::Service, "service.json"),
            definition,
        )
        .await?;
        if !of.item.is_view() {
            return Ok(());
        }
        match self.portal.view_sources(of.service).await {
            Ok(sources) => {
                self.keep(of.version, File::to_be(Role::View, "view.json"), sources)
                    .await
            }
            Err(error) => absent(of.version, "view_not_readable", error).map_err(at("service")),
        }
    }

    /// Rows and attachments of one layer; true when they are an earlier version's.
    async fn copy_layer(&self, of: &ServiceCopy<'_>, layer: &Layer) -> Result<bool, Trouble> {
        note_what_is_not_covered(layer, of.version);
        if !layer.has_rows() {
            return Ok(false);
        }
        if is_unchanged(layer, of.earlier) && reuse_layer(layer, of.version) {
            return Ok(true);
        }
        for format in self
            .config
            .reading
            .formats
            .iter()
            .filter(|format| !format.is_container())
        {
            self.copy_rows(of, layer, *format).await?;
        }
        if layer.has_attachments && self.config.reading.attachments && layer.can_query {
            self.copy_attachments(layer, of.version).await?;
        }
        Ok(false)
    }

    /// Formats whose one file holds the whole service.
    async fn copy_containers(
        &self,
        item: &Item,
        version: &Version,
        unchanged: bool,
    ) -> Result<(), Trouble> {
        for format in self
            .config
            .reading
            .formats
            .iter()
            .filter(|format| format.is_container())
        {
            let name = format.name();
            if !item.is_hosted() {
                let message =
                    format!("no {name}: only services hosted by the organisation can be exported");
                version.note(Note::on_item("not_exportable", message));
                continue;
            }
            let message = format!("the rows in the {name} were not counted");
            version.note(Note::on_item("rows_not_counted", message));
            let is_it =
                |file: &&File| file.role == Role::Export && file.format.as_deref() == Some(name);
            match version.earlier_files().find(is_it) {
                Some(earlier) if unchanged => version.reuse(&earlier.clone()),
                _ => self.copy_container(item, *format, version).await?,
            }
        }
        Ok(())
    }

    async fn copy_container(
        &self,
        item: &Item,
        format: Format,
        version: &Version,
    ) -> Result<(), Trouble> {
        let export = self
            .portal
            .export(&self.job(item, None, format))
            .await
            .map_err(at("export"))?;
        let open = async || {
            let opened = self.portal.open_export(&export).await;
            opened.map(|download| Opened::from(Some(download)))
        };
        let label = |download: &portal::Download| {
            let ending = match (download.is_zip(), download.first_byte()) {
                (true, _) if format == Format::Excel => "xlsx",
                (true, _) => "zip",
                (_, Some(b'{' | b'[')) => "json",
                _ if format == Format::GeoPackage => "gpkg",
                _ => "bin",
            };
            File {
                format: Some(format.name().to_owned()),
                method: Some("export".to_owned()),
                ..File::to_be(Role::Export, format!("exports/{}.{ending}", format.name()))
            }
        };
        let errand = Errand {
            subject: "exported file",
            stage: "export",
            length: None,
            may_be_empty: false,
        };
        let copied = self.copy_file(version, &errand, open, label).await;
        self.portal.remove_export(export).await;
        copied.map(|_| ())
    }

    pub(super) fn job<'j>(&'j self, item: &'j Item, layer: Option<u32>, format: Format) -> Job<'j> {
        Job {
            item,
            layer,
            format,
            stamp: &self.hold.stamp,
            timeout: self.config.reading.export_timeout,
        }
    }
}

/// Tiles, scenes and images are no rows: their items are whole, their content is not here.
fn note_a_service_of_pictures(item: &Item, version: &Version) {
    if item.is_of_pictures() {
        let message = format!(
            "the content of a {} is not covered, only its item",
            item.kind
        );
        version.note(Note::on_item("content_not_covered", message));
    }
}

fn note_what_is_not_covered(layer: &Layer, version: &Version) {
    let note = |code, message: &str| version.note(Note::on_layer(code, layer.id, message));
    match layer.kind {
        LayerKind::Group => note("group_layer", "a group layer holds no rows of its own"),
        LayerKind::Other => note("no_rows", "a layer of a kind that has no rows to query"),
        LayerKind::Multipatch => {
            note(
                "multipatch",
                "the meshes of a multipatch layer are not carried by any query; its columns are",
            );
        }
        LayerKind::Features | LayerKind::Table => {}
    }
    for field in &layer.uncarried_fields {
        let message =
            format!("the values of the raster or blob column {field} are not carried by any query");
        note("field_not_carried", &message);
    }
}

fn is_unchanged(layer: &Layer, earlier: Option<&Change>) -> bool {
    let Some(date) = layer.dates.newest() else {
        return false;
    };
    earlier.is_some_and(|change| change.layers.get(&layer.id) == Some(&date))
}

/// Names the earlier version's files of a layer, with what was noted about them. False when it has none.
fn reuse_layer(layer: &Layer, version: &Version) -> bool {
    let of_layer = |file: &&File| file.layer == Some(layer.id);
    let files: Vec<&File> = version.earlier_files().filter(of_layer).collect();
    if !files.iter().any(|file| file.role == Role::Rows) {
        return false;
    }
    for file in files {
        version.reuse(file);
    }
    let about = format!("layer {}: ", layer.id);
    for note in version.earlier_notes() {
        if note.message.starts_with(&about) {
            version.note(note.clone());
        }
    }
    true
}
