//! Moves one item: reads every part of it into a new version, and says in one entry how that ended.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future};
use jiff::Timestamp;
use tracing::{info, warn};

use super::Pass;
use super::files::Errand;
use super::trouble::{Trouble, at};
use crate::archive::{Sealed, Version};
use crate::decide::{Action, Reason};
use crate::exit::Stop;
use crate::item::{Item, extension, slug};
use crate::portal::{self, Part, Resource};
use crate::snapshot::{Change, Entry, Failure, File, Note, Role, State};

/// Resources of one item in flight.
const RESOURCES_AT_ONCE: usize = 4;

impl Pass<'_> {
    /// Does what was decided about an item. An error here ends the pass.
    pub(super) async fn move_item(&self, item: &Item, action: Action, settings: &str) -> Result<Entry, Stop> {
        let (reason, earlier) = match action {
            Action::Keep(entry) => return Ok(*entry),
            Action::Skip(why) => {
                info!(item = item.id, title = item.title, r#type = item.kind, reason = why, "item skipped");
                return Ok(Entry { reason: Some(why), ..blank(item, State::Skipped) });
            }
            Action::Read { reason, earlier } => (reason, earlier),
        };
        if self.is_out_of_time() {
            let failure = Failure { stage: "time".to_owned(), message: "not begun before BACKUP_MAX_DURATION".to_owned() };
            return Ok(failed(item, earlier.as_deref(), failure));
        }
        match self.copy(item, reason, earlier.as_deref(), settings).await {
            Ok(entry) => {
                let (rows, bytes, notes) = (entry.rows, entry.bytes, entry.notes);
                info!(item = item.id, title = item.title, r#type = item.kind, files = entry.files, rows, bytes, notes, "item stored");
                Ok(entry)
            }
            Err(Trouble::Item(failure)) => {
                let (stage, reason) = (failure.stage.as_str(), failure.message.as_str());
                warn!(item = item.id, title = item.title, r#type = item.kind, stage, reason, "item failed");
                Ok(failed(item, earlier.as_deref(), failure))
            }
            Err(Trouble::Pass(stop)) => Err(stop),
        }
    }

    fn is_out_of_time(&self) -> bool {
        self.config.max_duration.is_some_and(|limit| self.began.elapsed() >= limit)
    }

    async fn copy(&self, item: &Item, reason: Reason, earlier: Option<&Entry>, settings: &str) -> Result<Entry, Trouble> {
        let began = Timestamp::now();
        let earlier = earlier.filter(|_| reason.allows_reuse());
        let record = match earlier {
            Some(Entry { record: Some(path), record_sha256: Some(sha256), .. }) => self.archive.record(path, sha256).await?,
            _ => None,
        };
        let earlier_change = earlier.and_then(|entry| entry.change.as_ref()).filter(|_| record.is_some());
        let version = self.archive.version(item, &self.hold.stamp, record);
        let parts = future::try_join(self.copy_parts(item, &version), self.copy_service(item, &version, earlier_change));
        let dates = match parts.await {
            Ok(((), dates)) => dates,
            Err(trouble) => {
                version.discard().await?;
                return Err(trouble);
            }
        };
        let read_at = if dates.reused { earlier_change.map_or(began, |change| change.read_at) } else { began };
        let sealed = version.seal(item).await?;
        let change = Change { modified: item.modified, layers: dates.layers, read_at, settings: settings.to_owned() };
        Ok(stored(item, change, sealed))
    }

    /// Everything but a service's rows, side by side.
    async fn copy_parts(&self, item: &Item, version: &Version) -> Result<(), Trouble> {
        let properties = async {
            let (properties, sharing) = self.portal.properties(item).await.map_err(at("item"))?;
            self.keep(version, File::to_be(Role::Item, "item.json"), properties).await?;
            match sharing {
                Some(sharing) => self.keep(version, File::to_be(Role::Sharing, "sharing.json"), sharing).await,
                None => Ok(()),
            }
        };
        let related = async {
            match self.portal.related(item).await {
                Ok(Some(related)) => self.keep(version, File::to_be(Role::Related, "related.json"), related).await,
                Ok(None) => Ok(()),
                Err(error) => absent(version, "related_not_readable", error).map_err(at("item")),
            }
        };
        let data = self.copy_data(item, version);
        let thumbnail = self.copy_info(item, version, Part::Thumbnail);
        let metadata = self.copy_info(item, version, Part::Metadata);
        future::try_join3(properties, related, data).await?;
        future::try_join3(thumbnail, metadata, self.copy_resources(item, version)).await.map(|_| ())
    }

    pub(super) async fn keep(&self, version: &Version, file: File, document: Bytes) -> Result<(), Trouble> {
        self.progress.add_bytes(document.len() as u64);
        Ok(version.store(file, document).await?)
    }

    async fn copy_data(&self, item: &Item, version: &Version) -> Result<(), Trouble> {
        let errand = Errand { subject: "data", stage: "data", length: None };
        let open = async || self.portal.open_part(item, Part::Data).await;
        let label = |download: &portal::Download| {
            let named = item.name.as_deref().and_then(extension).or_else(|| download.name.as_deref().and_then(extension));
            let sniffed = match download.first_byte() {
                Some(b'{' | b'[') => "json",
                _ if download.is_zip() => "zip",
                Some(b'<') => "xml",
                _ => "bin",
            };
            let ending = named.unwrap_or_else(|| sniffed.to_owned());
            File::to_be(Role::Data, format!("data.{ending}"))
        };
        self.copy_file(version, &errand, open, label).await.map(|_| ())
    }

    /// Thumbnail and metadata: the portal may name one that is not there any more.
    async fn copy_info(&self, item: &Item, version: &Version, part: Part) -> Result<(), Trouble> {
        let (wanted, subject, code) = match part {
            Part::Metadata => (item.has_metadata(), "metadata", "metadata_not_readable"),
            _ => (item.thumbnail.is_some(), "thumbnail", "thumbnail_not_readable"),
        };
        if !wanted {
            return Ok(());
        }
        let open = async || match self.portal.open_part(item, part).await {
            Err(error) if error.is_refusal() => {
                absent(version, code, error)?;
                Ok(None)
            }
            opened => opened,
        };
        let label = |_: &portal::Download| match part {
            Part::Metadata => File::to_be(Role::Metadata, "metadata.xml"),
            _ => {
                let ending = item.thumbnail.as_deref().and_then(extension).unwrap_or_else(|| "png".to_owned());
                File::to_be(Role::Thumbnail, format!("thumbnail.{ending}"))
            }
        };
        let errand = Errand { subject, stage: "item", length: None };
        self.copy_file(version, &errand, open, label).await.map(|_| ())
    }

    async fn copy_resources(&self, item: &Item, version: &Version) -> Result<(), Trouble> {
        let resources = match self.portal.resources(item).await {
            Ok(resources) => resources,
            Err(error) => return absent(version, "resources_not_readable", error).map_err(at("resources")),
        };
        futures::stream::iter(&resources)
            .map(|resource| self.copy_resource(item, version, resource))
            .buffer_unordered(RESOURCES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn copy_resource(&self, item: &Item, version: &Version, resource: &Resource) -> Result<(), Trouble> {
        let (stem, ending) = (resource.name.rsplit_once('.').map_or(resource.name.as_str(), |(stem, _)| stem), extension(&resource.name));
        let stem = match slug(stem) {
            stem if stem.is_empty() => "resource".to_owned(),
            stem => format!("resource-{stem}"),
        };
        let path = version.free_name("resources", &stem, ending.as_deref());
        let file = File { name: Some(resource.name.clone()), ..File::to_be(Role::Resource, path) };
        let errand = Errand { subject: "resource", stage: "resources", length: None };
        let open = async || self.portal.open_resource(item, resource).await;
        if !self.copy_file(version, &errand, open, |_| file.clone()).await? {
            self.keep(version, file, Bytes::new()).await?;
        }
        Ok(())
    }
}

/// A part that the portal refuses is noted; any other error is the item's.
pub(super) fn absent(version: &Version, code: &str, error: portal::Error) -> Result<(), portal::Error> {
    if !error.is_refusal() {
        return Err(error);
    }
    version.note(Note::on_item(code, error.to_string()));
    Ok(())
}

fn blank(item: &Item, state: State) -> Entry {
    Entry {
        id: item.id.clone(),
        title: item.title.clone(),
        kind: item.kind.clone(),
        owner: item.owner.clone(),
        state,
        change: None,
        record: None,
        record_sha256: None,
        files: 0,
        bytes: 0,
        rows: 0,
        notes: 0,
        error: None,
        reason: None,
    }
}

fn stored(item: &Item, change: Change, sealed: Sealed) -> Entry {
    Entry {
        change: Some(change),
        files: sealed.record.files.len() as u64,
        bytes: sealed.record.bytes(),
        rows: sealed.record.rows(),
        notes: sealed.record.notes.len() as u64,
        record: Some(sealed.path),
        record_sha256: Some(sealed.sha256),
        ..blank(item, State::Stored)
    }
}

/// The last good copy stays named; without one the item is missing.
fn failed(item: &Item, earlier: Option<&Entry>, failure: Failure) -> Entry {
    match earlier {
        Some(earlier) => Entry { state: State::Kept, error: Some(failure), reason: None, ..earlier.clone() },
        None => Entry { error: Some(failure), ..blank(item, State::Missing) },
    }
}
