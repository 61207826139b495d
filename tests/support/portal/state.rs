//! All that the portal remembers between requests, under one lock.

use std::collections::BTreeMap;
use std::time::Instant;

use super::auth::{Asked, Auth};
use super::catalogue::{Catalogue, Item};
use super::export::Job;
use super::faults::Faults;
use super::journal::Journal;
use super::units::{Bill, Meter};

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
    meter: Meter,
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
            meter: Meter::default(),
        }
    }

    /// Spends the units of a request of ours; nothing where nothing is metered.
    pub fn spend_units(&mut self, route: &str) -> Option<Bill> {
        let units = self.catalogue.settings.units?;
        let bill = self.meter.spend(units, units.cost_of(route));
        self.journal.peak_share = self.journal.peak_share.max(bill.share());
        Some(bill)
    }

    /// Somebody else's request of that cost; false when it is refused.
    pub fn person_asks(&mut self, cost: u64) -> bool {
        let units = self.catalogue.settings.units;
        units.is_none_or(|units| !self.meter.spend(units, cost).refused)
    }
}
