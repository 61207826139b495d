//! What each variable means: text to the typed [`Config`], with everything that contradicts itself refused.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::address::portal_address;
use super::authorities;
use super::destination::Destination;
use super::environment::{Environment, Raw};
use super::notices::Notices;
use super::{
    Bounds, Config, Credentials, Error, Format, Keeping, Method, Reading, Scope, Selection, part,
    values,
};
use crate::retention::Rules;
use crate::shard::Shard;
use crate::token_file::{Token, TokenFile};

impl Config {
    /// Reads and checks everything; contacts nobody.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let (raw, unknown_variables) = environment.resolve()?;
        let shard = part::read(&raw, environment)?;
        Ok(Self {
            portal: portal_address(
                raw.arcgis_url
                    .as_deref()
                    .unwrap_or("https://www.arcgis.com"),
            )?,
            credentials: credentials(&raw, environment)?,
            authorities: authorities::read(raw.arcgis_ca_file.as_deref())?,
            selection: selection(&raw, shard)?,
            reading: reading(&raw)?,
            concurrency: values::count(
                "BACKUP_CONCURRENCY",
                raw.backup_concurrency.as_deref().unwrap_or("8"),
                1..=64,
            )?,
            bounds: Bounds::default(),
            max_duration: optional_duration(
                "BACKUP_MAX_DURATION",
                raw.backup_max_duration.as_deref(),
            )?,
            full_every: values::duration(
                "BACKUP_FULL_EVERY",
                raw.backup_full_every.as_deref().unwrap_or("30d"),
            )?,
            keeping: keeping(&raw, environment, shard)?,
            notices: Notices::read(&raw)?,
            summary_file: raw.backup_summary_file.map(PathBuf::from),
            unknown_variables: log_words(raw.backup_log.as_deref(), raw.rust_log.as_deref())
                .map(|()| unknown_variables)?,
        })
    }
}

impl Keeping {
    /// For commands that only look at an archive: the rest of the environment may be missing.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let (raw, _unknown) = environment.resolve()?;
        log_words(raw.backup_log.as_deref(), raw.rust_log.as_deref())?;
        keeping(&raw, environment, part::read(&raw, environment)?)
    }
}

fn keeping(raw: &Raw, environment: &Environment, shard: Option<Shard>) -> Result<Keeping, Error> {
    let kept = |name, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| values::kept(name, text)).transpose()
    };
    let destination = raw.backup_destination.as_deref().unwrap_or("./agol-backup");
    let mut destination = Destination::read(destination, environment)?;
    if let Some(shard) = shard {
        destination.descend(&shard.folder())?;
    }
    Ok(Keeping {
        destination,
        rules: Rules {
            last: kept("BACKUP_KEEP_LAST", &raw.backup_keep_last)?,
            daily: kept("BACKUP_KEEP_DAILY", &raw.backup_keep_daily)?,
            weekly: kept("BACKUP_KEEP_WEEKLY", &raw.backup_keep_weekly)?,
            monthly: kept("BACKUP_KEEP_MONTHLY", &raw.backup_keep_monthly)?,
            yearly: kept("BACKUP_KEEP_YEARLY", &raw.backup_keep_yearly)?,
        },
    })
}

fn credentials(raw: &Raw, environment: &Environment) -> Result<Credentials, Error> {
    let token = raw
        .arcgis_refresh_token
        .as_deref()
        .map(read_token)
        .transpose()?;
    match (&raw.arcgis_api_key, token) {
        (Some(_), Some(_)) => Err(Error::new(
            "ARCGIS_API_KEY",
            "is set, and ARCGIS_REFRESH_TOKEN too: keep one of them",
        )),
        (Some(key), None) => Ok(Credentials::ApiKey(SecretString::from(key.as_str()))),
        (None, Some(token)) => {
            let client_id = raw.arcgis_client_id.as_ref().or(token.client_id.as_ref());
            let client_id = client_id.cloned().ok_or_else(|| {
                Error::new(
                    "ARCGIS_CLIENT_ID",
                    "is missing: the refresh token belongs to an OAuth application, give its client id",
                )
            })?;
            let path = environment.secret_path("ARCGIS_REFRESH_TOKEN")?;
            Ok(Credentials::RefreshToken {
                client_id,
                token,
                file: path.as_deref().map(TokenFile::at),
            })
        }
        (None, None) => Err(Error::new(
            "ARCGIS_REFRESH_TOKEN",
            "is missing: sign in once with agol-backup login and set ARCGIS_REFRESH_TOKEN_FILE to the file that it writes, or set ARCGIS_API_KEY",
        )),
    }
}

fn read_token(text: &str) -> Result<Token, Error> {
    Token::parse(text).ok_or_else(|| {
        Error::new(
            "ARCGIS_REFRESH_TOKEN",
            "looks like JSON but has no text member refresh_token",
        )
    })
}

fn selection(raw: &Raw, shard: Option<Shard>) -> Result<Selection, Error> {
    let scope = match (
        raw.backup_scope.as_deref().unwrap_or("mine"),
        &raw.backup_query,
    ) {
        ("query", Some(query)) => Scope::Query(query.clone()),
        ("query", None) => {
            return Err(Error::new(
                "BACKUP_QUERY",
                "is missing: BACKUP_SCOPE is query, so say what to search for",
            ));
        }
        ("mine" | "org", Some(_)) => {
            return Err(Error::new(
                "BACKUP_QUERY",
                "is set, but BACKUP_SCOPE is not query: set BACKUP_SCOPE=query or unset it",
            ));
        }
        ("mine", None) => Scope::Mine,
        ("org", None) => Scope::Org,
        (other, _) => {
            return Err(Error::new(
                "BACKUP_SCOPE",
                format!("is {other:?}: write one of mine, org, query"),
            ));
        }
    };
    Ok(Selection {
        scope,
        types: raw
            .backup_item_types
            .as_deref()
            .map(values::list)
            .unwrap_or_default(),
        exclude_tag: raw
            .backup_exclude_tag
            .clone()
            .unwrap_or_else(|| "no-backup".to_owned()),
        shard,
    })
}

fn reading(raw: &Raw) -> Result<Reading, Error> {
    let method = values::choice(
        "BACKUP_METHOD",
        raw.backup_method.as_deref().unwrap_or("auto"),
        &Method::CHOICES,
    )?;
    let mut formats: Vec<Format> = Vec::new();
    for word in values::list(raw.backup_formats.as_deref().unwrap_or("geojson")) {
        let format = values::choice("BACKUP_FORMATS", &word, &Format::CHOICES)?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() {
        return Err(Error::new(
            "BACKUP_FORMATS",
            "names no format: write one, such as geojson",
        ));
    }
    let able = |format: &&Format| match method {
        Method::Auto => true,
        Method::Query => format.by_query(),
        Method::Export => format.by_export(),
    };
    if let Some(format) = formats.iter().find(|format| !able(format)) {
        let problem = format!(
            "is {}, which cannot write {}: use auto",
            method.name(),
            format.name()
        );
        return Err(Error::new("BACKUP_METHOD", problem));
    }
    Ok(Reading {
        method,
        formats,
        attachments: values::boolean(
            "BACKUP_ATTACHMENTS",
            raw.backup_attachments.as_deref().unwrap_or("true"),
        )?,
        export_timeout: values::duration(
            "BACKUP_EXPORT_TIMEOUT",
            raw.backup_export_timeout.as_deref().unwrap_or("30m"),
        )?,
    })
}

fn optional_duration(name: &str, text: Option<&str>) -> Result<Option<Duration>, Error> {
    text.filter(|text| *text != "none")
        .map(|text| values::duration(name, text))
        .transpose()
}

fn log_words(format: Option<&str>, filter: Option<&str>) -> Result<(), Error> {
    if let Some(format) = format {
        values::choice(
            "BACKUP_LOG",
            format,
            &[("auto", ()), ("json", ()), ("text", ())],
        )?;
    }
    match filter.map(str::parse::<tracing_subscriber::filter::Targets>) {
        Some(Err(error)) => Err(Error::new(
            "RUST_LOG",
            format!("is not a log filter: {error}"),
        )),
        _ => Ok(()),
    }
}
