//! A file that only its owner may read, or a group that was let in on purpose. It is replaced as a whole: whatever
//! dies, the old content or the new is there.

use std::fs::{File, OpenOptions};
use std::io::{Error, Result, Write};
use std::path::Path;

/// Writes beside, syncs, renames. On return the new content is durable. It belongs to whom it did.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    // A link is followed: what it points to is to be replaced, not the link.
    let path = path.canonicalize().unwrap_or_else(|_new| path.to_owned());
    let folder = folder_of(&path)?;
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    fill(file.as_file_mut(), &path, content)?;
    file.persist(&path).map_err(|error| error.error)?;
    sync(folder)
}

/// The same by way of a file with a name, for who holds the right to it. A death leaves it there.
pub fn replace_by_way_of(beside: &Path, path: &Path, content: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    fill(&mut options.open(beside)?, path, content)?;
    put(beside, path)
}

/// Puts a file into the place of another, durably.
pub fn put(beside: &Path, path: &Path) -> Result<()> {
    std::fs::rename(beside, path)?;
    sync(folder_of(path)?)
}

fn fill(file: &mut File, like: &Path, content: &[u8]) -> Result<()> {
    if like.exists() {
        belong_like(like, file)?;
    }
    file.write_all(content)?;
    file.sync_all()
}

fn folder_of(path: &Path) -> Result<&Path> {
    let folder = path
        .parent()
        .ok_or_else(|| Error::other("it has no folder"))?;
    // A bare name lies in the working folder.
    let is_bare = folder.as_os_str().is_empty();
    Ok(if is_bare { Path::new(".") } else { folder })
}

/// An administrator who runs the job once must not lock its own user out.
#[cfg(unix)]
fn belong_like(path: &Path, file: &File) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let (wanted, made) = (path.metadata()?, file.metadata()?);
    if (wanted.uid(), wanted.gid()) != (made.uid(), made.gid()) {
        fchown(file, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    // A group that was let in on purpose; what everybody may read was never thought about.
    let (group, others) = (wanted.mode() & 0o060, wanted.mode() & 0o007);
    let group = if others == 0 { group } else { 0 };
    file.set_permissions(PermissionsExt::from_mode(0o600 | group))
}

/// On Windows a file has the rights of its folder.
#[cfg(not(unix))]
fn belong_like(_: &Path, _: &File) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows cannot sync a folder; NTFS keeps the order of its own journal.
#[cfg(not(unix))]
fn sync(_: &Path) -> Result<()> {
    Ok(())
}
