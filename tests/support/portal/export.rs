//! Export jobs: begun, polled, and filled with a file.

use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::Call;
use super::catalogue::{Data, Item, Service, hex_id, now};
use super::content;
use super::faults::FaultKind;
use super::features;
use super::files;
use super::layer::Layer;
use super::reply::{Answer, Reply};
use super::sheet;
use super::state::State;

/// A job that fills an export item.
#[derive(Clone, Debug)]
pub struct Job {
    id: String,
    begun: Instant,
    polls: usize,
    stuck: bool,
    fails: Option<&'static str>,
    /// `/data` calls to be refused after completion.
    not_ready: usize,
    made: Option<(&'static str, Bytes)>,
}

/// `content/users/{user}/export`.
pub fn begin(state: &mut State, call: &Call) -> Answer {
    let owner = call.segment(2).to_owned();
    let source = content::find(state, call.param("itemId").unwrap_or_default())?;
    if !call.post() || source.owner != owner {
        return Err(Reply::forbidden());
    }
    let service = source
        .service
        .as_ref()
        .and_then(|name| state.catalogue.resolved(name))
        .filter(|one| one.hosted);
    let Some(service) = service else {
        return Err(Reply::error_coded(
            400,
            "CONT_0035",
            "Item is not exportable.",
        ));
    };
    if call.twisted(|fault| matches!(fault, FaultKind::ExportRefused)) {
        return Ok(Reply::json(&json!({"success": false})));
    }
    let asked = call.param("exportFormat").unwrap_or_default().to_owned();
    let (kind, made) = product(&service, call, &asked)?;
    let (source_id, id) = (
        source.id.clone(),
        hex_id(&format!("{:?}/{}", Instant::now(), state.jobs.len())),
    );
    let job = Job::new(&id, call, made);
    let (job_id, size) = (
        job.id.clone(),
        job.made.as_ref().map_or(0, |(_, bytes)| bytes.len()),
    );
    state.jobs.insert(id.clone(), job);
    state.journal.exports.push(id.clone());
    state
        .catalogue
        .items
        .push(export_item(call, &owner, kind, &id));
    let mut answer = json!({"type": kind, "size": size, "jobId": job_id, "exportItemId": id,
                            "serviceItemId": source_id, "exportFormat": asked});
    if call.twisted(|fault| matches!(fault, FaultKind::ExportNoId)) {
        answer["exportItemId"] = Value::Null;
    }
    Ok(Reply::json(&answer))
}

impl Job {
    fn new(item: &str, call: &Call, made: (&'static str, Bytes)) -> Self {
        let mut job = Self {
            id: format!("{}::job", hex_id(item)),
            begun: Instant::now(),
            polls: 0,
            stuck: false,
            fails: None,
            not_ready: 0,
            made: Some(made),
        };
        for fault in &call.twists {
            match fault {
                FaultKind::ExportStuck => job.stuck = true,
                FaultKind::ExportFails(message) => job.fails = Some(message),
                FaultKind::CompletedButNotReady(times) => job.not_ready = *times,
                _ => {}
            }
        }
        job
    }
}

/// It lands in the owner's root folder, whatever folder the service is in.
fn export_item(call: &Call, owner: &str, kind: &str, id: &str) -> Item {
    let title = call.param("title").unwrap_or("export");
    let plain: String = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let extension = match kind {
        "GeoJson" => "geojson",
        "CSV" => "csv",
        _ => "zip",
    };
    let mut item = Item::new(kind, title);
    id.clone_into(&mut item.id);
    owner.clone_into(&mut item.owner);
    (item.created, item.modified) = (now(), now());
    item.tags = call
        .param("tags")
        .unwrap_or_default()
        .split(',')
        .map(|tag| tag.trim().to_owned())
        .collect();
    item.tags.retain(|tag| !tag.is_empty());
    item.keywords = vec![kind.to_owned(), "exported".to_owned()];
    item.snippet = call.param("snippet").map(str::to_owned);
    item.name = Some(format!("{plain}.{extension}"));
    item
}

/// The item type and the file that a format gives.
fn product(
    service: &Service,
    call: &Call,
    format: &str,
) -> Result<(&'static str, (&'static str, Bytes)), Reply> {
    let layers = wanted(service, call)?;
    let zipped = call.twisted(|fault| matches!(fault, FaultKind::ExportAsZip));
    let several = layers.len() > 1;
    let kind = match format.to_ascii_lowercase().as_str() {
        "geojson" => "GeoJson",
        "csv" if several => "CSV Collection",
        "csv" => "CSV",
        "shapefile" => "Shapefile",
        "file geodatabase" => "File Geodatabase",
        "geopackage" => "GeoPackage",
        "excel" => "Microsoft Excel",
        "kml" if several => "KML Collection",
        "kml" => "KML",
        "feature collection" => "Feature Collection",
        _ => {
            return Err(Reply::error_coded(
                400,
                "CONT_0035",
                "Invalid exportFormat.",
            ));
        }
    };
    let file = match (kind, layers.as_slice()) {
        ("GeoJson", [layer]) if !zipped => {
            ("application/geo+json", features::collection(layer).into())
        }
        ("CSV", [layer]) if !zipped => ("text/csv", sheet::csv(layer).into()),
        ("CSV" | "CSV Collection", _) => ("application/zip", zip(&layers, "csv", sheet::csv)),
        ("Feature Collection", _) => ("application/json", Bytes::from_static(br#"{"layers":[]}"#)),
        _ => (
            "application/zip",
            zip(&layers, "geojson", features::collection),
        ),
    };
    Ok((kind, file))
}

fn zip(layers: &[&Layer], extension: &str, text: impl Fn(&Layer) -> String) -> Bytes {
    let files: Vec<_> = layers
        .iter()
        .map(|layer| (format!("{}.{extension}", layer.name), text(layer)))
        .collect();
    super::parcel::zip(&files)
}

/// The layers that `exportParameters` names, or all.
fn wanted<'a>(service: &'a Service, call: &Call) -> Result<Vec<&'a Layer>, Reply> {
    let bad = || Reply::error_coded(400, "CONT_0035", "Invalid exportParameters.");
    let given: Value = match call.param("exportParameters") {
        Some(text) => serde_json::from_str(text).ok().ok_or_else(bad)?,
        None => Value::Null,
    };
    let Some(named) = given["layers"].as_array().filter(|named| !named.is_empty()) else {
        return Ok(service.layers.iter().collect());
    };
    let layer = |one: &Value| {
        one["id"]
            .as_i64()
            .and_then(|id| service.layer(id))
            .ok_or_else(bad)
    };
    named.iter().map(layer).collect()
}

/// `content/users/{user}/items/{id}/status`.
pub fn status(state: &mut State, call: &Call) -> Answer {
    let id = call.last(1).to_owned();
    content::find(state, &id)?;
    let settings = state.catalogue.settings.clone();
    let job = state.jobs.get_mut(&id).ok_or_else(Reply::not_found)?;
    if call.param("jobId").is_some_and(|asked| asked != job.id) {
        return Err(Reply::error(400, "Job does not exist or is inaccessible."));
    }
    job.polls += 1;
    let waits = job.polls <= settings.export_polls
        || job.begun.elapsed().as_millis() < u128::from(settings.export_ms);
    let (word, message) = match job.fails {
        _ if job.stuck || waits => (
            if job.polls % 3 == 2 {
                "partial"
            } else {
                "processing"
            },
            "executing statement",
        ),
        Some(message) => ("failed", message),
        None => ("completed", "completed"),
    };
    if word == "completed" {
        fill(state, &id);
    }
    Ok(Reply::json(
        &json!({"status": word, "statusMessage": message, "itemId": id}),
    ))
}

/// The finished file becomes the item's data.
fn fill(state: &mut State, id: &str) {
    let made = state.jobs.get_mut(id).and_then(|job| job.made.take());
    let item = state.catalogue.items.iter_mut().find(|item| item.id == id);
    if let (Some((media, bytes)), Some(item)) = (made, item) {
        item.data = Data::File { media, bytes };
    }
}

/// Refuses an export's file that is unfinished, or said to be finished too early.
pub fn downloadable(state: &mut State, id: &str) -> Result<(), Reply> {
    let Some(job) = state.jobs.get_mut(id) else {
        return Ok(());
    };
    if job.made.is_some() {
        return Err(files::not_ready());
    }
    if job.not_ready > 0 {
        job.not_ready -= 1;
        return Err(files::not_ready());
    }
    Ok(())
}
