//! Whether the destination can be written, read, listed and deleted from: asked with one small file before
//! anything is read from the portal, because a wrong key should not take a night to be noticed.

use std::time::Duration;

use jiff::Timestamp;

use super::sink::missing_folders;
use super::{Archive, Error};
use crate::config::Destination;

const CONTENT: &[u8] = b"Whether this place can be written, read, listed and deleted from.\n";
/// What a killed process left.
const FORGOTTEN: Duration = Duration::from_hours(1);
const ENDING: &str = ".probe";

impl Archive {
    /// Tries everything that a pass needs. The store's own reason says what is missing.
    pub async fn probe(&self) -> Result<(), Error> {
        let path = path();
        let failed = |step| move |error| at(step, error);
        self.sink
            .rewrite(&path, CONTENT.to_vec())
            .await
            .map_err(failed("written"))?;
        let read = self.sink.read(&path).await.map_err(failed("read"))?;
        let names = self.sink.names("passes").await.map_err(failed("listed"))?;
        self.sink
            .remove(&path)
            .await
            .map_err(failed("deleted from"))?;
        let wrong = |what: &str| Err(Error::Store(format!("a file just written {what}")));
        match read {
            None => wrong("is not there"),
            Some(read) if *read != *CONTENT => wrong("reads differently"),
            Some(_) if !names.iter().any(|name| path.ends_with(name)) => wrong("is not listed"),
            Some(_) => Ok(()),
        }
    }

    /// Opens and probes a destination as a pass would, and takes the folders away again that this made.
    pub async fn rehearse(destination: &Destination) -> Result<Self, Error> {
        let made = match destination {
            Destination::Folder(path) => missing_folders(path),
            _ => Vec::new(),
        };
        let rehearsed = async {
            let archive = Self::open(destination)?;
            archive.probe().await.map(|()| archive)
        };
        let rehearsed = rehearsed.await;
        for folder in made {
            // One that is not empty is somebody's by now, and stays: only empty ones can be removed so.
            drop(tokio::fs::remove_dir(folder).await);
        }
        rehearsed
    }

    pub(super) async fn remove_forgotten_probes(&self) -> Result<(), Error> {
        for name in self.sink.names("passes").await? {
            let path = format!("passes/{name}");
            if name.ends_with(ENDING)
                && let Some(written) = self.sink.written_at(&path).await?
                && Timestamp::now() > written + FORGOTTEN
            {
                self.sink.remove(&path).await?;
            }
        }
        Ok(())
    }
}

/// Nobody else's, whoever asks at the same time.
pub(super) fn path() -> String {
    let moment = Timestamp::now().as_microsecond();
    format!("passes/{}-{moment}{ENDING}", std::process::id())
}

fn at(step: &str, error: Error) -> Error {
    match error {
        Error::Store(reason) => Error::Store(format!("it cannot be {step}: {reason}")),
        other => other,
    }
}
