//! Deleting items, into the recycle bin or for good, and the guard over what the user owns.

use serde_json::json;

use super::call::Call;
use super::faults::FaultKind;
use super::reply::{Answer, Reply};
use super::state::State;

/// `…/items/{id}/delete`.
pub fn delete(state: &mut State, call: &Call) -> Answer {
    let id = call.last(1).to_owned();
    if call.twisted(|fault| matches!(fault, FaultKind::DeleteFails)) {
        return Ok(Reply::json(&json!({"success": false, "itemId": id})));
    }
    remove(state, call, &id)?;
    Ok(Reply::json(&json!({"success": true, "itemId": id})))
}

/// `deleteItems`: every entry has its own outcome.
pub fn delete_items(state: &mut State, call: &Call) -> Reply {
    let ids = call.param("items").unwrap_or_default().to_owned();
    let failing = call.twisted(|fault| matches!(fault, FaultKind::DeleteFails));
    let mut results = Vec::new();
    for id in ids.split(',').map(str::trim) {
        let success = !failing && remove(state, call, id).is_ok();
        let mut result = json!({"itemId": id, "success": success});
        if !success {
            result["error"] =
                json!({"code": 500, "message": format!("Unable to delete item {id}.")});
        }
        results.push(result);
    }
    Reply::json(&json!({ "results": results }))
}

/// Takes an item away; one that no export made is the user's own, and its loss is written down.
fn remove(state: &mut State, call: &Call, id: &str) -> Result<(), Reply> {
    if !call.post() {
        return Err(Reply::error(405, "Method not allowed."));
    }
    let permanent = call.flag("permanentDelete");
    if permanent && state.bin.iter().any(|item| item.id == id) {
        state.bin.retain(|item| item.id != id);
        return Ok(());
    }
    let at = state
        .catalogue
        .items
        .iter()
        .position(|item| item.id == id)
        .ok_or_else(Reply::not_found)?;
    let item = state
        .catalogue
        .items
        .get(at)
        .cloned()
        .ok_or_else(Reply::not_found)?;
    if !state.journal.exports.contains(&item.id) {
        state.journal.violation(format!(
            "the user's own item {:?} ({id}) was deleted",
            item.title
        ));
    }
    if item.owner != call.segment(2) {
        return Err(Reply::forbidden());
    }
    if item.protected {
        return Err(Reply::error(
            400,
            &format!("Unable to delete item {id}. Delete protection is turned on."),
        ));
    }
    state.catalogue.items.remove(at);
    state.journal.deleted.push(id.to_owned());
    if !permanent && state.catalogue.settings.recycle_bin {
        state.bin.push(item);
    }
    Ok(())
}
