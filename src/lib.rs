//! agol-backup: one pass copies what an ArcGIS account owns into an archive of plain files.
//!
//! The map, from the outside in:
//!
//! - [`config`], [`telemetry`], [`exit`], [`notify`]: how a run is asked for, how it speaks, how it ends.
//! - [`pass`]: the pipeline. Read this first.
//! - [`portal`]: the one edge, everything that is said to ArcGIS. [`archive`]: the other edge, everything
//!   that is kept. Neither knows the other.
//! - [`item`], [`snapshot`], [`summary`]: the vocabulary. [`decide`], [`shard`], [`retention`]: what is to be
//!   done, by which part of several, and what is to be kept. Pure.
//! - [`commands`]: what can be asked for besides a pass.
//! - [`token_file`], [`private_file`]: the one thing that is kept beside the archive, a person's sign-in.

pub mod archive;
pub mod commands;
pub mod config;
pub mod decide;
pub mod exit;
pub mod item;
mod members;
pub mod notify;
pub mod pass;
pub mod portal;
pub mod private_file;
pub mod progress;
pub mod retention;
pub mod shard;
pub mod snapshot;
pub mod summary;
pub mod tally;
pub mod telemetry;
pub mod token_file;

/// Name and version, as written into archives.
pub const PROGRAM: &str = concat!("agol-backup ", env!("CARGO_PKG_VERSION"));

/// What `--help` says.
pub const ABOUT: &str = "\
Backs up ArcGIS content to a folder: runs one pass and exits.

Without a command it runs one pass. Everything is configured by environment variables; README.md has
the table. Sign in once with agol-backup login, then set at least ARCGIS_REFRESH_TOKEN_FILE and
BACKUP_DESTINATION.

Exit codes: 0 complete, 2 configuration, 3 partial, 4 nothing found, 10 sign-in refused, 11 locked,
12 portal, 13 destination, 130 and 143 interrupted, 1 a defect.";
