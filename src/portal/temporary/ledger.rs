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

impl Temporary {
    /// Asked for under this title, and the answer had not come.
    fn awaits(&self, known: &Self) -> bool {
        self.id.is_none() && self.title == known.title && self.user == known.user
    }
}

impl Ledger {
    /// Asked for, or answered by now. A layer that is read twice is exported twice under one title: the first
    /// item, when it could not be removed, is not forgotten for the second.
    pub(in crate::portal) fn note(&self, temporary: Temporary) {
        self.change(|all| {
            all.retain(|other| !other.awaits(&temporary));
            all.push(temporary);
        });
    }

    pub(super) fn strike(&self, temporary: &Temporary) {
        self.change(|all| all.retain(|other| other != temporary));
    }

    pub(super) fn open(&self) -> Vec<Temporary> {
        self.change(|all| all.clone())
    }

    fn change<T>(&self, act: impl FnOnce(&mut Vec<Temporary>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
