//! Copies the rows of one layer in one format, by the engine that suits. What the server does not confirm
//! is read once more.

use std::sync::{Mutex, PoisonError};

use futures::future::join;
use tokio::sync::mpsc::channel;

use super::Pass;
use super::engines::Engines;
use super::service::ServiceCopy;
use super::trouble::{Trouble, at};
use crate::archive::{self, Draft};
use crate::config::Format;
use crate::item::slug;
use crate::portal::{self, Dates, Export, Layer};
use crate::snapshot::{File, Note, Role};
use crate::tally::Tally;

/// Readings of a layer: what is not confirmed is read once more.
const TRIES: usize = 2;

/// One layer in one format, being copied.
pub(super) struct Copying<'a> {
    pub(super) of: &'a ServiceCopy<'a>,
    pub(super) layer: &'a Layer,
    format: Format,
    /// The layer's edit dates when the reading under way began.
    known: Mutex<Dates>,
}

/// A file that was streamed, not yet believed.
pub(super) struct Streamed {
    pub(super) draft: Draft,
    pub(super) file: File,
    /// `None` when the format does not let its rows be told apart.
    pub(super) rows: Option<u64>,
}

impl Pass<'_> {
    /// By the engine that suits, or by the other when that one cannot do the layer.
    pub(super) async fn copy_rows(
        &self,
        of: &ServiceCopy<'_>,
        layer: &Layer,
        format: Format,
    ) -> Result<(), Trouble> {
        let copying = Copying {
            of,
            layer,
            format,
            known: Mutex::new(layer.dates),
        };
        let engines = Engines::of(self.config.reading.method, of.item, layer, format);
        let mut refusal = None;
        if engines.query {
            match self.by_query(&copying).await? {
                None => return Ok(()),
                refused => refusal = refused,
            }
        }
        if engines.export {
            return self.by_export(&copying).await;
        }
        if let Some(error) = refusal.filter(|_| of.item.is_hosted()) {
            return Err(at("rows")(error));
        }
        let name = format.name();
        let message =
            format!("no rows as {name}: they may not be queried, or not be had in this format");
        of.version
            .note(Note::on_layer("rows_not_readable", layer.id, &message));
        Ok(())
    }

    /// Returns the refusal when the layer cannot be queried: the other engine may do it.
    async fn by_query(&self, copying: &Copying<'_>) -> Result<Option<portal::Error>, Trouble> {
        let mut patience = self.portal.patience();
        for thorough in [false, true] {
            let before = match self.portal.count_rows(copying.layer).await {
                Err(error) if error.is_refusal() => return Ok(Some(error)),
                counted => counted.map_err(at("rows"))?,
            };
            let streamed = match self.stream_query(copying, before, thorough).await? {
                Ok(streamed) => streamed,
                Err(refusal) => return Ok(Some(refusal)),
            };
            if self.settle(copying, streamed, before, thorough).await? {
                break;
            }
            patience
                .again("rows", not_confirmed(), TRIES, self.portal)
                .map_err(at("rows"))?;
        }
        Ok(None)
    }

    /// The inner error is a refusal by the layer; any other trouble is the outer one.
    async fn stream_query(
        &self,
        copying: &Copying<'_>,
        expected: Option<u64>,
        thorough: bool,
    ) -> Result<Result<Streamed, portal::Error>, Trouble> {
        let ending = if copying.format == Format::GeoJson {
            "geojson"
        } else {
            "esri.json"
        };
        let file = copying.label(ending, "query");
        let mut draft = copying.of.version.draft(&file).await?;
        let mut rows = self
            .portal
            .rows(copying.layer, copying.format, expected, thorough);
        // Side by side: while the sink writes a page, the next ones go on arriving.
        let (sender, pieces) = channel(1);
        let reading = async {
            // Moved in, so that the writer sees the end.
            let sender = sender;
            let mut come = 0;
            while let Some(piece) = rows.next().await? {
                self.progress.come(rows.count() - come, piece.len());
                come = rows.count();
                if sender.send(piece).await.is_err() {
                    // The writer gave up, and tells why.
                    break;
                }
            }
            Ok::<u64, portal::Error>(rows.count())
        };
        let writing = async {
            // Moved in, so that the reader sees when it fails.
            let mut pieces = pieces;
            while let Some(piece) = pieces.recv().await {
                draft.write(piece).await?;
            }
            Ok::<Draft, archive::Error>(draft)
        };
        let (read, written) = join(reading, writing).await;
        let draft = written?;
        let count = match read {
            Ok(count) => count,
            Err(error) => {
                draft.discard().await;
                return if error.is_refusal() {
                    Ok(Err(error))
                } else {
                    Err(at("rows")(error))
                };
            }
        };
        Ok(Ok(Streamed {
            rows: Some(count),
            draft,
            file,
        }))
    }

    async fn by_export(&self, copying: &Copying<'_>) -> Result<(), Trouble> {
        let mut patience = self.portal.patience();
        for last_try in [false, true] {
            let before = if copying.layer.can_query {
                self.portal
                    .count_rows(copying.layer)
                    .await
                    .map_err(at("rows"))?
            } else {
                None
            };
            let job = self.job(copying.of.item, Some(copying.layer.id), copying.format);
            let export = self.portal.export(&job).await.map_err(at("export"))?;
            let streamed = self.stream_export(copying, &export).await;
            self.portal.remove_export(export).await;
            let problem = match streamed {
                Ok(streamed) => {
                    if self.settle(copying, streamed, before, last_try).await? {
                        break;
                    }
                    not_confirmed()
                }
                // A file that came cut or garbled is asked for once more.
                Err(Trouble::Item(failure)) if !last_try => {
                    portal::Error::Unavailable(failure.message)
                }
                Err(trouble) => return Err(trouble),
            };
            patience
                .again("exported file", problem, TRIES, self.portal)
                .map_err(at("export"))?;
        }
        Ok(())
    }

    /// The bytes decide what came: a zip is kept as one, whatever was asked for.
    async fn stream_export(
        &self,
        copying: &Copying<'_>,
        export: &Export,
    ) -> Result<Streamed, Trouble> {
        let mut download = self
            .portal
            .open_export(export)
            .await
            .map_err(at("export"))?;
        let (zipped, name) = (download.is_zip(), copying.format.name());
        // Two formats of a layer may both come zipped.
        let ending = if zipped {
            format!("{name}.zip")
        } else {
            name.to_owned()
        };
        let file = copying.label(&ending, "export");
        let tally = if zipped {
            None
        } else {
            Tally::of(copying.format)
        };
        let mut draft = copying.of.version.draft(&file).await?;
        let mut streaming = async || {
            while let Some(piece) = download.chunk().await.map_err(at("export"))? {
                if let Some(tally) = &tally {
                    tally.push(&piece).await;
                }
                self.progress.come(0, piece.len());
                draft.write(piece).await?;
            }
            Ok(())
        };
        let mut end: Result<(), Trouble> = streaming().await;
        let mut rows = None;
        if let (Ok(()), Some(tally)) = (&end, tally) {
            match tally.finish().await {
                Ok(counted) => rows = Some(counted),
                Err(problem) => {
                    let message = format!("the exported file is not whole: {problem}");
                    end = Err(Trouble::item("export", message));
                }
            }
        }
        match end {
            Ok(()) => Ok(Streamed { draft, file, rows }),
            Err(trouble) => {
                draft.discard().await;
                Err(trouble)
            }
        }
    }
}

fn not_confirmed() -> portal::Error {
    let message = "what was read and what the server tells of it disagree";
    portal::Error::Untrue(message.to_owned())
}

impl Copying<'_> {
    /// Notes the dates of now, and returns those that were known.
    pub(super) fn learn(&self, now: Dates) -> Dates {
        std::mem::replace(
            &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner),
            now,
        )
    }

    pub(super) fn known(&self) -> Dates {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `layers/<layer id>-<slug>.<ending>`
    fn label(&self, ending: &str, method: &str) -> File {
        let stem = match slug(&self.layer.name) {
            slug if slug.is_empty() => self.layer.id.to_string(),
            slug => format!("{}-{slug}", self.layer.id),
        };
        File {
            layer: Some(self.layer.id),
            format: Some(self.format.name().to_owned()),
            method: Some(method.to_owned()),
            ..File::to_be(Role::Rows, format!("layers/{stem}.{ending}"))
        }
    }
}
