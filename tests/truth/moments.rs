//! The catalogue at every moment at which it was another: what a copy may be compared with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::edits::Edit;
use crate::support::portal::{Catalogue, FaultKind};

/// Shared with the edits that lie in wait in the portal.
#[derive(Clone, Default)]
pub(super) struct Moments(Arc<Mutex<Vec<Catalogue>>>);

impl Moments {
    pub(super) fn add(&self, world: &Catalogue) {
        self.lock().push(world.clone());
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn all(&self) -> Vec<Catalogue> {
        self.lock().clone()
    }

    /// An edit between two requests of a pass.
    pub(super) fn edited_by(&self, edit: Edit) -> FaultKind {
        let moments = self.clone();
        FaultKind::edit(move |world| {
            edit.apply(world);
            moments.add(world);
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Catalogue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
