//! A layer's `query`: pages, counts, ids, statistics, and the combinations that are refused.

use serde_json::{Value, json};

use super::call::Call;
use super::catalogue::Service;
use super::faults::FaultKind;
use super::features::{self, Flag, Look};
use super::layer::{Layer, Shape};
use super::reply::{Answer, Reply};
use super::select::{self, Chosen};
use super::service::find_layer;

/// Rows are `query`; what only asks about them has names of its own.
pub fn route(call: &Call) -> &'static str {
    if call.flag("returnCountOnly") {
        "count"
    } else if call.flag("returnIdsOnly") {
        "ids"
    } else if call.param("outStatistics").is_some() {
        "statistics"
    } else {
        "query"
    }
}

pub fn answer(service: &Service, call: &Call) -> Answer {
    if !service
        .capabilities
        .split(',')
        .any(|word| word.trim() == "Query")
    {
        return Err(Reply::error(
            400,
            "Requested operation is not supported by this service.",
        ));
    }
    let layer = find_layer(service, call)?;
    refuse_nonsense(layer, call)?;
    let chosen = select::choose(layer, call, "where")?;
    match call.route {
        "count" if call.twisted(|fault| matches!(fault, FaultKind::CountNull)) => {
            Ok(Reply::json(&json!({"count": null})))
        }
        "count" => Ok(Reply::json(&json!({"count": chosen.len()}))),
        "ids" => Ok(ids(layer, &chosen)),
        "statistics" => statistics(layer, &chosen, call),
        _ => page(layer, &chosen, call),
    }
}

fn refuse_nonsense(layer: &Layer, call: &Call) -> Result<(), Reply> {
    let refuse =
        |names: &[&str], why: &str| match names.iter().find(|name| call.param(name).is_some()) {
            Some(name) => Err(Reply::bad_query(&format!("'{name}' {why}"))),
            None => Ok(()),
        };
    if matches!(call.route, "count" | "ids") {
        let paging = [
            "orderByFields",
            "outFields",
            "resultOffset",
            "resultRecordCount",
            "resultType",
        ];
        refuse(
            &paging,
            "is not valid when only a count or ids are asked for",
        )?;
    }
    if layer.table() {
        let spatial = [
            "returnGeometry",
            "returnZ",
            "returnM",
            "outSR",
            "inSR",
            "geometry",
            "geometryType",
        ];
        refuse(&spatial, "is not valid for a table")?;
    }
    if layer.standard_max.is_none() {
        refuse(&["resultType"], "is not supported")?;
    }
    let asked = call.param("f").unwrap_or("json").replace("pjson", "json");
    let offered = |format: &str| format.trim().eq_ignore_ascii_case(&asked);
    if asked == "pbf" || !(asked == "json" || layer.formats.split(',').any(offered)) {
        return Err(Reply::bad_query(&format!("'f={asked}' is not supported")));
    }
    match call
        .param("orderByFields")
        .map(|order| order.split_whitespace().next().unwrap_or_default())
    {
        Some(field) if !known(layer, field) => Err(Reply::bad_query("'orderByFields' is invalid")),
        _ => Ok(()),
    }
}

fn known(layer: &Layer, name: &str) -> bool {
    let names = layer.fields.iter().map(|field| field.name.as_str());
    names
        .chain([layer.oid_field.as_str()])
        .any(|field| field.eq_ignore_ascii_case(name))
}

fn ids(layer: &Layer, chosen: &Chosen) -> Reply {
    let list: Vec<i64> = chosen.iter().map(|index| layer.rows.oid(index)).collect();
    let ids = if list.is_empty() {
        Value::Null
    } else {
        json!(list)
    };
    Reply::json(&json!({"objectIdFieldName": layer.oid_field, "objectIds": ids}))
}

/// Count, lowest and highest object id; the server spells the names its own way.
fn statistics(layer: &Layer, chosen: &Chosen, call: &Call) -> Answer {
    let bad = || Reply::bad_query("'outStatistics' is invalid");
    let asked: Vec<Value> = serde_json::from_str(call.param("outStatistics").unwrap_or_default())
        .ok()
        .ok_or_else(bad)?;
    let oid = |index: Option<usize>| index.map(|index| layer.rows.oid(index));
    let mut attributes = serde_json::Map::new();
    let mut fields = Vec::new();
    for one in &asked {
        let name = one["outStatisticFieldName"]
            .as_str()
            .ok_or_else(bad)?
            .to_uppercase();
        if !one["onStatisticField"]
            .as_str()
            .is_some_and(|field| field.eq_ignore_ascii_case(&layer.oid_field))
        {
            return Err(bad());
        }
        let value = match one["statisticType"].as_str() {
            Some("count") => json!(chosen.len()),
            Some("min") => json!(oid(chosen.get(0))),
            Some("max") => json!(oid(chosen
                .len()
                .checked_sub(1)
                .and_then(|last| chosen.get(last)))),
            _ => return Err(bad()),
        };
        fields.push(json!({"name": name, "type": "esriFieldTypeInteger", "alias": name}));
        attributes.insert(name, value);
    }
    Ok(Reply::json(
        &json!({"objectIdFieldName": layer.oid_field, "globalIdFieldName": "", "fields": fields,
                           "features": [{"attributes": attributes}]}),
    ))
}

fn page(layer: &Layer, chosen: &Chosen, call: &Call) -> Answer {
    let asked = call.number("resultRecordCount")?.filter(|asked| *asked > 0);
    let cap = match (call.param("resultType"), layer.standard_max) {
        (Some("standard"), Some(cap)) => cap,
        _ => layer.max_record_count,
    };
    let from = call.number("resultOffset")?.unwrap_or(0).min(chosen.len());
    let to = from
        .saturating_add(asked.map_or(cap, |asked| asked.min(cap)))
        .min(chosen.len());
    if layer.fail_above_rows.is_some_and(|most| to - from > most) {
        return Err(Reply::error(504, "Your request has timed out."));
    }
    let backwards = backwards(call, from);
    let place = |index: usize| {
        chosen.get(if backwards {
            chosen.len() - 1 - index
        } else {
            index
        })
    };
    let rows: Vec<usize> = (from..to).filter_map(place).collect();
    let (rows, more) = twisted(rows, to < chosen.len(), call);
    let look = Look::asked(layer, call)?;
    let text = match call.param("f") {
        Some("geojson") => features::geojson_page(layer, &rows, &look, flag(more, call)),
        _ => features::json_page(layer, &rows, &look, more),
    };
    Ok(Reply::json_text(text))
}

fn flag(more: bool, call: &Call) -> Flag {
    let twist = |fault: &FaultKind| match fault {
        FaultKind::FlagAtTopLevel => Some(Flag::Top),
        FaultKind::FlagAfterRows => Some(Flag::Last),
        _ => None,
    };
    let place = call.twists.iter().find_map(twist).unwrap_or(Flag::Proper);
    if more { place } else { Flag::Absent }
}

/// Descending when asked; and after the first page of an unordered read, since then any order may come.
fn backwards(call: &Call, offset: usize) -> bool {
    match call.param("orderByFields") {
        Some(order) => order.trim().to_ascii_uppercase().ends_with(" DESC"),
        None => offset > 0,
    }
}

/// The page as a faulty server would give it.
fn twisted(mut rows: Vec<usize>, mut more: bool, call: &Call) -> (Vec<usize>, bool) {
    for fault in &call.twists {
        match fault {
            FaultKind::ShortPage => {
                rows.truncate(rows.len().div_ceil(2));
                more = false;
            }
            FaultKind::RepeatPage => rows = (0..rows.len()).collect(),
            FaultKind::DoubleRow => rows.extend(rows.last().copied()),
            FaultKind::LoseRow if !rows.is_empty() => drop(rows.remove(rows.len() / 2)),
            FaultKind::DropLastPage if !more => rows.clear(),
            FaultKind::PageWithoutFlag => more = false,
            _ => {}
        }
    }
    (rows, more)
}

/// Meshes do not travel as JSON.
pub fn carries_geometry(layer: &Layer) -> bool {
    !matches!(layer.shape, Shape::None | Shape::MultiPatch)
}
