//! The export engine: asks the portal for a temporary item, waits until it is made, opens it, and removes
//! it in every path out.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use super::Portal;
use super::call::{Call, below};
use super::download::Download;
use super::error::Error;
use super::temporary::{TAG, TITLE_PREFIX, Temporary};
use crate::config::Format;
use crate::item::Item;
use crate::snapshot::Stamp;

/// "Completed" may be told minutes before the file can be had.
const NOT_YET_READY: Duration = Duration::from_mins(5);
/// How often a job is asked for whose answer is lost.
const STARTS: usize = 3;

/// One export to be made.
#[derive(Debug)]
pub struct Job<'a> {
    /// The hosted service.
    pub item: &'a Item,
    /// One layer, or the whole service.
    pub layer: Option<u32>,
    /// In which format.
    pub format: Format,
    /// The pass that asks.
    pub stamp: &'a Stamp,
    /// How long it may take.
    pub timeout: Duration,
}

/// A finished export, to be opened and then removed.
#[derive(Debug)]
pub struct Export {
    temporary: Temporary,
    id: String,
    deadline: Instant,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    #[serde(default)]
    export_item_id: Option<String>,
    #[serde(default)]
    job_id: Option<String>,
}

impl Portal {
    /// Makes an export and waits for it. Nothing is left behind when it fails.
    pub async fn export(&self, job: &Job<'_>) -> Result<Export, Error> {
        match self.export_as(&job.item.owner, job).await {
            // An administrator may not always write into the owner's content; then our own will do.
            Err(Error::Refused { code: 403, message }) => match self.account.username.as_deref() {
                Some(own) if own != job.item.owner => self.export_as(own, job).await,
                _ => Err(Error::Refused { code: 403, message }),
            },
            result => result,
        }
    }

    async fn export_as(&self, user: &str, job: &Job<'_>) -> Result<Export, Error> {
        let layer = match (job.layer, job.format) {
            (Some(layer), Format::GeoJson) => layer.to_string(),
            // Another job for the same layer needs another title: it is the key to a lost answer.
            (Some(layer), format) => format!("{layer}-{}", format.name()),
            (None, format) => format!("all-{}", format.name()),
        };
        let title = format!("{TITLE_PREFIX}{} {} {layer}", job.stamp, job.item.id);
        let mut temporary = Temporary {
            user: user.to_owned(),
            title,
            id: None,
        };
        self.temporary.note(temporary.clone());
        let deadline = Instant::now() + job.timeout;
        let made = async {
            let started = self.start(&mut temporary, job).await?;
            self.wait_for(user, &started, deadline).await?;
            Ok(started.export_item_id.unwrap_or_default())
        };
        match timeout_at(deadline, made).await {
            Ok(Ok(id)) => Ok(Export {
                temporary,
                id,
                deadline,
            }),
            Ok(Err(error)) => {
                self.remove(&temporary).await;
                Err(error)
            }
            Err(_elapsed) => {
                // Asked for, and not answered: its item may still appear, and is looked for at the end.
                if temporary.id.is_some() {
                    self.remove(&temporary).await;
                }
                let message = "the export was not made by BACKUP_EXPORT_TIMEOUT";
                Err(Error::Unavailable(message.to_owned()))
            }
        }
    }

    /// Opens the exported file.
    pub async fn open_export(&self, export: &Export) -> Result<Download, Error> {
        let give_up = (Instant::now() + NOT_YET_READY).min(export.deadline.max(Instant::now()));
        let mut patience = self.patience_until_ready();
        let url = below(&self.rest, &["content", "items", &export.id, "data"]);
        loop {
            let problem = match self
                .download(&Call::file("exported file", url.clone()))
                .await
            {
                Ok(Some(download)) => return Ok(download),
                Ok(None) => Error::Unavailable("the exported file is empty".to_owned()),
                Err(error) => error,
            };
            patience
                .until_ready("exported file", problem, give_up, self)
                .await?;
        }
    }

    /// Removes the temporary item behind an export.
    pub async fn remove_export(&self, export: Export) {
        self.remove(&export.temporary).await;
    }

    /// Asks for the export. A lost answer is never followed by a second question before it was looked
    /// whether the first one worked.
    async fn start(&self, temporary: &mut Temporary, job: &Job<'_>) -> Result<Started, Error> {
        let call = export_call(self, temporary, job);
        let mut patience = self.patience();
        loop {
            let answer = match self.document(&call).await {
                Ok(document) => serde_json::from_slice::<Started>(&document)
                    .map_err(|error| Error::Unavailable(format!("export: not an answer: {error}"))),
                Err(error) => Err(error),
            };
            let started = match answer {
                Err(error @ (Error::Unavailable(_) | Error::Overloaded(_))) => {
                    let Some(id) = self.find_temporary(temporary).await? else {
                        patience.again("export", error, STARTS, self)?;
                        continue;
                    };
                    Started {
                        export_item_id: Some(id),
                        job_id: None,
                    }
                }
                answer => answer?,
            };
            let Some(id) = started.export_item_id.clone() else {
                let message = "the portal did not start the export".to_owned();
                return Err(Error::Refused { code: 0, message });
            };
            temporary.id = Some(id);
            self.temporary.note(temporary.clone());
            return Ok(started);
        }
    }

    async fn wait_for(
        &self,
        user: &str,
        started: &Started,
        deadline: Instant,
    ) -> Result<(), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default)]
            status: Option<String>,
            #[serde(default)]
            status_message: Option<String>,
        }
        let id = started.export_item_id.as_deref().unwrap_or_default();
        let url = below(
            &self.rest,
            &["content", "users", user, "items", id, "status"],
        );
        let mut call = Call::get("export status", url).with("jobType", "export");
        if let Some(job_id) = &started.job_id {
            call = call.with("jobId", job_id.as_str());
        }
        let mut pause = Duration::from_secs(1);
        loop {
            let answer = match self.document(&call).await {
                Ok(document) => serde_json::from_slice::<Answer>(&document).ok(),
                // The question may fail for a while; the job goes on meanwhile.
                Err(Error::Unavailable(_) | Error::Overloaded(_)) => None,
                Err(error) => return Err(error),
            };
            let status = answer
                .as_ref()
                .and_then(|answer| answer.status.as_deref())
                .unwrap_or("unknown")
                .to_ascii_lowercase();
            match status.as_str() {
                "completed" => return Ok(()),
                "failed" => {
                    let message = answer
                        .and_then(|answer| answer.status_message)
                        .unwrap_or_default();
                    let message = self
                        .tokens
                        .redact(format!("the portal could not make the export: {message}"));
                    return Err(Error::Refused { code: 0, message });
                }
                _ => {}
            }
            if Instant::now() + pause > deadline {
                return Err(Error::Unavailable(format!(
                    "the export was still {status} at BACKUP_EXPORT_TIMEOUT"
                )));
            }
            sleep(pause).await;
            pause = longer(pause);
        }
    }
}

fn export_call(portal: &Portal, temporary: &Temporary, job: &Job<'_>) -> Call {
    let mut parameters = serde_json::Map::new();
    if let Some(layer) = job.layer {
        parameters.insert("layers".to_owned(), serde_json::json!([{ "id": layer }]));
    }
    if job.item.is_view() {
        // Else the export would hold columns that the view hides.
        parameters.insert("enforceFieldVisibility".to_owned(), true.into());
    }
    let url = below(
        &portal.rest,
        &["content", "users", &temporary.user, "export"],
    );
    let call = Call::post("export", url)
        .changing()
        .with("f", "json")
        .with("itemId", job.item.id.as_str())
        .with("title", temporary.title.as_str())
        .with("tags", TAG)
        .with("exportFormat", name_of(job.format));
    if parameters.is_empty() {
        call
    } else {
        call.with(
            "exportParameters",
            serde_json::Value::from(parameters).to_string(),
        )
    }
}

/// As the portal spells them:
/// <https://developers.arcgis.com/rest/users-groups-and-items/export-item/>.
fn name_of(format: Format) -> &'static str {
    match format {
        Format::GeoJson | Format::EsriJson => "GeoJson",
        Format::Csv => "CSV",
        Format::Shapefile => "Shapefile",
        Format::FileGeodatabase => "File Geodatabase",
        Format::GeoPackage => "geoPackage",
        Format::Excel => "Excel",
        Format::Kml => "KML",
        Format::FeatureCollection => "Feature Collection",
    }
}

/// From one second to half a minute.
fn longer(pause: Duration) -> Duration {
    pause.mul_f64(1.5).min(Duration::from_secs(30))
}
