//! What happens, as a value: a world, wishes, and some nights with edits, troubles and deaths.

use proptest::collection::vec;
use proptest::prelude::*;

use super::edits::{Edit, edits};
use super::trouble::{Trouble, What, troubles};
use super::world::{World, worlds};
use crate::support::portal::FakePortal;
use crate::support::run::Job;

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) world: World,
    pub(super) wish: Wish,
    pub(super) nights: Vec<Night>,
}

/// What the user sets.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) method: &'static str,
    pub(super) formats: &'static str,
    pub(super) scope: &'static str,
    pub(super) attachments: bool,
    concurrency: u8,
    /// With it every night is a day after the one before.
    pub(super) keep_last: Option<u8>,
}

/// The edits of a day, and the pass that follows.
#[derive(Clone, Debug)]
pub(super) struct Night {
    pub(super) edits: Vec<Edit>,
    pub(super) troubles: Vec<Trouble>,
    /// A signal, and after how many requests it is sent.
    pub(super) signal: Option<(&'static str, usize)>,
}

pub(super) fn plans() -> impl Strategy<Value = Plan> {
    (worlds(), wishes(), vec(nights(), 1..4)).prop_map(|(world, wish, nights)| Plan {
        world,
        wish,
        nights,
    })
}

fn wishes() -> impl Strategy<Value = Wish> {
    let engines = prop_oneof![
        3 => Just(("auto", "geojson")),
        2 => Just(("query", "geojson")),
        1 => Just(("query", "geojson,esrijson")),
        2 => Just(("export", "geojson")),
        1 => Just(("export", "geojson,csv")),
        1 => Just(("auto", "esrijson,csv")),
        1 => Just(("auto", "geojson,file-geodatabase")),
    ];
    let scopes = prop_oneof![3 => Just("mine"), 1 => Just("org"), 1 => Just("query")];
    let kept = prop::option::weighted(0.25, 1..3_u8);
    let attachments = prop::bool::weighted(0.8);
    (engines, scopes, attachments, 1..17_u8, kept).prop_map(
        |((method, formats), scope, attachments, concurrency, keep_last)| Wish {
            method,
            formats,
            scope,
            attachments,
            concurrency,
            keep_last,
        },
    )
}

fn nights() -> impl Strategy<Value = Night> {
    let signals = prop::sample::select(vec!["TERM", "KILL", "KILL"]);
    let signal = prop::option::weighted(0.25, (signals, 1..120_usize));
    let troubles = prop_oneof![2 => vec(troubles(), 0..2), 3 => vec(troubles(), 1..5)];
    (vec(edits(), 0..5), troubles, signal).prop_map(|(edits, troubles, signal)| Night {
        edits,
        troubles,
        signal,
    })
}

impl Night {
    /// Nothing goes wrong and nobody edits meanwhile.
    pub(super) fn calm() -> Self {
        Self {
            edits: Vec::new(),
            troubles: Vec::new(),
            signal: None,
        }
    }

    pub(super) fn is_calm(&self) -> bool {
        self.troubles.is_empty() && self.signal.is_none()
    }

    /// What goes wrong is over so soon that no item and no pass may fail by it.
    pub(super) fn must_be_whole(&self) -> bool {
        let lies = self.troubles.iter();
        let lies = lies.filter(|one| matches!(one.what, What::Lie(_))).count();
        let harmless = |one: &Trouble| !one.lasts && !one.may_cost();
        self.signal.is_none()
            && self.troubles.len() <= 2
            && lies <= 1
            && self.troubles.iter().all(harmless)
    }
}

impl Wish {
    pub(super) fn job(&self, portal: &FakePortal) -> Job {
        let mut job = Job::against(portal)
            .with("BACKUP_METHOD", self.method)
            .with("BACKUP_FORMATS", self.formats)
            .with("BACKUP_SCOPE", self.scope)
            .with("BACKUP_ATTACHMENTS", self.attachments.to_string())
            .with("BACKUP_CONCURRENCY", self.concurrency.to_string())
            .with("BACKUP_EXPORT_TIMEOUT", "10s");
        if self.scope == "query" {
            job.set("BACKUP_QUERY", "owner:gis_backup");
        }
        if let Some(kept) = self.keep_last {
            job.set("BACKUP_KEEP_LAST", kept.to_string());
        }
        job
    }
}
