//! Every test of the project in one binary: each file is one promise, each name a sentence.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where its world is not as it was made"
)]

mod support;

mod architecture;
mod archive;
mod behaviours;
mod check;
mod crash;
mod decide;
mod deploy;
mod discover;
mod documents;
mod exports;
mod faults;
mod frozen;
mod graph_itself;
mod hostile;
mod interrupted;
mod items;
mod judged_by_others;
mod login;
mod memory;
mod notify;
mod portal_itself;
mod process;
mod prune;
mod query;
mod renewal;
mod retention;
mod shard;
mod sign_in;
mod sinks;
mod stores_themselves;
mod throttle;
mod tls;
mod truth;
mod unchanged;
mod verify;
mod whole;
