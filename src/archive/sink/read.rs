//! Looks at files that are there: their bytes, their lengths.

use std::collections::{BTreeSet, HashMap};

use bytes::{Buf, Bytes};
use futures::{StreamExt, TryStreamExt};
use opendal::ErrorKind;
use sha2::{Digest, Sha256};

use super::super::{Error, hex};
use super::reason::failed;
use super::{Kind, Sink};

/// Questions side by side.
const AT_ONCE: usize = 8;

impl Sink {
    /// Streams a file past `each`, and returns its length and SHA-256; `None` when it is not there.
    pub(in crate::archive) async fn digest(
        &self,
        path: &str,
        each: impl AsyncFn(Bytes),
    ) -> Result<Option<(u64, String)>, Error> {
        let (mut bytes, mut hash) = (0, Sha256::new());
        let reader = self.operator.reader(path).await;
        let mut stream = match reader {
            Ok(reader) => reader.into_stream(..).await,
            Err(error) => Err(error),
        };
        loop {
            let piece = match &mut stream {
                Ok(stream) => stream.try_next().await,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failed(path, error)),
            };
            match piece {
                Ok(Some(mut piece)) => {
                    let piece = piece.copy_to_bytes(piece.remaining());
                    bytes += piece.len() as u64;
                    hash.update(&piece);
                    each(piece).await;
                }
                Ok(None) => return Ok(Some((bytes, hex(&hash.finalize())))),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failed(path, &error)),
            }
        }
    }

    /// Whether lengths are cheap to have.
    pub(in crate::archive) fn tells_lengths(&self) -> bool {
        !matches!(self.kind, Kind::OnePiece)
    }

    /// The lengths of files below `items/`, by path; without those that are not there. Where a listing tells
    /// lengths, there is one for each item; elsewhere each file is asked for.
    pub(in crate::archive) async fn lengths(
        &self,
        paths: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, u64>, Error> {
        if !matches!(self.kind, Kind::Parts) {
            let paths: Vec<String> = paths.map(ToOwned::to_owned).collect();
            return self.asked_lengths(paths).await;
        }
        let folders: BTreeSet<String> = paths.filter_map(item_folder).collect();
        let mut lengths = HashMap::new();
        for folder in folders {
            let listed = self.list_deep(&folder).await?;
            let files = listed.iter().filter(|entry| entry.metadata().is_file());
            lengths.extend(files.map(|entry| {
                let length = entry.metadata().content_length();
                (entry.path().to_owned(), length)
            }));
        }
        Ok(lengths)
    }

    async fn asked_lengths(&self, paths: Vec<String>) -> Result<HashMap<String, u64>, Error> {
        let asked = futures::stream::iter(paths)
            .map(async |path| {
                let length = self.length(&path).await?;
                Ok(length.map(|length| (path, length)))
            })
            .buffer_unordered(AT_ONCE);
        let found: Vec<Option<_>> = asked.try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// `items/parks-0123…/20261123T020000Z/item.json` → `items/parks-0123…/`
fn item_folder(path: &str) -> Option<String> {
    let mut parts = path.splitn(3, '/');
    let (items, item) = (parts.next()?, parts.next()?);
    Some(format!("{items}/{item}/"))
}
