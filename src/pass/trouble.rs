//! Whose trouble an error is: one item's, or the whole pass'.

use crate::exit::Stop;
use crate::snapshot::Failure;
use crate::{archive, portal};

/// Why an item was not read.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The item's alone: its last good copy is kept, the others go on.
    Item(Failure),
    /// The account's or the sink's: the pass ends.
    Pass(Stop),
}

impl Trouble {
    pub(super) fn item(stage: &str, message: impl Into<String>) -> Self {
        Self::Item(Failure {
            stage: stage.to_owned(),
            message: message.into(),
        })
    }
}

impl From<archive::Error> for Trouble {
    fn from(error: archive::Error) -> Self {
        Self::Pass(error.into())
    }
}

/// Says at which part of the item the portal failed.
pub(super) fn at(stage: &str) -> impl FnOnce(portal::Error) -> Trouble + '_ {
    move |error| {
        if error.is_of_the_account() {
            Trouble::Pass(error.into())
        } else {
            Trouble::item(stage, error.to_string())
        }
    }
}
