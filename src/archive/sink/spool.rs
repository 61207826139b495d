//! A file on the local disk that has no name: gone with the process, whatever ends it. What is sent from it is
//! mapped, never held in memory.

#![expect(
    unsafe_code,
    reason = "the one place: a mapped file has no safe constructor, because others could cut it"
)]

use std::io::Write;

use bytes::Bytes;
use memmap2::Mmap;
use opendal::Buffer;
use tokio::task::spawn_blocking;

use super::super::Error;
use super::reason::at;

pub(super) struct Spool(std::fs::File);

impl Spool {
    pub(super) fn new() -> Result<Self, Error> {
        tempfile::tempfile()
            .map(Self)
            .map_err(|error| failed(&error))
    }

    pub(super) async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        let mut file = self.0.try_clone().map_err(|error| failed(&error))?;
        match spawn_blocking(move || file.write_all(&piece)).await {
            Ok(written) => written.map_err(|error| failed(&error)),
            Err(error) => Err(Error::Store(error.to_string())),
        }
    }

    /// All of it, in one piece.
    pub(super) fn buffer(&self) -> Result<Buffer, Error> {
        // SAFETY: the file has no name, its only handle is this one, and nobody writes to it once it is sent.
        let mapped = unsafe { Mmap::map(&self.0) }.map_err(|error| failed(&error))?;
        Ok(Buffer::from(Bytes::from_owner(mapped)))
    }
}

/// It is this machine's disk that fails, not the store.
fn failed(error: &std::io::Error) -> Error {
    at(
        "a large file for OneDrive is first put into this machine's temporary folder (TMPDIR)",
        error,
    )
}
