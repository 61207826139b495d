//! Copies the parts of an item besides its rows.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future};

use super::Pass;
use super::files::{Errand, Opened};
use super::trouble::{Trouble, at};
use crate::archive::Version;
use crate::item::{Item, extension, slug};
use crate::portal::{self, Part, Resource};
use crate::snapshot::{File, Note, Role};

/// Resources of one item in flight.
const RESOURCES_AT_ONCE: usize = 4;

impl Pass<'_> {
    /// Everything but a service's rows, side by side.
    pub(super) async fn copy_parts(&self, item: &Item, version: &Version) -> Result<(), Trouble> {
        let properties = async {
            let (properties, sharing) = self.portal.properties(item).await.map_err(at("item"))?;
            self.keep(version, File::to_be(Role::Item, "item.json"), properties)
                .await?;
            match sharing {
                Some(sharing) => {
                    self.keep(version, File::to_be(Role::Sharing, "sharing.json"), sharing)
                        .await
                }
                None => Ok(()),
            }
        };
        let related = async {
            match self.portal.related(item).await {
                Ok(Some(related)) => {
                    self.keep(version, File::to_be(Role::Related, "related.json"), related)
                        .await
                }
                Ok(None) => Ok(()),
                Err(error) => absent(version, "related_not_readable", error).map_err(at("item")),
            }
        };
        let data = self.copy_data(item, version);
        let thumbnail = self.copy_info(item, version, Part::Thumbnail);
        let metadata = self.copy_info(item, version, Part::Metadata);
        future::try_join3(properties, related, data).await?;
        future::try_join3(thumbnail, metadata, self.copy_resources(item, version))
            .await
            .map(|_| ())
    }

    pub(super) async fn keep(
        &self,
        version: &Version,
        file: File,
        document: Bytes,
    ) -> Result<(), Trouble> {
        self.progress
            .add_bytes(version.store(file, document).await?);
        Ok(())
    }

    async fn copy_data(&self, item: &Item, version: &Version) -> Result<(), Trouble> {
        // A service's size is that of its rows; other items with a size have a file or a text.
        let may_be_empty = item.size <= 0 || item.url.is_some();
        let errand = Errand {
            subject: "data",
            stage: "data",
            length: None,
            may_be_empty,
        };
        let open = async || {
            self.portal
                .open_part(item, Part::Data)
                .await
                .map(Opened::from)
        };
        let label = |download: &portal::Download| {
            let named = item
                .name
                .as_deref()
                .and_then(extension)
                .or_else(|| download.name.as_deref().and_then(extension));
            let sniffed = match download.first_byte() {
                Some(b'{' | b'[') => "json",
                _ if download.is_zip() => "zip",
                Some(b'<') => "xml",
                _ => "bin",
            };
            let ending = named.unwrap_or_else(|| sniffed.to_owned());
            File::to_be(Role::Data, format!("data.{ending}"))
        };
        let copied = self.copy_file(version, &errand, open, label).await?;
        if !copied && !may_be_empty {
            let message = format!(
                "the portal tells of {} bytes of data and gives none",
                item.size
            );
            version.note(Note::on_item("data_empty", message));
        }
        Ok(())
    }

    /// Thumbnail and metadata: the portal may name one that is not there any more.
    async fn copy_info(&self, item: &Item, version: &Version, part: Part) -> Result<(), Trouble> {
        let (wanted, subject, code) = match part {
            Part::Metadata => (item.has_metadata(), "metadata", "metadata_not_readable"),
            _ => (
                item.thumbnail.is_some(),
                "thumbnail",
                "thumbnail_not_readable",
            ),
        };
        if !wanted {
            return Ok(());
        }
        let is_refused = AtomicBool::new(false);
        let open = async || match self.portal.open_part(item, part).await {
            Ok(opened) => Ok(opened.into()),
            Err(error) => {
                is_refused.store(true, Ordering::Relaxed);
                without_info(version, part, code, error).map(|()| Opened::Absent)
            }
        };
        let file = if part == Part::Metadata {
            File::to_be(Role::Metadata, "metadata.xml")
        } else {
            let ending = item.thumbnail.as_deref().and_then(extension);
            File::to_be(
                Role::Thumbnail,
                format!("thumbnail.{}", ending.as_deref().unwrap_or("png")),
            )
        };
        let errand = Errand {
            subject,
            stage: "item",
            length: None,
            may_be_empty: false,
        };
        let copied = self
            .copy_file(version, &errand, open, |_| file.clone())
            .await?;
        if !copied && !is_refused.into_inner() {
            version.note(Note::on_item(code, format!("the {subject} came empty")));
        }
        Ok(())
    }

    async fn copy_resources(&self, item: &Item, version: &Version) -> Result<(), Trouble> {
        let resources = match self.portal.resources(item).await {
            Ok(resources) => resources,
            Err(error) => {
                return absent(version, "resources_not_readable", error).map_err(at("resources"));
            }
        };
        futures::stream::iter(&resources)
            .map(|resource| self.copy_resource(item, version, resource))
            .buffer_unordered(RESOURCES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn copy_resource(
        &self,
        item: &Item,
        version: &Version,
        resource: &Resource,
    ) -> Result<(), Trouble> {
        let (stem, ending) = (
            resource
                .name
                .rsplit_once('.')
                .map_or(resource.name.as_str(), |(stem, _)| stem),
            extension(&resource.name),
        );
        let stem = match slug(stem) {
            stem if stem.is_empty() => "resource".to_owned(),
            stem => format!("resource-{stem}"),
        };
        let path = version.free_name("resources", &stem, ending.as_deref());
        let file = File {
            name: Some(resource.name.clone()),
            ..File::to_be(Role::Resource, path)
        };
        let errand = Errand {
            subject: "resource",
            stage: "resources",
            length: None,
            may_be_empty: resource.size.is_none_or(|size| size <= 0),
        };
        let open = async || {
            self.portal
                .open_resource(item, resource)
                .await
                .map(Opened::from)
        };
        if !self
            .copy_file(version, &errand, open, |_| file.clone())
            .await?
        {
            if !errand.may_be_empty {
                let message = format!("the resource {} came empty", resource.name);
                version.note(Note::on_item("resource_empty", message));
            }
            self.keep(version, file, Bytes::new()).await?;
        }
        Ok(())
    }
}

/// Many items have the keyword and no metadata: the portal says so with a refusal or a fault.
fn without_info(
    version: &Version,
    part: Part,
    code: &str,
    error: portal::Error,
) -> Result<(), portal::Error> {
    if part != Part::Metadata || error.is_of_the_account() {
        return absent(version, code, error);
    }
    if !error.is_refusal() {
        version.note(Note::on_item(code, error.to_string()));
    }
    Ok(())
}

/// A part that the portal refuses is noted; any other error is the item's.
pub(super) fn absent(
    version: &Version,
    code: &str,
    error: portal::Error,
) -> Result<(), portal::Error> {
    if !error.is_refusal() {
        return Err(error);
    }
    version.note(Note::on_item(code, error.to_string()));
    Ok(())
}
