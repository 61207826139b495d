//! Environment → typed [`Config`]. Every error names its variable and says what to write instead; the
//! value of a secret is never in one.

mod address;
mod authorities;
mod bounds;
mod destination;
mod environment;
mod login;
mod notices;
mod onedrive;
mod part;
mod platform;
mod read;
mod sink;
mod values;
mod variables;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

pub use address::is_loopback;
pub use bounds::Bounds;
pub use destination::{Bucket, Destination};
pub use environment::Environment;
pub use login::Login;
pub use notices::{Notices, SecretUrl, Webhook};
pub use onedrive::{OneDrive, RefreshToken};
pub use sink::{Service, Setting, Settings};
pub use variables::{VARIABLES, Variable};

use crate::retention::Rules;
use crate::shard::Shard;
use crate::token_file::{Token, TokenFile};

/// A variable that is missing, wrong or in contradiction with another.
#[derive(Debug, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct Error {
    variable: String,
    problem: String,
}

impl Error {
    pub(crate) fn new(variable: &str, problem: impl Into<String>) -> Self {
        Self {
            variable: variable.to_owned(),
            problem: problem.into(),
        }
    }

    /// What the argument parser says, in one line.
    pub fn of_arguments(message: &str) -> Self {
        let first = message
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        Self::new(
            "command line:",
            format!("{first}; everything is set by variables, see --help"),
        )
    }
}

/// Everything a pass needs to know.
#[derive(Debug)]
pub struct Config {
    /// The portal's address without `/home` or `/sharing/rest`, without a trailing slash.
    pub portal: Url,
    /// How to sign in.
    pub credentials: Credentials,
    /// Trusted beside those of the system.
    pub authorities: Vec<reqwest::Certificate>,
    /// Which items.
    pub selection: Selection,
    /// How to read them.
    pub reading: Reading,
    /// Requests in flight, all hosts together.
    pub concurrency: usize,
    /// How long trouble with the portal may last.
    pub bounds: Bounds,
    /// After this no new item is begun.
    pub max_duration: Option<Duration>,
    /// Copies older than this are read anew.
    pub full_every: Duration,
    /// Where the archive lies, and for how long.
    pub keeping: Keeping,
    /// Who is told besides the log.
    pub notices: Notices,
    /// The summary goes here too.
    pub summary_file: Option<PathBuf>,
    /// Names that look like ours and are not.
    pub unknown_variables: Vec<String>,
}

/// Where the archive lies, and what it keeps: all that is needed to look at one.
#[derive(Debug)]
pub struct Keeping {
    /// The folder or store.
    pub destination: Destination,
    /// What prune leaves.
    pub rules: Rules,
}

/// What the portal is asked to believe.
#[derive(Debug)]
pub enum Credentials {
    /// OAuth2: short access tokens from a long-lived refresh token.
    RefreshToken {
        /// The OAuth application.
        client_id: String,
        /// Lives 90 days at most.
        token: Token,
        /// Where it came from, and its successor goes.
        file: Option<TokenFile>,
    },
    /// One token for everything.
    ApiKey(SecretString),
}

impl Credentials {
    /// When a person must renew them, where that is known.
    pub fn expire_at(&self) -> Option<jiff::Timestamp> {
        match self {
            Self::RefreshToken { token, .. } => token.expires_at,
            Self::ApiKey(_) => None,
        }
    }
}

/// Which items a pass is about.
#[derive(Debug)]
pub struct Selection {
    /// Where to look.
    pub scope: Scope,
    /// Exact item types; empty for all.
    pub types: Vec<String>,
    /// Items with this tag are skipped.
    pub exclude_tag: String,
    /// One part of it, where several runs divide it among them.
    pub shard: Option<Shard>,
}

/// Where to look for items.
#[derive(Debug, PartialEq, Eq)]
pub enum Scope {
    /// What the signed-in user owns, in every folder.
    Mine,
    /// What the caller may see in the organisation.
    Org,
    /// What a portal search finds.
    Query(String),
}

/// How items are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Which engine reads hosted layers.
    pub method: Method,
    /// In which formats, in the order given.
    pub formats: Vec<Format>,
    /// Whether attachments are read.
    pub attachments: bool,
    /// How long one export job may take.
    pub export_timeout: Duration,
}

impl Reading {
    /// The wish in one word: a copy made for another wish is not a copy of this one.
    pub fn fingerprint(&self) -> String {
        let formats: Vec<&str> = self.formats.iter().map(|format| format.name()).collect();
        let attachments = if self.attachments {
            "attachments"
        } else {
            "no-attachments"
        };
        format!("{}:{}:{attachments}", self.method.name(), formats.join("+"))
    }
}

/// Which engine reads hosted layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The engine that suits the format, the other when that cannot do a layer.
    Auto,
    /// Reads rows page by page; leaves nothing in the organisation.
    Query,
    /// Asks the portal for a temporary export item.
    Export,
}

impl Method {
    const CHOICES: [(&'static str, Self); 3] = [
        ("auto", Self::Auto),
        ("query", Self::Query),
        ("export", Self::Export),
    ];

    /// As it is written in `BACKUP_METHOD`.
    pub fn name(self) -> &'static str {
        Self::CHOICES
            .iter()
            .find(|(_, method)| *method == self)
            .map_or("", |(name, _)| name)
    }
}

/// A format of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 7946, longitude and latitude.
    GeoJson,
    /// Lossless: native coordinates, field definitions.
    EsriJson,
    /// Comma-separated text.
    Csv,
    /// Zipped.
    Shapefile,
    /// Zipped.
    FileGeodatabase,
    /// One `SQLite` file.
    GeoPackage,
    /// One workbook.
    Excel,
    /// XML.
    Kml,
    /// Esri's own JSON container.
    FeatureCollection,
}

impl Format {
    /// By their names in `BACKUP_FORMATS`.
    pub const CHOICES: [(&'static str, Self); 9] = [
        ("geojson", Self::GeoJson),
        ("esrijson", Self::EsriJson),
        ("csv", Self::Csv),
        ("shapefile", Self::Shapefile),
        ("file-geodatabase", Self::FileGeodatabase),
        ("geopackage", Self::GeoPackage),
        ("excel", Self::Excel),
        ("kml", Self::Kml),
        ("feature-collection", Self::FeatureCollection),
    ];

    /// As it is written in `BACKUP_FORMATS` and in records.
    pub fn name(self) -> &'static str {
        Self::CHOICES
            .iter()
            .find(|(_, format)| *format == self)
            .map_or("", |(name, _)| name)
    }

    /// The query engine can write it.
    pub fn by_query(self) -> bool {
        matches!(self, Self::GeoJson | Self::EsriJson)
    }

    /// The export engine can write it.
    pub fn by_export(self) -> bool {
        self != Self::EsriJson
    }

    /// One file holds the whole service.
    pub fn is_container(self) -> bool {
        !matches!(self, Self::GeoJson | Self::EsriJson | Self::Csv | Self::Kml)
    }
}
