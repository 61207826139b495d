//! What only a local folder needs: a file is written beside, synced, renamed, and its folder synced, so that
//! nothing torn is ever visible under its final name, and what is visible outlives a power cut.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use opendal::services;
use tokio::task::spawn_blocking;

use super::super::Error;
use super::reason::at;

/// Unfinished files lie here, below the destination, so that a rename never crosses a file system.
const PARTIAL: &str = ".agol-backup-partial";

/// The folders that a first file in `passes/` would make, the deepest first.
pub(in crate::archive) fn missing_folders(destination: &Path) -> Vec<PathBuf> {
    let Ok(root) = std::path::absolute(destination) else {
        return Vec::new();
    };
    let inner = ["passes", PARTIAL].map(|name| root.join(name));
    let outer = root.ancestors().map(ToOwned::to_owned);
    let all = inner.into_iter().chain(outer);
    all.filter(|folder| !folder.exists()).collect()
}

/// A folder of this machine.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Folders whose own entry is known to be durable.
    durable: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Folder {
    /// Finds the folder; it is made when the stores are built, of which one writes beside and renames, the
    /// other in place.
    pub(super) fn at(destination: &Path) -> Result<(Self, services::Fs, services::Fs), Error> {
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
        let in_place = services::Fs::default().root(&text(&root)?);
        let beside = services::Fs::default()
            .root(&text(&root)?)
            .atomic_write_dir(&text(&root.join(PARTIAL))?);
        let durable = Arc::default();
        Ok((Self { root, durable }, beside, in_place))
    }

    /// Unfinished files of this pass and of dead ones.
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
    pub(super) async fn make_durable(&self, path: &str) -> Result<(), Error> {
        let this = self.clone();
        let path = self.root.join(path);
        let synced = spawn_blocking(move || {
            let mut folder = path.parent();
            while let Some(current) = folder.filter(|folder| folder.starts_with(&this.root)) {
                sync_folder(current).map_err(|error| at(current.display(), &error))?;
                let mut durable = this.durable.lock().unwrap_or_else(PoisonError::into_inner);
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
