//! What the organisation holds: folders, items, services, and how its portal behaves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::layer::Layer;
use super::pages::OUT_OF_BAND;
use super::units::Units;

pub const USER: &str = "gis_backup";
pub const ORG: &str = "CityOrg01";
pub const CLIENT_ID: &str = "city-client";
pub const REFRESH_TOKEN: &str = "refresh-secret-1";
pub const API_KEY: &str = "AAPKapi-key-secret";

/// Milliseconds of 1 January 2026, when everything in the worlds was made.
pub const MADE: i64 = 1_767_225_600_000;

/// Milliseconds since 1970, as the portal counts.
pub fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    i64::try_from(since.as_millis()).expect("a clock before the end of time")
}

/// The same 32 hexadecimal digits for the same seed.
pub fn hex_id(seed: &str) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    Sha256::digest(seed)
        .iter()
        .take(16)
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// How the portal behaves; every field can be set before the start or by `edit`.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    pub access_token_seconds: u64,
    pub refresh_token_seconds: u64,
    /// No person's sign-in is good for longer.
    pub longest_refresh_seconds: u64,
    /// Enterprise before 10.9.1 does not tell how long a refresh token lives.
    pub tells_refresh_end: bool,
    /// An exchange voids the old refresh token.
    pub rotation_kills_old: bool,
    /// What the page after a sign-in shows is good for so long.
    pub code_seconds: u64,
    /// Where the application may send people back to.
    pub redirect_uris: Vec<String>,
    /// No listing gives more per page.
    pub page_cap: usize,
    /// New export items are not found for so long.
    pub search_lag_ms: i64,
    /// Search pages no further than this.
    pub search_window: usize,
    /// Polls of a job that answer `processing`.
    pub export_polls: usize,
    pub export_ms: u64,
    pub recycle_bin: bool,
    /// An Enterprise portal says so in `portals/self`.
    pub enterprise: bool,
    /// `/portal` for an Enterprise portal; set before the start.
    pub context: String,
    /// Answers of more than 1 KB are compressed for whoever accepts it.
    pub gzip: bool,
    /// JSON under `text/plain`.
    pub plain_text_json: bool,
    /// Files come from the portal itself, without a redirect.
    pub files_inline: bool,
    /// How long a signed address of the file store is good.
    pub signed_url_seconds: u64,
    /// The header with request units on every answer of the services host.
    pub units: Option<Units>,
    /// Before every answer.
    pub latency_ms: u64,
    /// The account may list the whole organisation.
    pub administrator: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_seconds: 1800,
            refresh_token_seconds: 90 * 86_400,
            longest_refresh_seconds: 90 * 86_400,
            tells_refresh_end: true,
            rotation_kills_old: false,
            code_seconds: 600,
            redirect_uris: vec![OUT_OF_BAND.to_owned()],
            page_cap: 100,
            search_lag_ms: 0,
            search_window: 10_000,
            export_polls: 1,
            export_ms: 0,
            recycle_bin: true,
            enterprise: false,
            context: String::new(),
            gzip: true,
            plain_text_json: false,
            files_inline: false,
            signed_url_seconds: 300,
            units: None,
            latency_ms: 0,
            administrator: true,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Folder {
    pub id: String,
    pub owner: String,
    pub title: String,
}

/// What `/data` answers.
#[derive(Clone, Debug)]
pub enum Data {
    None,
    /// Sent as it stands, with its spaces.
    Json(String),
    File {
        media: &'static str,
        bytes: Bytes,
    },
}

/// A portal item.
#[derive(Clone, Debug)]
pub struct Item {
    pub id: String,
    pub title: String,
    /// The API's `type`.
    pub kind: String,
    pub owner: String,
    /// A folder's id.
    pub folder: Option<String>,
    pub created: i64,
    pub modified: i64,
    pub tags: Vec<String>,
    pub keywords: Vec<String>,
    pub snippet: Option<String>,
    pub description: Option<String>,
    /// The file's name.
    pub name: Option<String>,
    pub access: String,
    pub protected: bool,
    pub data: Data,
    pub resources: Vec<(String, Bytes)>,
    pub thumbnail: Option<Bytes>,
    pub metadata: Option<String>,
    /// Ids of related items.
    pub related: Vec<String>,
    /// The hosted or referenced service behind it.
    pub service: Option<String>,
    /// An address as the user wrote it, instead of the service's.
    pub url: Option<String>,
    /// `[[west, south], [east, north]]`.
    pub extent: Value,
    /// Members that replace or join the usual ones.
    pub extra: Map<String, Value>,
}

impl Item {
    /// An item of [`USER`] in the root folder; its id follows from type and title.
    pub fn new(kind: &str, title: &str) -> Self {
        Self {
            id: hex_id(&format!("{kind}/{title}")),
            title: title.to_owned(),
            kind: kind.to_owned(),
            owner: USER.to_owned(),
            folder: None,
            created: MADE,
            modified: MADE,
            tags: Vec::new(),
            keywords: Vec::new(),
            snippet: None,
            description: None,
            name: None,
            access: "private".to_owned(),
            protected: false,
            data: Data::None,
            resources: Vec::new(),
            thumbnail: None,
            metadata: None,
            related: Vec::new(),
            service: None,
            url: None,
            extent: Value::Array(Vec::new()),
            extra: Map::new(),
        }
    }
}

/// A feature service.
#[derive(Clone, Debug)]
pub struct Service {
    pub name: String,
    pub layers: Vec<Layer>,
    /// Group layers: id, name, ids of the members.
    pub groups: Vec<(i64, String, Vec<i64>)>,
    pub capabilities: String,
    /// The service whose rows a view shows.
    pub view_of: Option<String>,
    /// False: on somebody else's server, anonymous.
    pub hosted: bool,
    pub description: String,
    pub item_id: String,
}

impl Service {
    pub fn new(name: &str, layers: Vec<Layer>) -> Self {
        Self {
            name: name.to_owned(),
            layers,
            groups: Vec::new(),
            capabilities: "Query,Extract,ChangeTracking".to_owned(),
            view_of: None,
            hosted: true,
            description: String::new(),
            item_id: String::new(),
        }
    }

    pub fn layer(&self, id: i64) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.id == id)
    }
}

/// Everything that the portal holds: a world.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    pub settings: Settings,
    pub folders: Vec<Folder>,
    pub items: Vec<Item>,
    pub services: BTreeMap<String, Arc<Service>>,
}

impl Catalogue {
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The first item of that title.
    pub fn titled(&self, title: &str) -> &Item {
        self.items
            .iter()
            .find(|item| item.title == title)
            .expect("an item of that title")
    }

    pub fn item_of_service(&self, service: &str) -> Option<&Item> {
        self.items
            .iter()
            .find(|item| item.service.as_deref() == Some(service))
    }

    /// A service as it answers now: a view shows its source's rows, attachments and dates.
    pub fn resolved(&self, name: &str) -> Option<Arc<Service>> {
        let service = self.services.get(name)?;
        let Some(source) = service
            .view_of
            .as_ref()
            .and_then(|source| self.services.get(source))
        else {
            return Some(Arc::clone(service));
        };
        let mut view = Service::clone(service);
        for layer in &mut view.layers {
            if let Some(from) = source.layer(layer.source.unwrap_or(layer.id)) {
                layer.show(from);
            }
        }
        Some(Arc::new(view))
    }

    pub fn folder_id(&self, title: &str) -> Option<String> {
        self.folders
            .iter()
            .find(|folder| folder.title == title)
            .map(|folder| folder.id.clone())
    }
}
