//! Files attached to rows: which there are, and their bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::Portal;
use super::body::LONGEST_ID_LIST;
use super::call::{Call, below};
use super::download::Download;
use super::error::Error;
use super::layer::Layer;

/// A list that goes on beyond this has no end.
const MOST_ATTACHMENTS: usize = 2_000_000;

/// One attached file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The row it belongs to.
    pub object_id: i64,
    /// Unique within its layer.
    pub id: i64,
    /// As the user called it: neither unique nor a path.
    pub name: String,
    /// Bytes, where the server tells.
    pub size: Option<u64>,
}

/// A page of the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    #[serde(default)]
    attachment_groups: Option<Vec<Group>>,
    #[serde(default)]
    exceeded_transfer_limit: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    parent_object_id: i64,
    #[serde(default)]
    attachment_infos: Option<Vec<Info>>,
    #[serde(default)]
    count: Option<u64>,
}

#[derive(Deserialize)]
struct Info {
    id: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    size: Option<i64>,
}

/// By row and attachment id: pages may overlap.
pub(super) type Found = BTreeMap<(i64, i64), Attachment>;

impl Portal {
    /// All attachments of a layer, complete by the server's own count where it counts them.
    pub async fn attachments(&self, layer: &Layer) -> Result<Vec<Attachment>, Error> {
        let mut found = Found::new();
        if layer.lists_attachments {
            self.list_attachments(layer, &mut found).await?;
        } else {
            self.list_row_by_row(layer, &mut found).await?;
        }
        Ok(found.into_values().collect())
    }

    async fn list_attachments(&self, layer: &Layer, found: &mut Found) -> Result<(), Error> {
        let counted = if layer.counts_attachments {
            self.count_attachments(layer).await?
        } else {
            None
        };
        loop {
            let call = attachments_call(layer).with("resultOffset", found.len().to_string());
            let answer = self.attachment_groups(&call).await?;
            let (before, is_cut) = (found.len(), answer.exceeded_transfer_limit == Some(true));
            answer.add_to(found);
            // No flag is documented for this list, so only an answer with nothing new, or the count, ends it.
            let all = counted.is_some_and(|counted| found.len() as u64 >= counted);
            if found.len() == before || (all && !is_cut) {
                break;
            }
            if found.len() > MOST_ATTACHMENTS {
                let message = format!("more than {MOST_ATTACHMENTS} attachments of one layer");
                return Err(Error::Untrue(message));
            }
        }
        match counted {
            Some(counted) if (found.len() as u64) < counted => Err(Error::Untrue(format!(
                "{} of {counted} attachments were listed",
                found.len()
            ))),
            _ => Ok(()),
        }
    }

    /// `None` when the answer is cut, and so no count of all.
    async fn count_attachments(&self, layer: &Layer) -> Result<Option<u64>, Error> {
        let answer = self
            .attachment_groups(&attachments_call(layer).with("returnCountOnly", "true"))
            .await?;
        let groups = answer.attachment_groups.unwrap_or_default();
        let counts: Option<Vec<u64>> = groups.iter().map(|group| group.count).collect();
        Ok(counts
            .filter(|_| answer.exceeded_transfer_limit != Some(true))
            .and_then(|counts| counts.into_iter().try_fold(0, u64::checked_add)))
    }

    async fn attachment_groups(&self, call: &Call) -> Result<Answer, Error> {
        Answer::read(&self.document(call).await?)
    }

    /// Older servers list the attachments of one row at a time.
    async fn list_row_by_row(&self, layer: &Layer, found: &mut Found) -> Result<(), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct OfRow {
            #[serde(default)]
            attachment_infos: Option<Vec<Info>>,
        }
        for object_id in self.row_ids(layer).await? {
            let url = below(&layer.url, &[&object_id.to_string(), "attachments"]);
            let document = self
                .document(&Call::get("attachments of a row", url))
                .await?;
            let answer: OfRow = serde_json::from_slice(&document)
                .map_err(|error| Error::Untrue(format!("attachments: not a list: {error}")))?;
            add(
                found,
                object_id,
                answer.attachment_infos.unwrap_or_default(),
            );
        }
        Ok(())
    }

    /// Opens an attachment; empty files are `None`.
    pub async fn open_attachment(
        &self,
        layer: &Layer,
        attachment: &Attachment,
    ) -> Result<Option<Download>, Error> {
        let row = attachment.object_id.to_string();
        let url = below(
            &layer.url,
            &[&row, "attachments", &attachment.id.to_string()],
        );
        self.download(&Call::file("attachment", url).named(&attachment.name))
            .await
    }

    /// Every object id of a layer, ascending.
    pub(super) async fn row_ids(&self, layer: &Layer) -> Result<Vec<i64>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Ids {
            #[serde(default)]
            object_ids: Option<Vec<i64>>,
        }
        let call = Call::get("row ids", below(&layer.url, &["query"]))
            .with("where", "1=1")
            .with("returnIdsOnly", "true")
            .no_longer_than(LONGEST_ID_LIST);
        let body: Bytes = self.document(&call).await?;
        let ids: Ids = serde_json::from_slice(&body)
            .map_err(|error| Error::Untrue(format!("row ids: not a list of ids: {error}")))?;
        let mut ids = ids.object_ids.unwrap_or_default();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

impl Answer {
    pub(super) fn read(document: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(document)
            .map_err(|error| Error::Untrue(format!("attachments: not a list: {error}")))
    }

    pub(super) fn add_to(self, found: &mut Found) {
        for group in self.attachment_groups.unwrap_or_default() {
            let infos = group.attachment_infos.unwrap_or_default();
            add(found, group.parent_object_id, infos);
        }
    }
}

fn attachments_call(layer: &Layer) -> Call {
    Call::get("attachments", below(&layer.url, &["queryAttachments"]))
        .with("definitionExpression", "1=1")
}

fn add(found: &mut Found, object_id: i64, infos: Vec<Info>) {
    for info in infos {
        let size = info.size.and_then(|size| u64::try_from(size).ok());
        let name = info.name.unwrap_or_default();
        found.insert(
            (object_id, info.id),
            Attachment {
                object_id,
                id: info.id,
                name,
                size,
            },
        );
    }
}
