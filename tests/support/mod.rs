//! What the tests and the demo lean on: a portal on loopback, and worlds for it to hold.
#![allow(
    clippy::allow_attributes,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the suite and the demo each use a part of it"
)]

pub mod begun;
pub mod portal;
pub mod run;
pub mod worlds;
