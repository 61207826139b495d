//! A feature service: its definition, and what of each layer matters for reading it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::Portal;
use super::call::{Call, below};
use super::error::Error;
use super::layer::{Dates, Layer, dates, read_layers};
use crate::item::Item;
use crate::members::Members;

/// A service as `layers` describes it at one moment.
#[derive(Debug)]
pub struct Service {
    pub(super) url: Url,
    /// The answer itself, to be kept.
    pub document: Bytes,
    /// Layers and tables, in the order of the answer.
    pub layers: Vec<Layer>,
    /// The root's own document, once it was asked for.
    root: Mutex<Option<Bytes>>,
}

impl Service {
    /// The last edit of each layer that tells one, in milliseconds.
    pub fn edit_dates(&self) -> BTreeMap<u32, i64> {
        self.layers
            .iter()
            .filter_map(|layer| Some((layer.id, layer.dates.newest()?)))
            .collect()
    }

    /// Every layer and table with rows tells when it was edited.
    pub fn tells_all_dates(&self) -> bool {
        self.layers
            .iter()
            .filter(|layer| layer.has_rows())
            .all(|layer| layer.dates.newest().is_some())
    }
}

impl Portal {
    /// The root of an item's service: without a layer's number, https where the portal is.
    fn service_url(&self, item: &Item) -> Result<Url, Error> {
        let refused = |message: &str| Error::Refused {
            code: 0,
            message: message.to_owned(),
        };
        let text = item
            .url
            .as_deref()
            .ok_or_else(|| refused("the item names no service address"))?;
        let mut url = Url::parse(text.trim())
            .map_err(|_reason| refused("the item's service address is not an address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused(
                "the item's service address is neither http nor https",
            ));
        }
        if url.scheme() == "http"
            && self.address.scheme() == "https"
            && url.set_scheme("https").is_err()
        {
            return Err(refused(
                "the item's service address cannot be asked by https",
            ));
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        let root = path
            .rsplit_once('/')
            .filter(|(_, last)| last.bytes().all(|byte| byte.is_ascii_digit()));
        url.set_path(root.map_or(path.as_str(), |(root, _)| root));
        Ok(url)
    }

    /// All layers and tables with their edit dates, in one request.
    pub async fn service(&self, item: &Item) -> Result<Service, Error> {
        let url = self.service_url(item)?;
        let document = self
            .document(&Call::get("layers", below(&url, &["layers"])))
            .await?;
        let layers = read_layers(&document, &url).map_err(|error| {
            Error::Untrue(format!("layers: not a service's definition: {error}"))
        })?;
        Ok(Service {
            url,
            document,
            layers,
            root: Mutex::default(),
        })
    }

    /// `service.json`.
    pub async fn service_definition(&self, service: &Service) -> Result<Bytes, Error> {
        let mut root = service.root.lock().await;
        if let Some(root) = root.as_ref() {
            return Ok(root.clone());
        }
        let document = self
            .document(&Call::get("service", service.url.clone()))
            .await?;
        Ok(root.insert(document).clone())
    }

    /// A layer's edit dates now. The root tells the newest edit of the whole service, so where there is one
    /// layer with rows, its document can confirm the `known` dates, and saves a request.
    pub async fn edit_dates(
        &self,
        service: &Service,
        layer: &Layer,
        known: Dates,
    ) -> Result<Dates, Error> {
        let alone = service
            .layers
            .iter()
            .filter(|layer| layer.has_rows())
            .count()
            == 1;
        if let (true, Some(newest)) = (alone, known.newest()) {
            *service.root.lock().await = None;
            let root = self.service_definition(service).await?;
            let root: Members<'_> = serde_json::from_slice(&root).unwrap_or_default();
            if dates(&root).newest().is_some_and(|date| date <= newest) {
                return Ok(known);
            }
        }
        let document = self
            .document(&Call::get("layer", layer.url.clone()))
            .await?;
        let now: Members<'_> = serde_json::from_slice(&document)
            .map_err(|error| Error::Untrue(format!("layer: not a definition: {error}")))?;
        Ok(dates(&now))
    }

    /// `view.json`: what a view reads. Not everybody may ask.
    pub async fn view_sources(&self, service: &Service) -> Result<Bytes, Error> {
        let sources = below(&service.url, &["sources"]);
        self.document(&Call::get("view sources", sources)).await
    }

    /// Rows that the server has now; `None` when it does not say.
    pub async fn count_rows(&self, layer: &Layer) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        struct Count {
            #[serde(default)]
            count: Option<u64>,
        }
        let call = Call::get("row count", below(&layer.url, &["query"]))
            .with("where", "1=1")
            .with("returnCountOnly", "true");
        let document = self.document(&call).await?;
        let count: Count = serde_json::from_slice(&document)
            .map_err(|error| Error::Untrue(format!("row count: not a count: {error}")))?;
        Ok(count.count)
    }
}
