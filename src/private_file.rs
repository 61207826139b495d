//! A file that only its owner may read, replaced as a whole: whatever dies, the old content or the new is there.

use std::io::{Error, Result, Write};
use std::path::Path;

/// Writes beside, syncs, renames. On return the new content is durable.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    // A link is followed: what it points to is to be replaced, not the link.
    let path = path.canonicalize().unwrap_or_else(|_new| path.to_owned());
    let folder = path
        .parent()
        .ok_or_else(|| Error::other("it has no folder"))?;
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    sync(folder)
}

#[cfg(unix)]
fn sync(folder: &Path) -> Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Windows cannot sync a folder; NTFS keeps the order of its own journal.
#[cfg(not(unix))]
fn sync(_: &Path) -> Result<()> {
    Ok(())
}
