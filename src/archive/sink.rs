//! The only room that holds an OpenDAL operator. On a local folder a file is written beside, synced,
//! renamed, and its folder synced: nothing torn is ever visible under its final name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use opendal::{ErrorKind, Operator, Writer, services};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::{Error, hex};

/// Unfinished files lie here, below the destination, so that a rename never crosses a file system.
const PARTIAL: &str = ".agol-backup-partial";
/// Bytes per write call: each is a trip to another thread.
const CHUNK: usize = 1 << 20;

/// A destination.
#[derive(Debug)]
pub(super) struct Sink {
    operator: Operator,
    root: PathBuf,
    /// Folders whose own entry is known to be durable.
    durable: Mutex<HashSet<PathBuf>>,
}

/// A file being written. It becomes visible with `finish`, or never.
pub struct Draft {
    writer: Writer,
    path: String,
    hash: Sha256,
    bytes: u64,
    sink: std::sync::Arc<Sink>,
}

impl Sink {
    pub(super) fn open(destination: &Path) -> Result<Self, Error> {
        let root =
            std::path::absolute(destination).map_err(|error| at(destination.display(), &error))?;
        if root.exists() && !root.is_dir() {
            return Err(Error::Store(format!(
                "{} is a file: give the path of a folder",
                root.display()
            )));
        }
        let text = |path: &Path| {
            let text = path.to_str().map(ToOwned::to_owned);
            text.ok_or_else(|| Error::Store(format!("{} is not valid UTF-8", path.display())))
        };
        let partial = root.join(PARTIAL);
        let service = services::Fs::default()
            .root(&text(&root)?)
            .atomic_write_dir(&text(&partial)?);
        // Creates the folder.
        let operator =
            Operator::new(service).map_err(|error| failed(&root.display().to_string(), &error))?;
        Ok(Self {
            operator,
            root,
            durable: Mutex::default(),
        })
    }

    /// A new file. Nobody writes a name twice: that is asked of the store too.
    pub(super) async fn draft(self: &std::sync::Arc<Self>, path: &str) -> Result<Draft, Error> {
        if self
            .operator
            .exists(path)
            .await
            .map_err(|error| failed(path, &error))?
        {
            return Err(Error::Store(format!(
                "{path} is there already, and nothing is ever overwritten"
            )));
        }
        self.overwriting(path).await
    }

    async fn overwriting(self: &std::sync::Arc<Self>, path: &str) -> Result<Draft, Error> {
        let writer = self
            .operator
            .writer_with(path)
            .chunk(CHUNK)
            .await
            .map_err(|error| failed(path, &error))?;
        let sink = std::sync::Arc::clone(self);
        Ok(Draft {
            writer,
            path: path.to_owned(),
            hash: Sha256::new(),
            bytes: 0,
            sink,
        })
    }

    /// A whole file at once. Returns its SHA-256.
    pub(super) async fn store(
        self: &std::sync::Arc<Self>,
        path: &str,
        bytes: Vec<u8>,
    ) -> Result<String, Error> {
        let mut draft = self.draft(path).await?;
        draft.write(bytes.into()).await?;
        draft.finish().await
    }

    /// For the marker of a running pass, the only file that is ever rewritten.
    pub(super) async fn rewrite(
        self: &std::sync::Arc<Self>,
        path: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Error> {
        let mut draft = self.overwriting(path).await?;
        draft.write(bytes.into()).await?;
        draft.finish().await.map(|_| ())
    }

    pub(super) async fn read(&self, path: &str) -> Result<Option<Bytes>, Error> {
        match self.operator.read(path).await {
            Ok(content) => Ok(Some(content.to_bytes())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(path, &error)),
        }
    }

    /// The names in a folder; none when there is no such folder.
    pub(super) async fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let folder = format!("{folder}/");
        let entries = self
            .operator
            .list(&folder)
            .await
            .map_err(|error| failed(&folder, &error))?;
        Ok(entries
            .iter()
            .filter(|entry| entry.metadata().is_file())
            .map(|entry| entry.name().to_owned())
            .collect())
    }

    /// When a file was last written, by the store's clock.
    pub(super) async fn written_at(&self, path: &str) -> Result<Option<Timestamp>, Error> {
        match self.operator.stat(path).await {
            Ok(metadata) => Ok(metadata
                .last_modified()
                .map(opendal::raw::Timestamp::into_inner)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(path, &error)),
        }
    }

    pub(super) async fn remove(&self, path: &str) -> Result<(), Error> {
        self.operator
            .delete(path)
            .await
            .map_err(|error| failed(path, &error))
    }

    /// Removes a folder that this pass made and nobody names.
    pub(super) async fn remove_folder(&self, folder: &str) -> Result<(), Error> {
        let whole = opendal::options::DeleteOptions {
            recursive: true,
            ..Default::default()
        };
        self.operator
            .delete_options(&format!("{folder}/"), whole)
            .await
            .map_err(|error| failed(folder, &error))
    }

    /// Unfinished files of this pass and of dead ones. Only who holds the destination may do this.
    pub(super) async fn remove_partial(&self) -> Result<(), Error> {
        let partial = self.root.join(PARTIAL);
        match tokio::fs::remove_dir_all(&partial).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(at(partial.display(), &error))
            }
            _ => Ok(()),
        }
    }

    /// A rename lasts only when its folder is synced, a new folder only when its parent is.
    async fn make_durable(self: &std::sync::Arc<Self>, path: &str) -> Result<(), Error> {
        let sink = std::sync::Arc::clone(self);
        let path = self.root.join(path);
        let synced = spawn_blocking(move || {
            let mut folder = path.parent();
            while let Some(current) = folder.filter(|folder| folder.starts_with(&sink.root)) {
                sync_folder(current).map_err(|error| at(current.display(), &error))?;
                let mut durable = sink.durable.lock().unwrap_or_else(PoisonError::into_inner);
                if !durable.insert(current.to_owned()) {
                    break;
                }
                folder = current.parent();
            }
            Ok(())
        });
        synced
            .await
            .unwrap_or_else(|error| Err(Error::Store(error.to_string())))
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Windows cannot sync a folder; NTFS keeps the order of its own journal.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

impl Draft {
    /// Appends.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        self.hash.update(&piece);
        self.bytes += piece.len() as u64;
        self.writer
            .write(piece)
            .await
            .map_err(|error| failed(&self.path, &error))
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Length and SHA-256 of what was written so far.
    pub(super) fn content(&self) -> (u64, String) {
        (self.bytes, hex(&self.hash.clone().finalize()))
    }

    /// Makes it visible and durable, and returns its SHA-256. After an error the store is asked before it is believed.
    pub(super) async fn finish(mut self) -> Result<String, Error> {
        if let Err(error) = self.writer.close().await {
            self.give_up().await;
            if self.stored_length().await != Some(self.bytes) {
                return Err(failed(&self.path, &error));
            }
        }
        self.sink.make_durable(&self.path).await?;
        match self.stored_length().await {
            Some(length) if length == self.bytes => {}
            found => {
                let found = found.map_or("nothing".to_owned(), |length| format!("{length} bytes"));
                return Err(Error::Store(format!(
                    "{}: {} bytes were written, {found} are there",
                    self.path, self.bytes
                )));
            }
        }
        Ok(hex(&self.hash.finalize()))
    }

    /// Leaves nothing behind.
    pub async fn discard(mut self) {
        self.give_up().await;
    }

    async fn give_up(&mut self) {
        if let Err(error) = self.writer.abort().await {
            // The folder of unfinished files is emptied at the end of the pass in any case.
            tracing::debug!(path = self.path, error = %error, "unfinished file not removed");
        }
    }

    async fn stored_length(&self) -> Option<u64> {
        self.sink
            .operator
            .stat(&self.path)
            .await
            .ok()
            .map(|metadata| metadata.content_length())
    }
}

/// The reason at the bottom, such as "No space left on device", says more than OpenDAL's own words.
fn failed(path: &str, error: &opendal::Error) -> Error {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    at(path, reason)
}

fn at(path: impl std::fmt::Display, error: &dyn std::error::Error) -> Error {
    Error::Store(format!("{path}: {error}"))
}
