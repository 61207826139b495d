//! `OneDrive` and `SharePoint`: whose drive, and by whose leave.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::Error;
use super::address::web_address;
use super::destination::wrong;
use super::environment::Environment;
use super::sink::{Settings, variable};

/// A folder of a drive, and how to get in.
#[derive(Debug)]
pub struct OneDrive {
    /// The folder, without slashes at its ends; never empty.
    pub prefix: String,
    /// The drive below Graph's version, such as `me/drive` or `drives/<id>`.
    pub drive: String,
    /// Microsoft Graph, without its version.
    pub graph: Url,
    /// Where tokens come from.
    pub login: Url,
    /// A tenant's id or domain, or `common`, `organizations`, `consumers`.
    pub tenant: String,
    /// The application registered there.
    pub client_id: String,
    /// The application's own secret; public clients have none.
    pub client_secret: Option<SecretString>,
    /// A person's leave; without it the application's own.
    pub refresh_token: Option<RefreshToken>,
}

/// A person's leave, and where the next one is kept: each use may bring a new one.
#[derive(Debug)]
pub struct RefreshToken {
    /// The token.
    pub secret: SecretString,
    /// The file that it came from.
    pub file: Option<PathBuf>,
}

impl OneDrive {
    pub(super) fn read(
        prefix: String,
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Self, Error> {
        check_folder(&prefix)?;
        let text = |key: &str| settings.get(key).map(ToOwned::to_owned);
        let address = |key: &str, default: &str| {
            web_address(&variable(key), settings.get(key).unwrap_or(default))
        };
        let onedrive = Self {
            prefix,
            drive: drive(settings.get("drive"))?,
            graph: address("graph_url", "https://graph.microsoft.com")?,
            login: address("login_url", "https://login.microsoftonline.com")?,
            tenant: tenant(settings.get("tenant").unwrap_or("common"))?,
            client_id: text("client_id").ok_or_else(|| {
                missing(
                    "client_id",
                    "the id of the application registered in Microsoft Entra",
                )
            })?,
            client_secret: text("client_secret").map(SecretString::from),
            refresh_token: text("refresh_token")
                .map(|token| {
                    let file = environment.secret_path(&variable("refresh_token"))?;
                    Ok::<_, Error>(RefreshToken {
                        secret: SecretString::from(token),
                        file,
                    })
                })
                .transpose()?,
        };
        if onedrive.refresh_token.is_none() {
            onedrive.check_application(settings)?;
        }
        Ok(onedrive)
    }

    /// The application itself signs in: it belongs to one tenant, and has no drive of its own.
    fn check_application(&self, settings: &Settings) -> Result<(), Error> {
        let anybodys = ["common", "organizations", "consumers"];
        if self.client_secret.is_none() {
            Err(missing(
                "refresh_token",
                "or SINK_CLIENT_SECRET, to write without a person's sign-in",
            ))
        } else if anybodys.contains(&self.tenant.as_str()) {
            Err(missing(
                "tenant",
                "without SINK_REFRESH_TOKEN the application signs in, and it belongs to one tenant: give the tenant's id",
            ))
        } else if settings.get("drive").is_none() {
            Err(missing(
                "drive",
                "without SINK_REFRESH_TOKEN nobody's drive is meant: give a drive id, users/<name> or sites/<id>",
            ))
        } else {
            Ok(())
        }
    }
}

fn missing(key: &str, remedy: &str) -> Error {
    Error::new(&variable(key), format!("is missing: {remedy}"))
}

/// Below Graph's version, as <https://learn.microsoft.com/graph/api/resources/onedrive> addresses drives.
fn drive(text: Option<&str>) -> Result<String, Error> {
    let Some(text) = text else {
        return Ok("me/drive".to_owned());
    };
    let text = text.trim_matches('/');
    let odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#' | '%' | '\\');
    if text.is_empty()
        || text.contains(odd)
        || text.split('/').any(|part| part.is_empty() || part == "..")
    {
        return Err(Error::new(
            &variable("drive"),
            "is none of: a drive id, users/<name>, sites/<id>, sites/<host>:/<path>",
        ));
    }
    Ok(match text.split_once('/') {
        None => format!("drives/{text}"),
        Some(("drives", id)) if !id.contains('/') => format!("drives/{id}"),
        Some(("users", name)) if !name.contains('/') => format!("users/{name}/drive"),
        Some(("sites", site)) if site.contains(":/") => {
            format!("sites/{}:/drive", site.trim_end_matches(':'))
        }
        Some(("sites", id)) if !id.contains('/') => format!("sites/{id}/drive"),
        Some(_) => {
            return Err(Error::new(
                &variable("drive"),
                format!(
                    "is {text:?}: write a drive id, users/<name>, sites/<id>, or sites/<host>:/<path>"
                ),
            ));
        }
    })
}

fn tenant(text: &str) -> Result<String, Error> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if text.chars().all(letter) {
        return Ok(text.to_owned());
    }
    Err(Error::new(
        &variable("tenant"),
        "is not a tenant: write its id, its domain, or common",
    ))
}

/// What may not be a name there: <https://support.microsoft.com/office/64883a5d-228e-48f5-b3d2-eb39e07630fa>.
fn check_folder(prefix: &str) -> Result<(), Error> {
    if prefix.is_empty() {
        return Err(wrong(
            "names no folder of the drive: write it like onedrive:///Backups/arcgis",
        ));
    }
    match prefix.split('/').find(|name| is_forbidden(name)) {
        Some(name) => Err(wrong(&format!(
            "has the folder {name:?}, a name that OneDrive does not allow"
        ))),
        None => Ok(()),
    }
}

fn is_forbidden(name: &str) -> bool {
    let lower = name.to_lowercase();
    let device = |stem: &str| {
        lower
            .strip_prefix(stem)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    name.contains(['"', '*', ':', '<', '>', '?', '|'])
        || name.ends_with('.')
        || name.starts_with("~$")
        || lower.contains("_vti_")
        || matches!(
            lower.as_str(),
            "con" | "prn" | "aux" | "nul" | ".lock" | "desktop.ini"
        )
        || device("com")
        || device("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_is_named_as_graph_addresses_it() {
        for (text, address) in [
            (None, "me/drive"),
            (Some("b!Xy-12_z"), "drives/b!Xy-12_z"),
            (Some("drives/b!Xy"), "drives/b!Xy"),
            (Some("users/gis@city.gov"), "users/gis@city.gov/drive"),
            (
                Some("sites/city.sharepoint.com,1a,2b"),
                "sites/city.sharepoint.com,1a,2b/drive",
            ),
            (
                Some("sites/city.sharepoint.com:/sites/GIS"),
                "sites/city.sharepoint.com:/sites/GIS:/drive",
            ),
            (
                Some("sites/city.sharepoint.com:/sites/GIS:"),
                "sites/city.sharepoint.com:/sites/GIS:/drive",
            ),
        ] {
            assert_eq!(drive(text).expect("a drive"), address);
        }
        for text in ["", "groups/x", "users/a/b", "a b", "drives/../me", "x?y"] {
            assert!(drive(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_that_onedrive_forbids_is_refused_before_anything_is_contacted() {
        for name in [
            "a:b",
            "con",
            "LPT1",
            "x.",
            "~$x",
            "_vti_x",
            ".lock",
            "Desktop.ini",
            "a*",
        ] {
            assert!(check_folder(&format!("Backups/{name}")).is_err(), "{name}");
        }
        for name in ["com", "com10", "console", "Köln 2026", "a.b", "#1%"] {
            assert!(check_folder(name).is_ok(), "{name}");
        }
    }
}
