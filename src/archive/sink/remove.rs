//! Removes files and folders.

use futures::{StreamExt, TryStreamExt};
use opendal::options::DeleteOptions;

use super::super::Error;
use super::reason::failed;
use super::{Kind, Sink};

/// Requests side by side, where each removes one file.
const AT_ONCE: usize = 8;

impl Sink {
    pub(in crate::archive) async fn remove(&self, path: &str) -> Result<(), Error> {
        let removed = self.operator.delete(path).await;
        removed.map_err(|error| failed(path, &error))
    }

    /// Removes files, as many in one request as the store allows.
    pub(in crate::archive) async fn remove_all(&self, paths: Vec<String>) -> Result<(), Error> {
        let Some(first) = paths.first().cloned() else {
            return Ok(());
        };
        if self.batches {
            let removed = self.operator.delete_iter(paths).await;
            return removed.map_err(|error| failed(&first, &error));
        }
        let each = futures::stream::iter(paths).map(async |path| self.remove(&path).await);
        each.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Removes a folder below `items/` with everything in it.
    pub(in crate::archive) async fn remove_folder(&self, folder: &str) -> Result<(), Error> {
        if !folder.starts_with("items/") || folder.split('/').any(|part| matches!(part, "" | ".."))
        {
            return Err(Error::Store(format!("{folder} is not a folder of an item")));
        }
        let path = format!("{folder}/");
        if matches!(self.kind, Kind::Parts) && !self.batches {
            return self.remove_all(self.files_below(&path).await?).await;
        }
        let whole = DeleteOptions {
            // OneDrive removes a folder as a whole, and would otherwise be asked file by file.
            recursive: !matches!(self.kind, Kind::OnePiece),
            ..DeleteOptions::default()
        };
        let removed = self.operator.delete_options(&path, whole).await;
        removed.map_err(|error| failed(folder, &error))
    }

    async fn files_below(&self, folder: &str) -> Result<Vec<String>, Error> {
        let listed = self.list_deep(folder).await?;
        let files = listed.iter().filter(|entry| entry.metadata().is_file());
        Ok(files.map(|entry| entry.path().to_owned()).collect())
    }
}
