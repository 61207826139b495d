//! What the tests and the demo lean on: a portal on loopback, worlds for it to hold, and stores.
#![allow(
    clippy::allow_attributes,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the suite and the demo each use a part of it"
)]

pub mod aged;
pub mod aside;
pub mod azurite;
pub mod begun;
pub mod browser;
pub mod fault;
pub mod graph;
pub mod moto;
pub mod office;
pub mod portal;
pub mod proxy;
pub mod receiver;
pub mod run;
pub mod s3;
pub mod store;
pub mod stranger;
pub mod tls;
pub mod worlds;
