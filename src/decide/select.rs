//! Which of the items found a pass is about.

use super::{Policy, why_skipped};
use crate::item::Item;

/// What a listing comes to.
#[derive(Debug, Default)]
pub struct Selected {
    /// What this pass is about.
    pub items: Vec<Item>,
    /// Not of a type that was asked for: no part of the selection.
    pub of_other_types: usize,
    /// Of the selection, and another part's.
    pub of_other_parts: usize,
    /// Another part has something to back up.
    busy_elsewhere: bool,
}

/// The items of a type that was asked for, and of them those of this part.
pub fn select(items: Vec<Item>, policy: &Policy<'_>) -> Selected {
    let wanted = |item: &Item| policy.types.is_empty() || policy.types.contains(&item.kind);
    let ours = |item: &Item| policy.shard.is_none_or(|shard| shard.holds(&item.id));
    let found = items.len();
    let selection: Vec<Item> = items.into_iter().filter(wanted).collect();
    let of_other_types = found - selection.len();
    let (items, others): (Vec<Item>, Vec<Item>) = selection.into_iter().partition(ours);
    Selected {
        items,
        of_other_types,
        of_other_parts: others.len(),
        busy_elsewhere: others
            .iter()
            .any(|item| why_skipped(item, policy).is_none()),
    }
}

impl Selected {
    /// Why there is nothing to back up, unless there is something. A part in which no item falls is
    /// whole with none, as long as the selection is not empty.
    pub fn why_empty(&self, policy: &Policy<'_>) -> Option<String> {
        let kept = |item: &Item| why_skipped(item, policy).is_none();
        if self.busy_elsewhere || self.items.iter().any(kept) {
            return None;
        }
        Some(match self.items.len() + self.of_other_parts {
            0 => "no item was found: check BACKUP_SCOPE, BACKUP_QUERY and BACKUP_ITEM_TYPES, and what the account may see".to_owned(),
            skipped => format!(
                "all {skipped} items found are to be skipped: check BACKUP_EXCLUDE_TAG"
            ),
        })
    }
}
