//! Which engines can read a layer, as a value: the pass asks before it reads, and a check tells.

use crate::config::{Format, Method};
use crate::item::Item;
use crate::portal::Layer;

/// The engines that can read the rows of one layer in one format. Where both can, query goes first, and export
/// does what it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Engines {
    /// Rows page by page.
    pub(crate) query: bool,
    /// A temporary export item.
    pub(crate) export: bool,
}

impl Engines {
    /// By what is asked for, what the format needs, and what the layer lets.
    pub(crate) fn of(method: Method, item: &Item, layer: &Layer, format: Format) -> Self {
        Self {
            query: method != Method::Export
                && format.by_query()
                && layer.can_query
                && layer.can_be_read_as(format),
            export: method != Method::Query && format.by_export() && item.is_hosted(),
        }
    }
}
