//! From an address and its settings to an open store, with its layers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opendal::layers::{RetryLayer, TimeoutLayer};
use opendal::{HttpTransport, HttpTransporter, Operator, services};
use tokio::sync::Semaphore;

use super::super::Error;
use super::folder::Folder;
use super::graph::Graph;
use super::http::Http;
use super::upload::{FIRST_WAIT, RETRIES, retried};
use super::{Kind, Sink, reason};
use crate::config::{Bucket, Destination};

/// One request with its pauses.
const REQUEST: Duration = Duration::from_mins(15);
/// `OpenDAL` sends a file to `OneDrive` within one operation, which may be 250 GB; each of its requests has a limit of its own.
const WHOLE_FILE: Duration = Duration::from_hours(24);

impl Sink {
    /// Opens a store; contacts nobody.
    pub(in crate::archive) fn open(destination: &Destination) -> Result<Self, Error> {
        match destination {
            Destination::Folder(path) => {
                let (folder, beside, in_place) = Folder::at(path)?;
                let open =
                    |service| Operator::new(service).map_err(|error| invalid(destination, &error));
                let beside = open(beside)?;
                Ok(Self {
                    signs: open(in_place)?,
                    ..Self::new((beside.clone(), beside), Kind::Folder(folder))
                })
            }
            Destination::S3(bucket) => {
                let operator = Operator::from_iter::<services::S3>(settings(bucket, "bucket"));
                Self::remote(destination, operator, Kind::Parts)
            }
            Destination::Azblob(bucket) => {
                let operator =
                    Operator::from_iter::<services::Azblob>(settings(bucket, "container"));
                // A container's signature may not delete in batches: the store answers 403.
                let batches = bucket.settings.get("sas_token").is_none();
                let sink = Self::remote(destination, operator, Kind::Parts)?;
                Ok(Self { batches, ..sink })
            }
            Destination::OneDrive(onedrive) => {
                // The token is Graph's business; `OpenDAL` only wants to see one.
                let service = services::Onedrive::default()
                    .root(&onedrive.prefix)
                    .access_token("supplied-on-the-way");
                let operator =
                    Operator::new(service).map_err(|error| invalid(destination, &error))?;
                let transport = Graph::new(onedrive, client()?);
                let addressed = Some(transport.uploads());
                let operators = layered(operator, transport, WHOLE_FILE);
                Ok(Self {
                    addressed,
                    ..Self::new(operators, Kind::OnePiece)
                })
            }
        }
    }

    fn remote(
        destination: &Destination,
        operator: opendal::Result<Operator>,
        kind: Kind,
    ) -> Result<Self, Error> {
        let operator = operator.map_err(|error| invalid(destination, &error))?;
        // An assumed role's token is asked for beside the operator, by the process' default.
        HttpTransporter::install_default(client()?);
        Ok(Self::new(layered(operator, client()?, REQUEST), kind))
    }

    fn new((operator, once): (Operator, Operator), kind: Kind) -> Self {
        Self {
            signs: operator.clone(),
            operator,
            once,
            kind,
            unfinished: Mutex::default(),
            batches: true,
            addressed: None,
            wide: Arc::new(Semaphore::new(1)),
        }
    }
}

fn settings(bucket: &Bucket, name: &str) -> Vec<(String, String)> {
    let text = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let mut settings: Vec<_> = bucket.settings.iter().map(text).collect();
    settings.extend([(name, bucket.name.as_str()), ("root", &bucket.prefix)].map(text));
    settings
}

fn client() -> Result<Http, Error> {
    Http::new().map_err(|error| Error::Settings(format!("no HTTP client: {error}")))
}

/// The timeout within, the retries around it; and the same without retries.
fn layered(
    operator: Operator,
    transport: impl HttpTransport,
    longest: Duration,
) -> (Operator, Operator) {
    let context = operator.context().clone();
    let context = context.with_http_transport(HttpTransporter::new(transport));
    let timeout = TimeoutLayer::new()
        .with_timeout(REQUEST)
        .with_io_timeout(longest);
    let retry = RetryLayer::new()
        .with_max_times(RETRIES)
        .with_min_delay(FIRST_WAIT)
        .with_notify(|event: opendal::layers::RetryEvent<'_>| {
            retried(event.err, event.attempt, event.retry_after);
        });
    let once = operator.with_context(context).layer(timeout);
    (once.clone().layer(retry), once)
}

fn invalid(destination: &Destination, error: &opendal::Error) -> Error {
    let text = format!("{destination}: {}", reason::of(error));
    match error.kind() {
        opendal::ErrorKind::ConfigInvalid => Error::Settings(text),
        _ => Error::Store(text),
    }
}
