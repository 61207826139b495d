//! How far a run is: a line every half minute, and the bar on a terminal.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tracing::info;

use crate::telemetry;

/// Between two `progress` lines.
const EVERY: Duration = Duration::from_secs(30);

/// Counters of a run.
#[derive(Debug, Default)]
pub struct Progress {
    items: AtomicU64,
    done: AtomicU64,
    /// Believed and stored.
    rows: AtomicU64,
    bytes: AtomicU64,
    /// Come so far, also what is thrown away again: only for the eye.
    rows_come: AtomicU64,
    bytes_come: AtomicU64,
}

impl Progress {
    /// How many items there are.
    pub fn expect(&self, items: usize) {
        self.items.store(items as u64, Ordering::Relaxed);
        telemetry::bar().set_length(items as u64);
    }

    /// One of them is done.
    pub fn item_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        telemetry::bar().inc(1);
    }

    /// Rows that are believed and stored.
    pub fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Bytes that are stored.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What has come, also if it is thrown away again.
    pub fn come(&self, rows: u64, bytes: usize) {
        self.rows_come.fetch_add(rows, Ordering::Relaxed);
        self.bytes_come.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Rows read and stored so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Bytes stored so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Does the work and tells how far it is meanwhile.
    pub async fn told_while<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            result = work => result,
            () = self.tell() => std::future::pending().await,
        }
    }

    async fn tell(&self) {
        let mut ticks = interval(Duration::from_millis(250));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut told = tokio::time::Instant::now();
        loop {
            ticks.tick().await;
            let rows = self.rows_come.load(Ordering::Relaxed);
            let bytes = self.bytes_come.load(Ordering::Relaxed);
            telemetry::bar().set_message(format!("{rows} rows, {}", indicatif::HumanBytes(bytes)));
            telemetry::bar().tick();
            if told.elapsed() >= EVERY {
                told = tokio::time::Instant::now();
                let (done, items) = (
                    self.done.load(Ordering::Relaxed),
                    self.items.load(Ordering::Relaxed),
                );
                info!(items_done = done, items, rows, bytes, "progress");
            }
        }
    }
}
