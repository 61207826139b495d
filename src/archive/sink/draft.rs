//! A file being written. It becomes visible with `finish`, or never.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use opendal::{Buffer, Metadata};
use sha2::{Digest, Sha256};

use super::super::{Error, hex};
use super::reason::failed;
use super::spool::Spool;
use super::upload::Upload;
use super::{Kind, Sink};

/// Bytes per write to a folder: each is a trip to another thread.
const CHUNK: usize = 1 << 20;
/// One part of an upload. Stores take at most 10,000 of a file (50,000 Azure): 80 GB.
const PART: usize = 8 << 20;
/// Parts of one file side by side.
const PARTS: usize = 4;
/// `OneDrive` takes this much in one request.
const ONE_REQUEST: usize = 4 << 20;

/// A file being written.
pub struct Draft {
    sink: Arc<Sink>,
    path: String,
    hash: Sha256,
    bytes: u64,
    body: Body,
}

/// Where its bytes are.
enum Body {
    /// So few that the store has not heard of them: most files, and those that turn out to be stored already.
    Held(Vec<Bytes>),
    /// On their way.
    Sent(Upload),
    /// On the local disk, for a store that must be told the length first.
    Spooled(Spool),
}

impl Draft {
    pub(super) fn new(sink: Arc<Sink>, path: &str) -> Self {
        Self {
            sink,
            path: path.to_owned(),
            hash: Sha256::new(),
            bytes: 0,
            body: Body::Held(Vec::new()),
        }
    }

    /// Appends.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        // `OpenDAL`'s writer of files never gets past an empty one.
        if piece.is_empty() {
            return Ok(());
        }
        self.hash.update(&piece);
        self.bytes += piece.len() as u64;
        match &mut self.body {
            Body::Held(pieces) => {
                pieces.push(piece);
                if self.bytes > self.sink.kind.held() as u64 {
                    self.let_go().await?;
                }
                Ok(())
            }
            Body::Sent(upload) => upload
                .write(piece)
                .await
                .map_err(|error| failed(&self.path, &error)),
            Body::Spooled(spool) => spool.write(piece).await,
        }
    }

    /// Too much to be held: the bytes go where they belong.
    async fn let_go(&mut self) -> Result<(), Error> {
        let Body::Held(pieces) = &mut self.body else {
            return Ok(());
        };
        let pieces = std::mem::take(pieces);
        if matches!(self.sink.kind, Kind::OnePiece) {
            let mut spool = Spool::new()?;
            for piece in pieces {
                spool.write(piece).await?;
            }
            self.body = Body::Spooled(spool);
            return Ok(());
        }
        // It is where `drop` finds it while the store is asked.
        self.body = Body::Sent(self.sink.upload(&self.path)?);
        if let Body::Sent(upload) = &mut self.body {
            for piece in pieces {
                let sent = upload.write(piece).await;
                sent.map_err(|error| failed(&self.path, &error))?;
            }
        }
        Ok(())
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Length and SHA-256 of what was written so far.
    pub(in crate::archive) fn content(&self) -> (u64, String) {
        (self.bytes, hex(&self.hash.clone().finalize()))
    }

    /// Makes it visible and durable, and returns its SHA-256. After an error the store is asked before it is
    /// believed: replies get lost.
    pub(in crate::archive) async fn finish(mut self) -> Result<String, Error> {
        let written = match self.send().await {
            Ok(metadata) => self.sink.kind.told_length(metadata.as_ref()),
            Err(error) => {
                if self.sink.length(&self.path).await.ok().flatten() != Some(self.bytes) {
                    return Err(error);
                }
                Some(self.bytes)
            }
        };
        if let Kind::Folder(folder) = &self.sink.kind {
            folder.make_durable(&self.path).await?;
        }
        let there = match written {
            Some(length) => Some(length),
            None => self.sink.length(&self.path).await?,
        };
        if there == Some(self.bytes) {
            return Ok(self.content().1);
        }
        let there = there.map_or("nothing".to_owned(), |length| format!("{length} bytes"));
        Err(Error::Store(format!(
            "{}: {} bytes were written, and {there} of it is there",
            self.path, self.bytes
        )))
    }

    /// What the store said of the file. An upload stays in its place until it is over, because a signal can
    /// come while the store is asked.
    async fn send(&mut self) -> Result<Option<Metadata>, Error> {
        let whole = match &mut self.body {
            Body::Held(pieces) => Buffer::from(std::mem::take(pieces)),
            Body::Spooled(spool) => spool.buffer()?,
            Body::Sent(upload) => {
                let closed = upload.close().await;
                if closed.is_err() {
                    upload.call_off().await;
                }
                self.body = Body::Held(Vec::new());
                return closed.map_err(|error| failed(&self.path, &error));
            }
        };
        let operator = if self.path.starts_with("passes/") {
            &self.sink.signs
        } else {
            &self.sink.operator
        };
        let written = operator.write(&self.path, whole).await;
        written
            .map(Some)
            .map_err(|error| failed(&self.path, &error))
    }

    /// Leaves nothing behind.
    pub async fn discard(mut self) {
        if let Body::Sent(upload) = &mut self.body {
            upload.call_off().await;
            self.body = Body::Held(Vec::new());
        }
    }
}

impl Drop for Draft {
    /// A pass that is told to stop drops its drafts where they are; the store would keep their parts, and
    /// send a bill for them.
    fn drop(&mut self) {
        if let Body::Sent(upload) = std::mem::replace(&mut self.body, Body::Held(Vec::new())) {
            let unfinished = self.sink.unfinished.lock();
            let mut unfinished = unfinished.unwrap_or_else(PoisonError::into_inner);
            unfinished.push(upload);
        }
    }
}

impl Kind {
    /// Files up to this length are sent at once.
    fn held(&self) -> usize {
        match self {
            Self::Folder(_) => CHUNK,
            Self::Parts => PART,
            Self::OnePiece => ONE_REQUEST,
        }
    }

    /// What the store itself said that it has. The others' answers only repeat what was sent.
    fn told_length(&self, metadata: Option<&Metadata>) -> Option<u64> {
        let told = metadata.filter(|_| matches!(self, Self::OnePiece));
        told.map(Metadata::content_length)
    }
}

impl Sink {
    fn upload(&self, path: &str) -> Result<Upload, Error> {
        let wide = Arc::clone(&self.wide).try_acquire_owned().ok();
        let (part, at_a_time) = match self.kind {
            Kind::Folder(_) => (CHUNK, 1),
            _ if wide.is_some() => (PART, PARTS),
            _ => (PART, 1),
        };
        let upload = Upload::begin(&self.once, path, part, at_a_time, wide);
        upload.map_err(|error| failed(path, &error))
    }
}
