//! What this pass has asked for in the organisation and not yet removed.

use std::sync::{Mutex, PoisonError};

/// An item that this pass has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::portal) struct Temporary {
    /// In whose content it lies.
    pub(in crate::portal) user: String,
    pub(in crate::portal) title: String,
    /// Unknown until the portal has answered.
    pub(in crate::portal) id: Option<String>,
}

/// What this pass has asked for and not yet removed.
#[derive(Debug, Default)]
pub(in crate::portal) struct Ledger(Mutex<Vec<Temporary>>);

impl Ledger {
    /// Titles are unique in a pass, so a title stands for its item.
    pub(in crate::portal) fn note(&self, temporary: Temporary) {
        self.change(|all| {
            all.retain(|other| other.title != temporary.title || other.user != temporary.user);
            all.push(temporary);
        });
    }

    pub(super) fn strike(&self, temporary: &Temporary) {
        self.change(|all| {
            all.retain(|other| other.title != temporary.title || other.user != temporary.user);
        });
    }

    pub(super) fn open(&self) -> Vec<Temporary> {
        self.change(|all| all.clone())
    }

    fn change<T>(&self, act: impl FnOnce(&mut Vec<Temporary>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
