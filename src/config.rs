//! Environment → typed [`Config`]. Every error names its variable and says what to write instead; the
//! value of a secret is never in one.

mod environment;
mod values;
mod variables;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

pub use environment::Environment;
use environment::Raw;
pub use variables::{VARIABLES, Variable};

/// A variable that is missing, wrong or in contradiction with another.
#[derive(Debug, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct Error {
    variable: String,
    problem: String,
}

impl Error {
    pub(crate) fn new(variable: &str, problem: impl Into<String>) -> Self {
        Self { variable: variable.to_owned(), problem: problem.into() }
    }

    /// What the argument parser says, in one line.
    pub fn of_arguments(message: &str) -> Self {
        let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Self::new("command line:", format!("{first}; everything is set by variables, see --help"))
    }
}

/// Everything a pass needs to know.
#[derive(Debug)]
pub struct Config {
    /// The portal's address without `/home` or `/sharing/rest`, without a trailing slash.
    pub portal: Url,
    /// How to sign in.
    pub credentials: Credentials,
    /// More certificate authorities, PEM.
    pub extra_ca: Option<Vec<u8>>,
    /// Which items.
    pub selection: Selection,
    /// How to read them.
    pub reading: Reading,
    /// Requests in flight, all hosts together.
    pub concurrency: usize,
    /// After this no new item is begun.
    pub max_duration: Option<Duration>,
    /// Copies older than this are read anew.
    pub full_every: Duration,
    /// Where the archive lies.
    pub destination: PathBuf,
    /// The summary goes here too.
    pub summary_file: Option<PathBuf>,
    /// Names that look like ours and are not.
    pub unknown_variables: Vec<String>,
}

/// What the portal is asked to believe.
#[derive(Debug)]
pub enum Credentials {
    /// OAuth2: short access tokens from a long-lived refresh token.
    RefreshToken {
        /// The OAuth application.
        client_id: String,
        /// Lives 90 days at most.
        refresh_token: SecretString,
        /// When it ends, where its file tells.
        expires_at: Option<jiff::Timestamp>,
    },
    /// One token for everything.
    ApiKey(SecretString),
}

impl Credentials {
    /// When a person must renew them, where that is known.
    pub fn expire_at(&self) -> Option<jiff::Timestamp> {
        match self {
            Self::RefreshToken { expires_at, .. } => *expires_at,
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
        let attachments = if self.attachments { "attachments" } else { "no-attachments" };
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
    const CHOICES: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("query", Self::Query), ("export", Self::Export)];

    /// As it is written in `BACKUP_METHOD`.
    pub fn name(self) -> &'static str {
        Self::CHOICES.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
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
    /// One SQLite file.
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
        Self::CHOICES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
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

impl Config {
    /// Reads and checks everything; contacts nobody.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let (raw, unknown_variables) = environment.resolve()?;
        Ok(Self {
            portal: portal_address(raw.arcgis_url.as_deref().unwrap_or("https://www.arcgis.com"))?,
            credentials: credentials(&raw)?,
            extra_ca: raw.arcgis_ca_file.as_deref().map(read_ca).transpose()?,
            selection: selection(&raw)?,
            reading: reading(&raw)?,
            concurrency: values::count(
                "BACKUP_CONCURRENCY",
                raw.backup_concurrency.as_deref().unwrap_or("8"),
                1..=64,
            )?,
            max_duration: optional_duration("BACKUP_MAX_DURATION", raw.backup_max_duration.as_deref())?,
            full_every: values::duration(
                "BACKUP_FULL_EVERY",
                raw.backup_full_every.as_deref().unwrap_or("30d"),
            )?,
            destination: destination(raw.backup_destination.as_deref().unwrap_or("./agol-backup"))?,
            summary_file: raw.backup_summary_file.map(PathBuf::from),
            unknown_variables: log_words(raw.backup_log.as_deref(), raw.rust_log.as_deref())
                .map(|()| unknown_variables)?,
        })
    }
}

/// Accepts what people copy from the browser: with `/home/…`, `/sharing/rest`, a query, a trailing slash.
fn portal_address(text: &str) -> Result<Url, Error> {
    let wrong = |problem: &str| Error::new("ARCGIS_URL", format!("{problem}: write it like https://city.maps.arcgis.com"));
    let mut url = Url::parse(text).map_err(|_| wrong("is not an address with https://"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(wrong("is not an address with https://"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(Error::new("ARCGIS_URL", "is plain http: tokens travel over https only, except to a loopback address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user name or password"));
    }
    let path = url.path().to_owned();
    let context = ["/home", "/sharing", "/apps"]
        .iter()
        .filter_map(|tail| path.find(&format!("{tail}/")).or_else(|| path.ends_with(tail).then(|| path.len() - tail.len())))
        .min()
        .and_then(|end| path.get(..end))
        .unwrap_or(&path);
    url.set_path(context.trim_end_matches('/'));
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Whether an address can only be this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn credentials(raw: &Raw) -> Result<Credentials, Error> {
    let token = raw.arcgis_refresh_token.as_deref().map(read_token).transpose()?;
    match (&raw.arcgis_api_key, token) {
        (Some(_), Some(_)) => {
            Err(Error::new("ARCGIS_API_KEY", "is set, and ARCGIS_REFRESH_TOKEN too: keep one of them"))
        }
        (Some(key), None) => Ok(Credentials::ApiKey(SecretString::from(key.as_str()))),
        (None, Some(token)) => {
            let client_id = raw.arcgis_client_id.clone().or(token.client_id).ok_or_else(|| {
                Error::new(
                    "ARCGIS_CLIENT_ID",
                    "is missing: the refresh token belongs to an OAuth application, give its client id",
                )
            })?;
            let refresh_token = SecretString::from(token.refresh_token);
            Ok(Credentials::RefreshToken { client_id, refresh_token, expires_at: token.expires_at })
        }
        (None, None) => Err(Error::new(
            "ARCGIS_REFRESH_TOKEN",
            "is missing: set it (or ARCGIS_REFRESH_TOKEN_FILE) with ARCGIS_CLIENT_ID, or set ARCGIS_API_KEY; README.md says how to get one",
        )),
    }
}

/// A token file's content: the bare token, or JSON that also tells whose it is and when it ends.
#[derive(serde::Deserialize)]
struct Token {
    refresh_token: String,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    expires_at: Option<jiff::Timestamp>,
}

fn read_token(text: &str) -> Result<Token, Error> {
    if !text.starts_with('{') {
        return Ok(Token { refresh_token: text.to_owned(), client_id: None, expires_at: None });
    }
    // The parser's own message would print a part of the secret.
    serde_json::from_str(text).or_else(|_| {
        Err(Error::new("ARCGIS_REFRESH_TOKEN", "looks like JSON but has no text member refresh_token"))
    })
}

fn read_ca(path: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::new("ARCGIS_CA_FILE", format!("cannot be read: {path}: {error}")))
}

fn selection(raw: &Raw) -> Result<Selection, Error> {
    let scope = match (raw.backup_scope.as_deref().unwrap_or("mine"), &raw.backup_query) {
        ("query", Some(query)) => Scope::Query(query.clone()),
        ("query", None) => return Err(Error::new("BACKUP_QUERY", "is missing: BACKUP_SCOPE is query, so say what to search for")),
        ("mine" | "org", Some(_)) => {
            return Err(Error::new("BACKUP_QUERY", "is set, but BACKUP_SCOPE is not query: set BACKUP_SCOPE=query or unset it"));
        }
        ("mine", None) => Scope::Mine,
        ("org", None) => Scope::Org,
        (other, _) => return Err(Error::new("BACKUP_SCOPE", format!("is {other:?}: write one of mine, org, query"))),
    };
    Ok(Selection {
        scope,
        types: raw.backup_item_types.as_deref().map(values::list).unwrap_or_default(),
        exclude_tag: raw.backup_exclude_tag.clone().unwrap_or_else(|| "no-backup".to_owned()),
    })
}

fn reading(raw: &Raw) -> Result<Reading, Error> {
    let method =
        values::choice("BACKUP_METHOD", raw.backup_method.as_deref().unwrap_or("auto"), &Method::CHOICES)?;
    let mut formats: Vec<Format> = Vec::new();
    for word in values::list(raw.backup_formats.as_deref().unwrap_or("geojson")) {
        let format = values::choice("BACKUP_FORMATS", &word, &Format::CHOICES)?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() {
        return Err(Error::new("BACKUP_FORMATS", "names no format: write one, such as geojson"));
    }
    let able = |format: &&Format| match method {
        Method::Auto => true,
        Method::Query => format.by_query(),
        Method::Export => format.by_export(),
    };
    if let Some(format) = formats.iter().find(|format| !able(format)) {
        let problem = format!("is {}, which cannot write {}: use auto", method.name(), format.name());
        return Err(Error::new("BACKUP_METHOD", problem));
    }
    Ok(Reading {
        method,
        formats,
        attachments: values::boolean("BACKUP_ATTACHMENTS", raw.backup_attachments.as_deref().unwrap_or("true"))?,
        export_timeout: values::duration(
            "BACKUP_EXPORT_TIMEOUT",
            raw.backup_export_timeout.as_deref().unwrap_or("30m"),
        )?,
    })
}

fn optional_duration(name: &str, text: Option<&str>) -> Result<Option<Duration>, Error> {
    text.filter(|text| *text != "none").map(|text| values::duration(name, text)).transpose()
}

/// A folder. Storage addresses are known and refused, so that none is taken for the name of a folder.
fn destination(text: &str) -> Result<PathBuf, Error> {
    match text.split_once("://") {
        None => Ok(PathBuf::from(text)),
        Some((scheme, _)) => Err(Error::new(
            "BACKUP_DESTINATION",
            format!("is a {scheme}:// address: this version writes to a folder, give its path"),
        )),
    }
}

fn log_words(format: Option<&str>, filter: Option<&str>) -> Result<(), Error> {
    if let Some(format) = format {
        values::choice("BACKUP_LOG", format, &[("auto", ()), ("json", ()), ("text", ())])?;
    }
    match filter.map(str::parse::<tracing_subscriber::filter::Targets>) {
        Some(Err(error)) => Err(Error::new("RUST_LOG", format!("is not a log filter: {error}"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_address_is_taken_as_people_copy_it() {
        for (text, url) in [
            ("https://www.arcgis.com", "https://www.arcgis.com/"),
            ("https://city.maps.arcgis.com/home/content.html?view=table#my", "https://city.maps.arcgis.com/"),
            ("https://gis.city.gov/portal/sharing/rest/", "https://gis.city.gov/portal"),
            ("https://gis.city.gov/portal/home", "https://gis.city.gov/portal"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ] {
            assert_eq!(portal_address(text).expect(text).as_str(), url);
        }
        for wrong in ["www.arcgis.com", "ftp://x", "http://city.gov", "https://user:pw@city.gov", "", "localhost:80"] {
            assert!(portal_address(wrong).is_err(), "{wrong}");
        }
    }
}
