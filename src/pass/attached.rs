//! Copies the files attached to the rows of a layer. They never change under their id, so those of an
//! earlier version are named again instead of being fetched.

use std::collections::HashMap;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::Pass;
use super::files::{Errand, Opened};
use super::trouble::{Trouble, at};
use crate::archive::Version;
use crate::item::{extension, slug};
use crate::portal::{Attachment, Layer};
use crate::snapshot::{File, Role};

/// Attachments of one layer in flight.
const AT_ONCE: usize = 8;

impl Pass<'_> {
    pub(super) async fn copy_attachments(
        &self,
        layer: &Layer,
        version: &Version,
    ) -> Result<(), Trouble> {
        let attachments = self
            .portal
            .attachments(layer)
            .await
            .map_err(at("attachments"))?;
        let earlier: HashMap<(i64, i64), &File> = version
            .earlier_files()
            .filter(|file| file.role == Role::Attachment && file.layer == Some(layer.id))
            .filter_map(|file| Some(((file.object_id?, file.attachment_id?), file)))
            .collect();
        futures::stream::iter(&attachments)
            .map(
                async |attachment| match earlier.get(&(attachment.object_id, attachment.id)) {
                    Some(file) if is_same(file, attachment) => {
                        version.reuse(file);
                        Ok(())
                    }
                    _ => self.copy_attachment(layer, attachment, version).await,
                },
            )
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn copy_attachment(
        &self,
        layer: &Layer,
        attachment: &Attachment,
        version: &Version,
    ) -> Result<(), Trouble> {
        let file = labelled(layer, attachment);
        let errand = Errand {
            subject: "attachment",
            stage: "attachments",
            length: attachment.size,
            may_be_empty: attachment.size.is_none_or(|size| size == 0),
        };
        let open = async || {
            self.portal
                .open_attachment(layer, attachment)
                .await
                .map(Opened::from)
        };
        if self
            .copy_file(version, &errand, open, |_| file.clone())
            .await?
        {
            return Ok(());
        }
        match attachment.size {
            None | Some(0) => self.keep(version, file, Bytes::new()).await,
            Some(size) => {
                let message = format!(
                    "layer {}: attachment {} came empty, {size} bytes were announced",
                    layer.id, attachment.id
                );
                Err(Trouble::item("attachments", message))
            }
        }
    }
}

fn is_same(file: &File, attachment: &Attachment) -> bool {
    attachment.size == Some(file.bytes) && file.name.as_deref() == Some(&attachment.name)
}

/// `attachments/<layer id>/<object id>/<attachment id>-<slug>.<ext>`
fn labelled(layer: &Layer, attachment: &Attachment) -> File {
    let ending = extension(&attachment.name);
    let stem = attachment
        .name
        .rsplit_once('.')
        .filter(|_| ending.is_some())
        .map_or(attachment.name.as_str(), |(stem, _)| stem);
    let mut path = format!(
        "attachments/{}/{}/{}",
        layer.id, attachment.object_id, attachment.id
    );
    for (mark, part) in [
        ("-", Some(slug(stem)).filter(|slug| !slug.is_empty())),
        (".", ending),
    ] {
        if let Some(part) = part {
            path.push_str(mark);
            path.push_str(&part);
        }
    }
    File {
        layer: Some(layer.id),
        object_id: Some(attachment.object_id),
        attachment_id: Some(attachment.id),
        name: Some(attachment.name.clone()),
        ..File::to_be(Role::Attachment, path)
    }
}
