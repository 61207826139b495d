//! How many pages may be held in memory at once, over all layers of a pass.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::portal::Error;

/// Pages in flight or waiting for their turn to be written.
#[derive(Debug)]
pub(crate) struct PageBudget {
    pages: Arc<Semaphore>,
    width: usize,
}

/// A page's share of the memory; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    _permit: OwnedSemaphorePermit,
}

impl PageBudget {
    /// As many pages as requests, and a few that wait: more would only fill memory.
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            pages: Arc::new(Semaphore::new(concurrency + 4)),
            width: concurrency,
        }
    }

    /// Pages of one layer in flight.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// First come, first served: the page that a layer writes next was asked for before its later ones, so
    /// whoever holds shares can always go on.
    pub(super) async fn share(&self) -> Result<Share, Error> {
        let permit = Arc::clone(&self.pages).acquire_owned().await;
        permit
            .map(|permit| Share { _permit: permit })
            .map_err(|_closed| Error::Unavailable("the pass is ending".to_owned()))
    }
}
