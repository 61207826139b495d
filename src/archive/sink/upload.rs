//! A file on its way in parts. `OpenDAL`'s retries lose a writer whose request is dropped on the way, and with it
//! the only means to call the upload off: so what is sent here is sent again from here.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use opendal::options::WriteOptions;
use opendal::raw::oio::{self, Write};
use opendal::raw::{OpWrite, Service};
use opendal::{Buffer, Error, ErrorKind, Metadata, Operator, Result};
use tokio::sync::OwnedSemaphorePermit;
use tracing::{info, warn};

use super::reason;

/// After 0.5, 1, 2, 4 and 8 seconds.
pub(super) const RETRIES: usize = 5;
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Who drops it has called nothing off.
pub(super) struct Upload {
    writer: oio::Writer,
    /// All parts but the last are this long: some stores insist.
    part: usize,
    /// The begin of a part.
    pieces: Vec<Bytes>,
    /// Kept as long as several parts may be on their way.
    _wide: Option<OwnedSemaphorePermit>,
}

/// What is asked of the store.
enum Step {
    Part(Buffer),
    End,
    CallOff,
}

impl Upload {
    /// Contacts nobody yet.
    pub(super) fn begin(
        operator: &Operator,
        path: &str,
        part: usize,
        at_a_time: usize,
        wide: Option<OwnedSemaphorePermit>,
    ) -> Result<Self> {
        let options = WriteOptions {
            concurrent: at_a_time,
            ..WriteOptions::default()
        };
        let store = operator.service();
        let (how, _) = OpWrite::from_options(&store.capability(), options)?;
        let writer = store.write(operator.context(), path, how)?;
        Ok(Self {
            writer,
            part,
            pieces: Vec::new(),
            _wide: wide,
        })
    }

    pub(super) async fn write(&mut self, mut piece: Bytes) -> Result<()> {
        while !piece.is_empty() {
            let room = self.part - self.pieces.iter().map(Bytes::len).sum::<usize>();
            let fits = piece.split_to(room.min(piece.len()));
            let full = fits.len() == room;
            self.pieces.push(fits);
            if full {
                self.send_pieces().await?;
            }
        }
        Ok(())
    }

    async fn send_pieces(&mut self) -> Result<()> {
        let part = Buffer::from(std::mem::take(&mut self.pieces));
        if !part.is_empty() {
            self.ask(Step::Part(part)).await?;
        }
        Ok(())
    }

    /// Makes one file of all parts. `None` where the store says nothing of it.
    pub(super) async fn close(&mut self) -> Result<Option<Metadata>> {
        self.send_pieces().await?;
        self.ask(Step::End).await
    }

    /// A folder's writer cannot, and its unfinished file is swept at the end of the pass.
    pub(super) async fn call_off(&mut self) {
        if let Err(error) = self.ask(Step::CallOff).await
            && error.kind() != ErrorKind::Unsupported
        {
            warn!(reason = reason::of(&error), "unfinished upload left");
        }
    }

    async fn ask(&mut self, step: Step) -> Result<Option<Metadata>> {
        let waits = ExponentialBuilder::default().with_min_delay(FIRST_WAIT);
        let waits = waits.with_max_times(RETRIES).build();
        for (attempt, wait) in (1..).zip(waits) {
            match self.ask_once(&step).await {
                Err(error) if error.is_temporary() => {
                    retried(&error, attempt, wait);
                    tokio::time::sleep(wait).await;
                }
                answer => return answer,
            }
        }
        self.ask_once(&step).await
    }

    async fn ask_once(&mut self, step: &Step) -> Result<Option<Metadata>> {
        match step {
            Step::Part(part) => self.writer.write(part.clone()).await.map(|()| None),
            Step::End => self.writer.close().await.map(Some),
            Step::CallOff => self.writer.abort().await.map(|()| None),
        }
    }
}

pub(super) fn retried(error: &Error, attempt: u32, wait: Duration) {
    info!(
        subject = "destination",
        reason = reason::of(error),
        attempt,
        wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        "request retried"
    );
}
