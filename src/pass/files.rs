//! Streams one file from the portal into the archive: begun anew when it breaks off, checked for its length.

use super::Pass;
use super::trouble::{Trouble, at};
use crate::archive::{Draft, Version};
use crate::portal::{self, Download};
use crate::snapshot::File;

/// A file to be copied.
pub(super) struct Errand<'a> {
    /// For logs and errors.
    pub(super) subject: &'a str,
    /// Where its failure counts.
    pub(super) stage: &'a str,
    /// Its length, where somebody told it.
    pub(super) length: Option<u64>,
    /// Whether it may be empty. An empty answer for a file that exists is often a fault of the moment.
    pub(super) may_be_empty: bool,
}

impl Pass<'_> {
    /// Copies a file; false when the portal has none, or an empty one. `label` sees the beginning of the
    /// file, because the bytes decide what it is.
    pub(super) async fn copy_file(
        &self,
        version: &Version,
        errand: &Errand<'_>,
        open: impl AsyncFn() -> Result<Opened, portal::Error>,
        label: impl Fn(&Download) -> File,
    ) -> Result<bool, Trouble> {
        let mut patience = self.portal.patience();
        loop {
            let mut download = match open().await.map_err(at(errand.stage))? {
                Opened::File(download) => download,
                Opened::Absent => return Ok(false),
                Opened::Empty if errand.may_be_empty => return Ok(false),
                Opened::Empty => {
                    let empty = portal::Error::Unavailable("an empty file came".to_owned());
                    match patience.after_cut(errand.subject, empty, self.portal).await {
                        Ok(()) => continue,
                        Err(_) => return Ok(false),
                    }
                }
            };
            let file = label(&download);
            let mut draft = version.draft(&file).await?;
            match self.stream(&mut download, &mut draft, errand.length).await {
                Ok(()) => {
                    self.progress.add_bytes(version.finish(draft, file).await?);
                    return Ok(true);
                }
                Err(Broken::Portal(error)) => {
                    draft.discard().await;
                    patience
                        .after_cut(errand.subject, error, self.portal)
                        .await
                        .map_err(at(errand.stage))?;
                }
                Err(Broken::Sink(error)) => {
                    draft.discard().await;
                    return Err(error.into());
                }
            }
        }
    }

    async fn stream(
        &self,
        download: &mut Download,
        draft: &mut Draft,
        expected: Option<u64>,
    ) -> Result<(), Broken> {
        while let Some(piece) = download.chunk().await.map_err(Broken::Portal)? {
            self.progress.come(0, piece.len());
            draft.write(piece).await.map_err(Broken::Sink)?;
            if expected.is_some_and(|expected| draft.bytes() > expected) {
                break;
            }
        }
        // The announced length is kept by the transport; a body without one can end anywhere.
        match expected {
            Some(expected) if draft.bytes() != expected => {
                let more = if draft.bytes() > expected {
                    "more than "
                } else {
                    ""
                };
                let message = format!(
                    "{more}{} bytes came, {expected} were announced",
                    draft.bytes()
                );
                Err(Broken::Portal(portal::Error::Unavailable(message)))
            }
            _ => Ok(()),
        }
    }
}

/// What came when a file was asked for.
pub(super) enum Opened {
    File(Box<Download>),
    Empty,
    /// The portal has no such file.
    Absent,
}

impl From<Option<Download>> for Opened {
    fn from(download: Option<Download>) -> Self {
        download.map_or(Self::Empty, |download| Self::File(Box::new(download)))
    }
}

/// Which side broke.
enum Broken {
    Portal(portal::Error),
    Sink(crate::archive::Error),
}
