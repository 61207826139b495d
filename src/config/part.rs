//! Which part of the selection this run is about: said outright, or counted by Kubernetes.

use super::Error;
use super::environment::{Environment, Raw};
use crate::shard::Shard;

const SHARD: &str = "BACKUP_SHARD";
const SHARDS: &str = "BACKUP_SHARDS";
/// Set by Kubernetes in every pod of an Indexed Job, from 0.
const INDEX: &str = "JOB_COMPLETION_INDEX";

/// `None` for all of it.
pub(super) fn read(raw: &Raw, environment: &Environment) -> Result<Option<Shard>, Error> {
    match (raw.backup_shard.as_deref(), raw.backup_shards.as_deref()) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Error::new(
            SHARD,
            "is set, and BACKUP_SHARDS too: keep BACKUP_SHARD to say the part yourself, or BACKUP_SHARDS in a Kubernetes Indexed Job",
        )),
        (Some(text), None) => said(text).map(Some),
        (None, Some(text)) => counted(text, environment).map(Some),
    }
}

fn said(text: &str) -> Result<Shard, Error> {
    let parts = text.split_once('/');
    let numbers = parts.and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    let shard = numbers.and_then(|(part, of)| Shard::new(part, of));
    shard.ok_or_else(|| {
        let problem = format!(
            "is {text:?}: write the part and how many there are, such as 3/8 (1/8 to 8/8; from 2 to {} parts)",
            Shard::MOST
        );
        Error::new(SHARD, problem)
    })
}

fn counted(text: &str, environment: &Environment) -> Result<Shard, Error> {
    let of = text.parse().ok();
    let of = of.filter(|of| (2..=Shard::MOST).contains(of));
    let of = of.ok_or_else(|| {
        let problem = format!(
            "is {text:?}: write how many parts there are, from 2 to {}",
            Shard::MOST
        );
        Error::new(SHARDS, problem)
    })?;
    let index = environment.first_of(&[INDEX])?.ok_or_else(|| {
        let problem = format!(
            "is set, but {INDEX} is not: Kubernetes sets it in a Job with completionMode: Indexed; elsewhere set BACKUP_SHARD, such as 3/{of}"
        );
        Error::new(SHARDS, problem)
    })?;
    let part = index
        .parse()
        .ok()
        .and_then(|index: u32| index.checked_add(1));
    part.and_then(|part| Shard::new(part, of)).ok_or_else(|| {
        let problem = format!(
            "is {text}, but {INDEX} is {index:?}: give the Job as many completions as there are parts"
        );
        Error::new(SHARDS, problem)
    })
}
