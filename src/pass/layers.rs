//! Copies a feature service: its definitions, and the rows of every layer and table, each counted against
//! the server before and after.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};

use super::Pass;
use super::copy::absent;
use super::files::Broken;
use super::trouble::{Trouble, at};
use crate::archive::Version;
use crate::config::{Format, Method};
use crate::item::{Item, slug};
use crate::portal::{self, Job, Layer, LayerKind, Service, Tally};
use crate::snapshot::{Change, File, Note, Role};

/// Layers of one service in flight.
const LAYERS_AT_ONCE: usize = 4;

/// What the next pass compares.
#[derive(Debug, Default)]
pub(super) struct Dates {
    /// As they were before the rows were read: an edit meanwhile is seen next time.
    pub(super) layers: BTreeMap<u32, i64>,
    /// Some rows are an earlier version's.
    pub(super) reused: bool,
}

/// The rows of one layer in one format.
struct Rows<'a> {
    item: &'a Item,
    layer: &'a Layer,
    format: Format,
}

/// How a reading compares with what the server says.
enum Verdict {
    Whole,
    Changed(String),
    Short(String),
}

impl Pass<'_> {
    /// Everything that a feature service has beyond an item's parts. Nothing for other items.
    pub(super) async fn copy_service(&self, item: &Item, version: &Version, earlier: Option<&Change>) -> Result<Dates, Trouble> {
        if !item.is_feature_service() {
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
        let definitions = self.copy_definitions(item, &service, version);
        let reused = futures::stream::iter(&service.layers)
            .map(|layer| self.copy_layer(item, layer, version, earlier))
            .buffer_unordered(LAYERS_AT_ONCE)
            .try_fold(false, async |any, reused| Ok(any || reused));
        let ((), reused) = futures::future::try_join(definitions, reused).await?;
        let unchanged = earlier.is_some_and(|change| change.layers == service.edit_dates() && service.tells_all_dates());
        self.copy_containers(item, version, unchanged).await?;
        Ok(Dates { layers: service.edit_dates(), reused: reused || unchanged })
    }

    async fn copy_definitions(&self, item: &Item, service: &Service, version: &Version) -> Result<(), Trouble> {
        let layers = service.document.clone();
        self.keep(version, File::to_be(Role::Layers, "layers.json"), layers).await?;
        let definition = self.portal.service_definition(service).await.map_err(at("service"))?;
        self.keep(version, File::to_be(Role::Service, "service.json"), definition).await?;
        if !item.is_view() {
            return Ok(());
        }
        match self.portal.view_sources(service).await {
            Ok(sources) => self.keep(version, File::to_be(Role::View, "view.json"), sources).await,
            Err(error) => absent(version, "view_not_readable", error).map_err(at("service")),
        }
    }

    /// Rows and attachments of one layer; true when they are an earlier version's.
    async fn copy_layer(&self, item: &Item, layer: &Layer, version: &Version, earlier: Option<&Change>) -> Result<bool, Trouble> {
        note_what_is_not_covered(layer, version);
        if !layer.has_rows() {
            return Ok(false);
        }
        if is_unchanged(layer, earlier) && reuse_layer(layer, version) {
            return Ok(true);
        }
        for format in self.config.reading.formats.iter().copied().filter(|format| !format.is_container()) {
            self.copy_rows(&Rows { item, layer, format }, version).await?;
        }
        if layer.has_attachments && self.config.reading.attachments && layer.can_query {
            self.copy_attachments(layer, version).await?;
        }
        Ok(false)
    }

    /// One layer by the engine that suits, or by the other when that cannot do it.
    async fn copy_rows(&self, rows: &Rows<'_>, version: &Version) -> Result<(), Trouble> {
        let method = self.config.reading.method;
        let query = method != Method::Export && rows.format.by_query() && rows.layer.can_query && rows.layer.can_be_read_as(rows.format);
        let export = method != Method::Query && rows.format.by_export() && rows.item.is_hosted();
        let refused = match (query, export) {
            (true, _) => match self.copy_by_query(rows, version).await {
                Err(Reading::Refused(_)) if export => None,
                Err(Reading::Refused(error)) => Some(error),
                other => return other.map_err(Reading::into_trouble),
            },
            (false, _) => None,
        };
        if export {
            return self.copy_by_export(rows, version).await;
        }
        if let Some(error) = refused.filter(|_| rows.item.is_hosted()) {
            return Err(at("rows")(error));
        }
        let message = format!("no rows as {}: the caller may not query it, or the server cannot write them so", rows.format.name());
        version.note(Note::on_layer("rows_not_readable", rows.layer.id, &message));
        Ok(())
    }

    async fn copy_by_query(&self, rows: &Rows<'_>, version: &Version) -> Result<(), Reading> {
        let ending = if rows.format == Format::GeoJson { "geojson" } else { "esri.json" };
        let file = labelled(rows, version, ending, "query");
        for thorough in [false, true] {
            let before = self.portal.count_rows(rows.layer).await.map_err(Reading::of)?;
            let mut draft = version.draft(&file).await?;
            let mut reader = self.portal.rows(rows.layer, rows.format, before, thorough);
            let read = async {
                while let Some(piece) = reader.next().await.map_err(Broken::Portal)? {
                    draft.write(piece).await.map_err(Broken::Sink)?;
                }
                Ok::<(), Broken>(())
            };
            if let Err(broken) = read.await {
                drop(reader);
                draft.discard().await;
                return Err(broken.into());
            }
            let count = reader.outcome().rows;
            drop(reader);
            let (verdict, after) = self.judge(rows, count, before).await.map_err(Reading::Trouble)?;
            let file = File { rows: Some(count), server_rows: after, ..file.clone() };
            match (verdict, thorough) {
                (Verdict::Whole, _) => {}
                (_, false) => {
                    draft.discard().await;
                    continue;
                }
                (Verdict::Changed(message), true) => {
                    version.note(Note::on_layer("changed_during_read", rows.layer.id, &message));
                }
                (Verdict::Short(message), true) => {
                    draft.discard().await;
                    return Err(Reading::Trouble(Trouble::item("rows", format!("layer {}: {message}", rows.layer.id))));
                }
            }
            self.progress.add_rows(count);
            self.progress.add_bytes(draft.bytes());
            version.finish(draft, file).await?;
            return Ok(());
        }
        Ok(())
    }

    /// Compares what was read with what the server says now.
    async fn judge(&self, rows: &Rows<'_>, read: u64, before: Option<u64>) -> Result<(Verdict, Option<u64>), Trouble> {
        let after = self.portal.count_rows(rows.layer).await.map_err(at("rows"))?;
        let dates = self.portal.edit_dates(rows.layer).await.map_err(at("rows"))?;
        let edited = dates != rows.layer.dates;
        let verdict = match (before, after) {
            (Some(before), Some(after)) if read == after && before == after && !edited => Verdict::Whole,
            (Some(before), Some(after)) => {
                let message = format!("{read} rows were read; the server counted {before} before and {after} after");
                // Without an edit the count cannot have moved: rows that it tells of are missing.
                let least = if edited { before.min(after) } else { after };
                if read < least { Verdict::Short(message) } else { Verdict::Changed(message) }
            }
            _ => Verdict::Changed(format!("{read} rows were read; the server does not tell how many there are")),
        };
        Ok((verdict, after))
    }

    async fn copy_by_export(&self, rows: &Rows<'_>, version: &Version) -> Result<(), Trouble> {
        let mut last = None;
        for again in [false, true] {
            let before = self.count(rows.layer).await?;
            let job = self.job(rows.item, Some(rows.layer.id), rows.format);
            let export = self.portal.export(&job).await.map_err(at("export"))?;
            let stored = self.take_export(&export, rows, version, before, again).await;
            self.portal.remove_export(export).await;
            match stored {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Trouble::Item(failure)) if !again => last = Some(failure),
                Err(trouble) => return Err(trouble),
            }
        }
        last.map_or(Ok(()), |failure| Err(Trouble::Item(failure)))
    }

    /// The server's count, where the layer may be asked at all.
    async fn count(&self, layer: &Layer) -> Result<Option<u64>, Trouble> {
        if !layer.can_query {
            return Ok(None);
        }
        self.portal.count_rows(layer).await.map_err(at("rows"))
    }

    /// Streams an export into the archive and judges it; false when it is worth another try.
    async fn take_export(
        &self,
        export: &portal::Export,
        rows: &Rows<'_>,
        version: &Version,
        before: Option<u64>,
        last_try: bool,
    ) -> Result<bool, Trouble> {
        let mut download = self.portal.open_export(export).await.map_err(at("export"))?;
        let zipped = download.is_zip();
        let ending = if zipped { "zip" } else { rows.format.name() };
        let tally = if zipped { None } else { Tally::of(rows.format) };
        let file = labelled(rows, version, ending, "export");
        let mut draft = version.draft(&file).await?;
        let streamed = async {
            while let Some(piece) = download.chunk().await.map_err(at("export"))? {
                if let Some(tally) = &tally {
                    tally.push(&piece).await;
                }
                draft.write(piece).await?;
            }
            Ok(())
        };
        if let Err(trouble) = streamed.await {
            draft.discard().await;
            return Err(trouble);
        }
        let counted = match tally {
            Some(tally) => match tally.finish().await {
                Ok(counted) => Some(counted),
                Err(error) => {
                    draft.discard().await;
                    return Err(at("export")(error));
                }
            },
            None => None,
        };
        let (verdict, after) = match (counted, rows.layer.can_query) {
            (Some(counted), true) => self.judge(rows, counted, before).await?,
            _ => (Verdict::Changed("the rows of this format were not counted".to_owned()), before),
        };
        match verdict {
            Verdict::Whole => {}
            Verdict::Short(_) | Verdict::Changed(_) if counted.is_some() && rows.layer.can_query && !last_try => {
                draft.discard().await;
                return Ok(false);
            }
            Verdict::Short(message) => {
                draft.discard().await;
                return Err(Trouble::item("rows", format!("layer {}: {message}", rows.layer.id)));
            }
            Verdict::Changed(message) => {
                let code = if counted.is_some() { "changed_during_read" } else { "rows_not_counted" };
                version.note(Note::on_layer(code, rows.layer.id, &message));
            }
        }
        self.progress.add_rows(counted.unwrap_or(0));
        self.progress.add_bytes(draft.bytes());
        version.finish(draft, File { rows: counted, server_rows: after, ..file }).await?;
        Ok(true)
    }

    fn job<'j>(&'j self, item: &'j Item, layer: Option<u32>, format: Format) -> Job<'j> {
        Job { item, layer, format, stamp: &self.hold.stamp, timeout: self.config.reading.export_timeout }
    }

    /// Formats whose one file holds the whole service.
    async fn copy_containers(&self, item: &Item, version: &Version, unchanged: bool) -> Result<(), Trouble> {
        for format in self.config.reading.formats.iter().copied().filter(|format| format.is_container()) {
            if !item.is_hosted() {
                let message = format!("no {}: only services hosted by the organisation can be exported", format.name());
                version.note(Note::on_item("not_exportable", message));
                continue;
            }
            let earlier: Vec<File> = version.earlier_files().filter(|file| file.role == Role::Export && file.format.as_deref() == Some(format.name())).cloned().collect();
            if unchanged && !earlier.is_empty() {
                earlier.iter().for_each(|file| version.reuse(file));
                continue;
            }
            self.copy_container(item, format, version).await?;
        }
        Ok(())
    }

    async fn copy_container(&self, item: &Item, format: Format, version: &Version) -> Result<(), Trouble> {
        let export = self.portal.export(&self.job(item, None, format)).await.map_err(at("export"))?;
        let open = async || self.portal.open_export(&export).await.map(Some);
        let label = |download: &portal::Download| {
            let ending = match (download.is_zip(), download.first_byte()) {
                (true, _) if format == Format::Excel => "xlsx",
                (true, _) => "zip",
                (_, Some(b'{' | b'[')) => "json",
                _ if format == Format::GeoPackage => "gpkg",
                _ => "bin",
            };
            let file = File::to_be(Role::Export, format!("exports/{}.{ending}", format.name()));
            File { format: Some(format.name().to_owned()), method: Some("export".to_owned()), ..file }
        };
        let errand = super::files::Errand { subject: "exported file", stage: "export", length: None };
        let copied = self.copy_file(version, &errand, open, label).await;
        self.portal.remove_export(export).await;
        let message = format!("the rows in the {} were not counted", format.name());
        version.note(Note::on_item("rows_not_counted", message));
        copied.map(|_| ())
    }
}

/// How a reading by query ended, when it did not end well.
enum Reading {
    /// The other engine may do it.
    Refused(portal::Error),
    Trouble(Trouble),
}

impl Reading {
    fn of(error: portal::Error) -> Self {
        if error.is_refusal() { Self::Refused(error) } else { Self::Trouble(at("rows")(error)) }
    }

    fn into_trouble(self) -> Trouble {
        match self {
            Self::Refused(error) => at("rows")(error),
            Self::Trouble(trouble) => trouble,
        }
    }
}

impl From<crate::archive::Error> for Reading {
    fn from(error: crate::archive::Error) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Broken> for Reading {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Portal(error) => Self::of(error),
            Broken::Sink(error) => error.into(),
        }
    }
}

fn labelled(rows: &Rows<'_>, version: &Version, ending: &str, method: &str) -> File {
    let _ = version;
    let stem = match slug(&rows.layer.name) {
        slug if slug.is_empty() => rows.layer.id.to_string(),
        slug => format!("{}-{slug}", rows.layer.id),
    };
    File {
        layer: Some(rows.layer.id),
        format: Some(rows.format.name().to_owned()),
        method: Some(method.to_owned()),
        ..File::to_be(Role::Rows, format!("layers/{stem}.{ending}"))
    }
}

fn note_what_is_not_covered(layer: &Layer, version: &Version) {
    let note = |code, message: &str| version.note(Note::on_layer(code, layer.id, message));
    match layer.kind {
        LayerKind::Group => note("group_layer", "a group layer holds no rows of its own"),
        LayerKind::Other => note("no_rows", "a layer of a kind that has no rows to query"),
        LayerKind::Multipatch => note("multipatch", "the meshes of a multipatch layer are not carried by any query; their columns are"),
        LayerKind::Features | LayerKind::Table => {}
    }
    for field in &layer.uncarried_fields {
        note("field_not_carried", &format!("the values of the raster or blob column {field} are not carried by any query"));
    }
}

fn is_unchanged(layer: &Layer, earlier: Option<&Change>) -> bool {
    let Some(date) = layer.dates.newest() else { return false };
    earlier.is_some_and(|change| change.layers.get(&layer.id) == Some(&date))
}

/// Names the earlier version's files of a layer, with what was noted about them.
fn reuse_layer(layer: &Layer, version: &Version) -> bool {
    let of_layer = |file: &&File| file.layer == Some(layer.id) && matches!(file.role, Role::Rows | Role::Attachment);
    let files: Vec<File> = version.earlier_files().filter(of_layer).cloned().collect();
    files.iter().for_each(|file| version.reuse(file));
    let about = format!("layer {}: ", layer.id);
    for note in version.earlier_notes().iter().filter(|note| note.message.starts_with(&about)) {
        version.note(note.clone());
    }
    files.iter().any(|file| file.role == Role::Rows)
}
