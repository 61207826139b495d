//! Copies the rows of one layer in one format, by the engine that suits, and believes the copy only when
//! the server's counts and edit dates agree with it. What disagrees is read once more.

use super::Pass;
use super::trouble::{Trouble, at};
use crate::archive::{Draft, Version};
use crate::config::{Format, Method};
use crate::item::{Item, slug};
use crate::portal::{self, Export, Layer, Tally};
use crate::snapshot::{File, Note, Role};

/// One layer in one format, being copied.
struct Copying<'a> {
    item: &'a Item,
    layer: &'a Layer,
    format: Format,
    version: &'a Version,
}

/// A file that was streamed, not yet believed.
struct Streamed {
    draft: Draft,
    file: File,
    /// `None` when the format does not let its rows be told apart.
    rows: Option<u64>,
}

/// How a copy compares with what the server says.
enum Verdict {
    Whole,
    /// Something moved, or cannot be compared: stored with a note of this code.
    Doubtful(&'static str, String),
    /// Rows are missing that the server says it has: never stored.
    Short(String),
}

impl Pass<'_> {
    /// By the engine that suits, or by the other when that one cannot do the layer.
    pub(super) async fn copy_rows(
        &self,
        item: &Item,
        layer: &Layer,
        format: Format,
        version: &Version,
    ) -> Result<(), Trouble> {
        let copying = Copying {
            item,
            layer,
            format,
            version,
        };
        let method = self.config.reading.method;
        let by_query = method != Method::Export && layer.can_query && layer.can_be_read_as(format);
        let by_export = method != Method::Query && format.by_export() && item.is_hosted();
        let refused = if by_query && format.by_query() {
            self.by_query(&copying).await?
        } else {
            None
        };
        match refused {
            None if by_query && format.by_query() => Ok(()),
            _ if by_export => self.by_export(&copying).await,
            Some(error) if item.is_hosted() => Err(at("rows")(error)),
            _ => {
                let name = format.name();
                let message = format!(
                    "no rows as {name}: they may not be queried, or not be had in this format"
                );
                version.note(Note::on_layer("rows_not_readable", layer.id, &message));
                Ok(())
            }
        }
    }

    /// Returns the refusal when the layer cannot be queried: the other engine may do it.
    async fn by_query(&self, copying: &Copying<'_>) -> Result<Option<portal::Error>, Trouble> {
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
        let mut draft = copying.version.draft(&file).await?;
        let mut rows = self
            .portal
            .rows(copying.layer, copying.format, expected, thorough);
        loop {
            match rows.next().await {
                Ok(Some(piece)) => draft.write(piece).await?,
                Ok(None) => break,
                Err(error) => {
                    draft.discard().await;
                    return if error.is_refusal() {
                        Ok(Err(error))
                    } else {
                        Err(at("rows")(error))
                    };
                }
            }
        }
        Ok(Ok(Streamed {
            rows: Some(rows.count()),
            draft,
            file,
        }))
    }

    async fn by_export(&self, copying: &Copying<'_>) -> Result<(), Trouble> {
        for last_try in [false, true] {
            let before = if copying.layer.can_query {
                self.portal
                    .count_rows(copying.layer)
                    .await
                    .map_err(at("rows"))?
            } else {
                None
            };
            let job = self.job(copying.item, Some(copying.layer.id), copying.format);
            let export = self.portal.export(&job).await.map_err(at("export"))?;
            let streamed = self.stream_export(copying, &export).await;
            self.portal.remove_export(export).await;
            let settled = match streamed {
                Ok(streamed) => self.settle(copying, streamed, before, last_try).await?,
                // A file that came cut or garbled is asked for once more.
                Err(Trouble::Item(_)) if !last_try => false,
                Err(trouble) => return Err(trouble),
            };
            if settled {
                break;
            }
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
        let zipped = download.is_zip();
        let file = copying.label(if zipped { "zip" } else { copying.format.name() }, "export");
        let tally = if zipped {
            None
        } else {
            Tally::of(copying.format)
        };
        let mut draft = copying.version.draft(&file).await?;
        let mut streaming = async || {
            while let Some(piece) = download.chunk().await.map_err(at("export"))? {
                if let Some(tally) = &tally {
                    tally.push(&piece).await;
                }
                draft.write(piece).await?;
            }
            Ok(())
        };
        let mut end: Result<(), Trouble> = streaming().await;
        let mut rows = None;
        if let (Ok(()), Some(tally)) = (&end, tally) {
            match tally.finish().await {
                Ok(counted) => rows = Some(counted),
                Err(error) => end = Err(at("export")(error)),
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

    /// Believes a copy, or throws it away: false when it should be read once more.
    async fn settle(
        &self,
        copying: &Copying<'_>,
        streamed: Streamed,
        before: Option<u64>,
        last_try: bool,
    ) -> Result<bool, Trouble> {
        let Streamed { draft, file, rows } = streamed;
        let (verdict, after) = match self.judge(copying.layer, rows, before).await {
            Ok(judged) => judged,
            Err(trouble) => {
                draft.discard().await;
                return Err(trouble);
            }
        };
        let id = copying.layer.id;
        match verdict {
            Verdict::Whole => {}
            Verdict::Doubtful(code, message) if last_try || rows.is_none() => {
                copying.version.note(Note::on_layer(code, id, &message));
            }
            Verdict::Doubtful(..) | Verdict::Short(_) if !last_try => {
                draft.discard().await;
                return Ok(false);
            }
            Verdict::Doubtful(_, message) | Verdict::Short(message) => {
                draft.discard().await;
                return Err(Trouble::item("rows", format!("layer {id}: {message}")));
            }
        }
        self.progress.add_rows(rows.unwrap_or(0));
        self.progress.add_bytes(draft.bytes());
        copying
            .version
            .finish(
                draft,
                File {
                    rows,
                    server_rows: after,
                    ..file
                },
            )
            .await?;
        Ok(true)
    }

    /// Compares a copy with the server's counts before and after, and with its edit dates.
    async fn judge(
        &self,
        layer: &Layer,
        rows: Option<u64>,
        before: Option<u64>,
    ) -> Result<(Verdict, Option<u64>), Trouble> {
        let not_counted = |message: &str| Verdict::Doubtful("rows_not_counted", message.to_owned());
        if !layer.can_query {
            return Ok((
                not_counted("the layer may not be queried, so its rows were not compared"),
                None,
            ));
        }
        let after = self.portal.count_rows(layer).await.map_err(at("rows"))?;
        let Some(rows) = rows else {
            return Ok((
                not_counted("the rows of this format were not counted"),
                after,
            ));
        };
        let (Some(before), Some(counted)) = (before, after) else {
            return Ok((
                not_counted("the server does not tell how many rows it has"),
                after,
            ));
        };
        let edited = self.portal.edit_dates(layer).await.map_err(at("rows"))? != layer.dates;
        let message = format!(
            "{rows} rows were read; the server counted {before} before and {counted} after"
        );
        // Without an edit the count cannot have moved: every row that it tells of must be here.
        let least = if edited { before.min(counted) } else { counted };
        Ok(match rows {
            _ if rows == before && rows == counted && !edited => (Verdict::Whole, after),
            _ if rows < least => (Verdict::Short(message), after),
            _ => (Verdict::Doubtful("changed_during_read", message), after),
        })
    }
}

impl Copying<'_> {
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
