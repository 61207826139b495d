//! The only room that holds an `OpenDAL` operator. Whatever the store, the same is promised: a file appears
//! whole or not at all, nothing is overwritten, memory is bounded, and an error says what the store said.

mod draft;
mod folder;
mod graph;
mod http;
mod open;
mod read;
mod reason;
mod remove;
mod spool;
mod upload;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use opendal::{Entry, ErrorKind, Operator};
use tokio::sync::Semaphore;

use super::Error;
pub use draft::Draft;
use folder::Folder;
pub(super) use folder::missing_folders;
use graph::Uploads;
use reason::failed;
use upload::Upload;

/// A destination.
pub(super) struct Sink {
    operator: Operator,
    /// Without retries: uploads have their own.
    once: Operator,
    /// For the signs of running passes, below `passes/`: written in place, so that nobody who sweeps
    /// unfinished files takes away what another pass is writing. Half a sign is a sign.
    signs: Operator,
    kind: Kind,
    /// Several files may be removed by one request.
    batches: bool,
    /// Uploads that were dropped on the way: they are called off before the pass ends.
    unfinished: Mutex<Vec<Upload>>,
    /// The same in `OneDrive`, where each has an address.
    addressed: Option<Arc<Uploads>>,
    /// Who has it sends several parts of a file side by side, everybody else one after another: memory is
    /// bounded over all files, and nobody ever waits for another's file to end.
    wide: Arc<Semaphore>,
}

/// How a store takes a file.
#[derive(Debug)]
enum Kind {
    /// Written beside and renamed.
    Folder(Folder),
    /// Sent in parts that become one object at the end.
    Parts,
    /// Sent in one piece, whose length must be known.
    OnePiece,
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sink")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Sink {
    /// A new file. Nobody writes a name twice: that is asked of the store too.
    pub(super) async fn draft(self: &Arc<Self>, path: &str) -> Result<Draft, Error> {
        match self.length(path).await? {
            None => Ok(Draft::new(Arc::clone(self), path)),
            Some(_) => Err(Error::Store(format!(
                "{path} is there already, and nothing is ever overwritten"
            ))),
        }
    }

    /// A whole file at once. Returns its SHA-256.
    pub(super) async fn store(
        self: &Arc<Self>,
        path: &str,
        bytes: Vec<u8>,
    ) -> Result<String, Error> {
        let mut draft = self.draft(path).await?;
        draft.write(bytes.into()).await?;
        draft.finish().await
    }

    /// For the signs of a running pass, the only files that are ever rewritten.
    pub(super) async fn rewrite(self: &Arc<Self>, path: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let mut draft = Draft::new(Arc::clone(self), path);
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

    /// The names of the files in a folder; none when there is no such folder.
    pub(super) async fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let found = self.list(folder).await?;
        let files = found.iter().filter(|entry| entry.metadata().is_file());
        Ok(files.map(|entry| entry.name().to_owned()).collect())
    }

    /// The names of the folders in a folder; none when there is no such folder.
    pub(super) async fn folders(&self, folder: &str) -> Result<Vec<String>, Error> {
        let found = self.list(folder).await?;
        let folders = found.iter().filter(|entry| entry.metadata().is_dir());
        let names = folders.map(|entry| entry.name().trim_end_matches('/').to_owned());
        Ok(names.collect())
    }

    /// What is in a folder, not what is in its folders.
    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Error> {
        let folder = format!("{folder}/");
        let mut found = self
            .operator
            .list(&folder)
            .await
            .map_err(|error| failed(&folder, &error))?;
        // Some stores list the folder itself too.
        found.retain(|entry| entry.path() != folder);
        Ok(found)
    }

    /// Everything below a folder, however deep. `OneDrive` would be asked folder by folder.
    async fn list_deep(&self, folder: &str) -> Result<Vec<Entry>, Error> {
        let deep = opendal::options::ListOptions {
            recursive: true,
            ..Default::default()
        };
        let listed = self.operator.list_options(folder, deep).await;
        listed.map_err(|error| failed(folder, &error))
    }

    /// When a file was last written, by the store's clock.
    pub(super) async fn written_at(&self, path: &str) -> Result<Option<Timestamp>, Error> {
        let about = self.about(path).await?;
        Ok(about.and_then(|about| {
            about
                .last_modified()
                .map(opendal::raw::Timestamp::into_inner)
        }))
    }

    /// Its length in bytes, if it is there.
    async fn length(&self, path: &str) -> Result<Option<u64>, Error> {
        let about = self.about(path).await?;
        Ok(about.map(|about| about.content_length()))
    }

    async fn about(&self, path: &str) -> Result<Option<opendal::Metadata>, Error> {
        match self.operator.stat(path).await {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(path, &error)),
        }
    }

    /// Calls off the uploads that this pass began and did not finish.
    pub(super) async fn call_off(&self) {
        let uploads = std::mem::take(
            &mut *self
                .unfinished
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for mut upload in uploads {
            upload.call_off().await;
        }
        if let Some(addressed) = &self.addressed {
            addressed.call_off().await;
        }
    }

    /// Removes unfinished files, whoever began them. Only who holds the destination may do this.
    pub(super) async fn sweep(&self) -> Result<(), Error> {
        match &self.kind {
            Kind::Folder(folder) => folder.remove_partial().await,
            Kind::Parts | Kind::OnePiece => Ok(()),
        }
    }
}
