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
        joined(spawn_blocking(move || file.write_all(&piece)).await)
    }

    /// All of it, in one piece.
    pub(super) async fn into_buffer(self) -> Result<Buffer, Error> {
        let mapped = spawn_blocking(move || {
            // SAFETY: the file has no name and no other handle, so nobody can cut or alter it while it is mapped.
            unsafe { Mmap::map(&self.0) }
        });
        let mapped = joined(mapped.await)?;
        Ok(Buffer::from(Bytes::from_owner(mapped)))
    }
}

fn joined<T>(done: Result<std::io::Result<T>, tokio::task::JoinError>) -> Result<T, Error> {
    match done {
        Ok(result) => result.map_err(|error| failed(&error)),
        Err(error) => Err(Error::Store(error.to_string())),
    }
}

/// It is this machine's disk that fails, not the store.
fn failed(error: &std::io::Error) -> Error {
    at(
        "a large file for OneDrive is first put into this machine's temporary folder (TMPDIR)",
        error,
    )
}
