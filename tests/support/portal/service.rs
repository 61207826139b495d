//! A feature service's descriptions: root, `layers`, one layer, a view's sources.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::{Call, Host};
use super::catalogue::{Catalogue, ORG, Service};
use super::content::service_url;
use super::features::field_json;
use super::layer::{Layer, Shape};
use super::reply::{Answer, Reply};
use super::state::Places;

/// The service that a path names, if it lives on the host that was asked.
pub fn find(catalogue: &Catalogue, call: &Call) -> Result<Arc<Service>, Reply> {
    let missing = || Reply::error(400, "Invalid URL");
    let at = call
        .segments
        .iter()
        .position(|part| part == "FeatureServer")
        .ok_or_else(missing)?;
    let name = call.segment(at.saturating_sub(1));
    let hosted = call.host == Host::Services;
    if hosted && call.segment(0) != ORG {
        return Err(missing());
    }
    catalogue
        .resolved(name)
        .filter(|service| service.hosted == hosted)
        .ok_or_else(missing)
}

/// The layer that a path names; groups hold no rows.
pub fn find_layer<'a>(service: &'a Service, call: &Call) -> Result<&'a Layer, Reply> {
    let at = call
        .segments
        .iter()
        .position(|part| part == "FeatureServer")
        .unwrap_or_default();
    let id = call
        .segment(at + 1)
        .parse::<i64>()
        .ok()
        .ok_or_else(|| Reply::error(400, "Invalid URL"))?;
    service
        .layer(id)
        .ok_or_else(|| Reply::error(400, "Invalid or missing input parameters."))
}

pub fn root(service: &Service) -> Reply {
    let parent = |id: i64| {
        service
            .groups
            .iter()
            .find(|(_, _, members)| members.contains(&id))
            .map_or(-1, |one| one.0)
    };
    let named = |layer: &Layer| {
        json!({"id": layer.id, "name": layer.name, "parentLayerId": parent(layer.id), "defaultVisibility": true,
               "subLayerIds": null, "minScale": 0, "maxScale": 0, "type": "Feature Layer",
               "geometryType": geometry_type(layer.shape)})
    };
    let group = |(id, name, members): &(i64, String, Vec<i64>)| {
        json!({"id": id, "name": name, "parentLayerId": -1, "defaultVisibility": true, "subLayerIds": members,
               "type": "Group Layer"})
    };
    let table = |layer: &Layer| json!({"id": layer.id, "name": layer.name, "type": "Table"});
    let layers = service.groups.iter().map(group);
    let layers: Vec<Value> = layers
        .chain(service.layers.iter().filter(|one| !one.table()).map(named))
        .collect();
    let tables: Vec<Value> = service
        .layers
        .iter()
        .filter(|one| one.table())
        .map(table)
        .collect();
    let cap = service
        .layers
        .iter()
        .map(|layer| layer.max_record_count)
        .min()
        .unwrap_or(2000);
    let mut answer = json!({
        "currentVersion": 11.5, "serviceItemId": service.item_id, "serviceDescription": service.description,
        "hasVersionedData": false, "supportsDisconnectedEditing": false, "syncEnabled": false, "hasStaticData": false,
        "maxRecordCount": cap, "supportedQueryFormats": "JSON", "capabilities": service.capabilities,
        "supportedExportFormats": "csv,shapefile,sqlite,geoPackage,filegdb,featureCollection,geojson,kml,excel",
        "description": "", "copyrightText": "City of Lindenau", "allowGeometryUpdates": true, "units": "esriMeters",
        "spatialReference": {"wkid": 102_100, "latestWkid": 3857}, "layers": layers, "tables": tables,
        "relationships": []
    });
    if service.view_of.is_some() {
        answer["isView"] = true.into();
    }
    Reply::json(&answer)
}

/// `layers`: every layer's whole description at once.
pub fn layers(service: &Service) -> Reply {
    let groups = service
        .groups
        .iter()
        .map(|(id, name, members)| group_json(*id, name, members));
    let of = |table: bool| {
        service
            .layers
            .iter()
            .filter(move |one| one.table() == table)
    };
    let layers: Vec<Value> = groups
        .chain(of(false).map(|layer| layer_json(service, layer)))
        .collect();
    let tables: Vec<Value> = of(true).map(|layer| layer_json(service, layer)).collect();
    Reply::json(&json!({"layers": layers, "tables": tables}))
}

pub fn layer(service: &Service, call: &Call) -> Answer {
    let asked = call.last(0);
    if let Some((id, name, members)) = service
        .groups
        .iter()
        .find(|(id, ..)| id.to_string() == asked)
    {
        return Ok(Reply::json(&group_json(*id, name, members)));
    }
    Ok(Reply::json(&layer_json(
        service,
        find_layer(service, call)?,
    )))
}

/// What a view reads.
pub fn sources(catalogue: &Catalogue, service: &Service, places: &Places) -> Reply {
    let source = service
        .view_of
        .as_ref()
        .and_then(|name| catalogue.services.get(name));
    let described = |source: &Arc<Service>| {
        json!({"name": source.name, "type": "FeatureServer", "url": service_url(places, &source.name),
               "serviceItemId": source.item_id})
    };
    Reply::json(
        &json!({"currentVersion": 11.5, "services": source.map(described).into_iter().collect::<Vec<_>>()}),
    )
}

fn group_json(id: i64, name: &str, members: &[i64]) -> Value {
    json!({"currentVersion": 11.5, "id": id, "name": name, "type": "Group Layer", "subLayerIds": members})
}

fn layer_json(service: &Service, layer: &Layer) -> Value {
    let mut fields = vec![oid_field(layer)];
    fields.extend(layer.fields.iter().map(field_json));
    let mut answer = json!({
        "currentVersion": 11.5, "id": layer.id, "name": layer.name, "serviceItemId": service.item_id,
        "type": if layer.table() { "Table" } else { "Feature Layer" }, "description": "", "copyrightText": "",
        "displayField": layer.fields.first().map_or("", |field| field.name.as_str()),
        "objectIdField": layer.oid_field, "globalIdField": "",
        "uniqueIdField": {"name": layer.oid_field, "isSystemMaintained": true},
        "hasAttachments": layer.has_attachments, "isView": service.view_of.is_some(), "hasStaticData": false,
        "capabilities": service.capabilities, "maxRecordCount": layer.max_record_count, "maxRecordCountFactor": 1,
        "supportedQueryFormats": layer.formats, "advancedQueryCapabilities": abilities(layer), "fields": fields,
        "indexes": [], "relationships": [], "types": [], "templates": [], "subtypeField": ""
    });
    if !layer.table() {
        answer["geometryType"] = geometry_type(layer.shape).into();
        answer["hasZ"] = layer.has_z.into();
        answer["hasM"] = layer.has_m.into();
        answer["extent"] = json!({"xmin": 1_350_000, "ymin": 6_590_000, "xmax": 1_362_000, "ymax": 6_600_000,
                                  "spatialReference": reference(layer.wkid)});
        answer["drawingInfo"] =
            json!({"renderer": {"type": "simple", "label": layer.name}, "transparency": 0});
    }
    if let Some(cap) = layer.standard_max {
        answer["standardMaxRecordCount"] = cap.into();
        answer["standardMaxRecordCountNoGeometry"] = cap.into();
        answer["tileMaxRecordCount"] = 8000.into();
    }
    if let Some(dates) = layer.editing {
        answer["editingInfo"] = json!({"lastEditDate": dates.last, "schemaLastEditDate": dates.schema, "dataLastEditDate": dates.data});
    }
    if let Some(members) = answer.as_object_mut() {
        members.extend(layer.extra.clone());
    }
    answer
}

fn oid_field(layer: &Layer) -> Value {
    let kind = if layer.oid_as_integer {
        "esriFieldTypeInteger"
    } else {
        "esriFieldTypeOID"
    };
    json!({"name": layer.oid_field, "type": kind, "alias": layer.oid_field, "sqlType": "sqlTypeOther",
           "nullable": false, "editable": false, "visible": true, "domain": null, "defaultValue": null})
}

fn abilities(layer: &Layer) -> Value {
    json!({"supportsPagination": true, "supportsOrderBy": true, "supportsStatistics": true, "supportsDistinct": true,
           "supportsQueryWithResultType": layer.standard_max.is_some(), "supportsReturningQueryExtent": true,
           "supportsQueryAttachments": layer.has_attachments,
           "supportsQueryAttachmentsCountOnly": layer.has_attachments})
}

/// The numbers for Web Mercator are two, old and new.
pub fn reference(wkid: u32) -> Value {
    match wkid {
        3857 => json!({"wkid": 102_100, "latestWkid": 3857}),
        _ => json!({"wkid": wkid, "latestWkid": wkid}),
    }
}

pub fn geometry_type(shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::None => None,
        Shape::Point => Some("esriGeometryPoint"),
        Shape::Line => Some("esriGeometryPolyline"),
        Shape::Polygon => Some("esriGeometryPolygon"),
        Shape::MultiPatch => Some("esriGeometryMultiPatch"),
    }
}
