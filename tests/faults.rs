//! A fault that strikes once leaves no trace but a line; one that lasts costs the item that it is about,
//! never the others, and never makes a copy look complete that is not.

mod files;
mod lasting;
mod once;

use std::collections::BTreeMap;

use crate::support::portal::FakePortal;
use crate::support::run::Job;

/// A pass that reads rows by query.
fn by_query(portal: &FakePortal) -> Job {
    Job::against(portal).with("BACKUP_METHOD", "query")
}

/// What a pass gives while nothing goes wrong.
fn untroubled(portal: &FakePortal) -> BTreeMap<String, String> {
    let job = by_query(portal);
    job.run().ended(0);
    portal.reset_log();
    job.archive().contents()
}

/// What is missing of the one, and what is other or more in the other.
fn difference<'a>(
    one: &'a BTreeMap<String, String>,
    other: &'a BTreeMap<String, String>,
) -> Vec<&'a str> {
    let differs = |(place, hash): &(&'a String, &String)| other.get(*place) != Some(hash);
    let missing = one.iter().filter(differs).map(|(place, _)| place.as_str());
    let more = other.keys().filter(|place| !one.contains_key(*place));
    missing.chain(more.map(String::as_str)).collect()
}
