//! Attachments: listed for many rows at once, for one row, and their bytes.

use serde_json::{Value, json};

use super::call::Call;
use super::catalogue::Service;
use super::content::service_url;
use super::layer::{Attachment, Layer};
use super::reply::{Answer, Reply};
use super::select;
use super::service::find_layer;
use super::state::Places;

/// `queryAttachments`: pages count attachments, so that one row's may straddle two pages.
pub fn query(service: &Service, call: &Call, places: &Places) -> Answer {
    let layer = with_attachments(service, call)?;
    let selectors = ["objectIds", "globalIds", "definitionExpression"];
    if selectors
        .iter()
        .filter(|name| call.param(name).is_some())
        .count()
        != 1
    {
        return Err(Reply::bad_query(
            "exactly one of objectIds, globalIds and definitionExpression must be given",
        ));
    }
    let rows = select::choose(layer, call, "definitionExpression")?;
    let oids = rows.iter().map(|index| layer.rows.oid(index));
    if call.flag("returnCountOnly") {
        let counted = oids
            .map(|oid| (oid, layer.attached(oid).len()))
            .filter(|(_, count)| *count > 0);
        let groups: Vec<Value> = counted
            .map(|(oid, count)| json!({"parentObjectId": oid, "count": count}))
            .collect();
        return Ok(Reply::json(&json!({ "attachmentGroups": groups })));
    }
    let all: Vec<(i64, &Attachment)> = oids
        .flat_map(|oid| layer.attached(oid).iter().map(move |one| (oid, one)))
        .collect();
    let from = call.number("resultOffset")?.unwrap_or(0).min(all.len());
    let most = call
        .number("resultRecordCount")?
        .unwrap_or(usize::MAX)
        .min(layer.attachment_page);
    let to = from.saturating_add(most).min(all.len());
    let base = call
        .flag("returnUrl")
        .then(|| format!("{}/{}", service_url(places, &service.name), layer.id));
    let mut answer = json!({
        "fields": [{"name": "ATTACHMENTID", "type": "esriFieldTypeOID", "alias": "ATTACHMENTID"}],
        "attachmentGroups": grouped(all.get(from..to).unwrap_or_default(), base.as_deref())
    });
    if to < all.len() {
        answer["exceededTransferLimit"] = true.into();
    }
    Ok(Reply::json(&answer))
}

fn grouped(page: &[(i64, &Attachment)], base: Option<&str>) -> Vec<Value> {
    let same_row = |one: &(i64, &Attachment), next: &(i64, &Attachment)| one.0 == next.0;
    let group = |files: &[(i64, &Attachment)]| {
        let oid = files.first().map_or(0, |(oid, _)| *oid);
        let infos: Vec<Value> = files
            .iter()
            .map(|(oid, file)| info(file, *oid, base))
            .collect();
        json!({"parentObjectId": oid, "attachmentInfos": infos})
    };
    page.chunk_by(same_row).map(group).collect()
}

fn info(file: &Attachment, oid: i64, base: Option<&str>) -> Value {
    let size = file.told_size.unwrap_or(file.bytes.len() as u64);
    let mut info = json!({"id": file.id, "name": file.name, "contentType": file.content_type, "size": size,
                          "keywords": "", "exifInfo": null});
    if let Some(base) = base {
        info["url"] = format!("{base}/{oid}/attachments/{}", file.id).into();
    }
    info
}

/// One row's attachments.
pub fn list(service: &Service, call: &Call) -> Answer {
    let layer = with_attachments(service, call)?;
    let oid = number(call.last(1))?;
    let infos: Vec<Value> = layer
        .attached(oid)
        .iter()
        .map(|file| info(file, oid, None))
        .collect();
    Ok(Reply::json(&json!({ "attachmentInfos": infos })))
}

/// One attachment's bytes.
pub fn file(service: &Service, call: &Call) -> Answer {
    let layer = with_attachments(service, call)?;
    let (oid, id) = (number(call.last(2))?, number(call.last(0))?);
    let file = layer.attached(oid).iter().find(|file| file.id == id);
    let file = file.ok_or_else(|| Reply::error(404, "Attachment not found."))?;
    Ok(Reply::bytes(&file.content_type, file.bytes.clone()))
}

fn with_attachments<'a>(service: &'a Service, call: &Call) -> Result<&'a Layer, Reply> {
    let layer = find_layer(service, call)?;
    if layer.has_attachments {
        return Ok(layer);
    }
    Err(Reply::error(
        400,
        "This operation is not supported: the layer has no attachments.",
    ))
}

fn number(text: &str) -> Result<i64, Reply> {
    text.parse()
        .ok()
        .ok_or_else(|| Reply::error(400, "Invalid URL"))
}
