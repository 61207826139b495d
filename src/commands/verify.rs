//! `agol-backup verify`: whether what was stored is still there, byte for byte.

use tokio::time::Instant;
use tracing::{error, info, warn};

use super::repair;
use crate::archive::{Archive, Finding, Verified, WHOLE, Wish};
use crate::config::Keeping;
use crate::exit::{Exit, Stop};
use crate::progress::Progress;
use crate::snapshot::{Stamp, now};
use crate::telemetry;

/// What `verify` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// This snapshot instead of the newest
    #[arg(long, value_name = "STAMP", value_parser = stamp)]
    snapshot: Option<Stamp>,
    /// Every snapshot
    #[arg(long, conflicts_with = "snapshot")]
    all: bool,
    /// Read only this share of the files, others each time; of the rest only presence and length are looked at
    #[arg(long, value_name = "10%", value_parser = share)]
    sample: Option<u64>,
    /// Mark what is damaged in the newest snapshot, so that the next pass reads it anew
    #[arg(long, conflicts_with_all = ["snapshot", "all"])]
    repair: bool,
}

/// Tells every finding, and the end, in log lines.
pub(super) async fn run(keeping: &Keeping, options: &Options) -> Result<Exit, Stop> {
    let began = Instant::now();
    let archive = Archive::open_existing(&keeping.destination)?;
    info!(destination = %keeping.destination, "verify started");
    let progress = Progress::default();
    let work = async {
        if options.repair {
            repair::run(&archive, &options.wish(Vec::new()), &progress).await
        } else {
            let wish = options.wish(stamps(&archive, options).await?);
            Ok(archive.verify(&wish, &progress).await?)
        }
    };
    let verified = progress.told_while(work).await?;
    for finding in &verified.findings {
        tell(finding);
    }
    telemetry::bar().finish_and_clear();
    Ok(close(&verified, began))
}

impl Options {
    fn wish(&self, stamps: Vec<Stamp>) -> Wish {
        Wish {
            stamps,
            share: self.sample.unwrap_or(WHOLE),
            seed: now().as_second().unsigned_abs(),
        }
    }
}

/// Those that are asked for, and with them those that should be there and are not.
async fn stamps(archive: &Archive, options: &Options) -> Result<Vec<Stamp>, Stop> {
    if let Some(wanted) = &options.snapshot {
        return Ok(vec![wanted.clone()]);
    }
    let there = archive.all_stamps().await?;
    let newest = there.last().filter(|_| !options.all);
    let lost = archive.lost_snapshots(&there, newest).await?;
    let mut wanted = match newest {
        Some(newest) => vec![newest.clone()],
        None => there,
    };
    wanted.extend(lost);
    if wanted.is_empty() {
        return Err(Stop::Empty("there is no snapshot to verify".to_owned()));
    }
    Ok(wanted)
}

fn tell(finding: &Finding) {
    let (item, title) = finding.item.clone().unzip();
    let snapshots: Vec<&str> = finding.snapshots.iter().map(Stamp::as_str).collect();
    warn!(
        path = finding.path,
        damage = finding.damage,
        item,
        title,
        snapshots = snapshots.join(" "),
        "damaged"
    );
}

fn close(verified: &Verified, began: Instant) -> Exit {
    let exit = if verified.findings.is_empty() {
        Exit::Complete
    } else {
        Exit::Damaged
    };
    macro_rules! line {
        ($level:ident) => {
            $level!(
                exit = exit.code(),
                outcome = exit.name(),
                snapshots = verified.snapshots,
                items = verified.items,
                files = verified.files,
                read = verified.read,
                bytes = verified.bytes,
                damaged = verified.findings.len(),
                elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                "verify finished"
            )
        };
    }
    if exit == Exit::Complete {
        line!(info);
    } else {
        line!(error);
    }
    exit
}

fn stamp(text: &str) -> Result<Stamp, String> {
    let wrong =
        || "write it as agol-backup snapshots lists it, such as 20261123T020000Z".to_owned();
    Stamp::parse(text.trim_end_matches(".json")).ok_or_else(wrong)
}

/// `10%`, `0.5%` → parts of [`WHOLE`].
fn share(text: &str) -> Result<u64, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    match percent {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(parts(percent)),
        _ => Err("write a share such as 10%".to_owned()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and a million"
)]
fn parts(percent: f64) -> u64 {
    (percent / 100.0 * WHOLE as f64).ceil() as u64
}
