//! All that the portal remembers between requests, under one lock.

use std::collections::BTreeMap;
use std::time::Instant;

use super::auth::{Asked, Auth};
use super::catalogue::{Catalogue, Item};
use super::export::Job;
use super::faults::Faults;
use super::journal::Journal;

/// Where the listeners are.
#[derive(Clone, Debug, Default)]
pub struct Places {
    pub portal: String,
    pub services: String,
    pub blob: String,
    pub elsewhere: String,
}

#[derive(Debug)]
pub struct State {
    pub catalogue: Catalogue,
    pub auth: Auth,
    /// People who have not come back from the identity provider.
    pub sign_ins: BTreeMap<String, Asked>,
    pub faults: Faults,
    pub journal: Journal,
    /// Export jobs by the id of the item that they fill.
    pub jobs: BTreeMap<String, Job>,
    /// Deleted, but not for good.
    pub bin: Vec<Item>,
    /// Signatures of the file store: the item, and when it stops being good.
    pub signed: BTreeMap<String, (String, Instant)>,
    pub places: Places,
    pub in_flight: usize,
    units: u64,
    minute: Option<Instant>,
}

impl State {
    pub fn new(catalogue: Catalogue, places: Places) -> Self {
        Self {
            auth: Auth::new(&catalogue.settings),
            catalogue,
            sign_ins: BTreeMap::new(),
            faults: Faults::default(),
            journal: Journal::default(),
            jobs: BTreeMap::new(),
            bin: Vec::new(),
            signed: BTreeMap::new(),
            places,
            in_flight: 0,
            units: 0,
            minute: None,
        }
    }

    /// Spends one request's units: the header's value, and whether the minute's quota is gone.
    pub fn spend_units(&mut self) -> Option<(String, bool)> {
        let units = self.catalogue.settings.units?;
        let begun = *self.minute.get_or_insert_with(Instant::now);
        if begun.elapsed().as_secs() >= 60 {
            self.minute = Some(Instant::now());
            self.units = 0;
        }
        self.units += units.each;
        let usage = units.usage + self.units;
        Some((
            format!("usage={usage};max={}", units.max),
            units.each > 0 && usage > units.max,
        ))
    }
}
