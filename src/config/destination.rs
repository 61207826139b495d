//! Where the archive lies: a folder, or the address of a store with its settings.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use super::environment::Environment;
use super::onedrive::OneDrive;
use super::sink::{Service, Settings};
use super::{Error, platform};

const VARIABLE: &str = "BACKUP_DESTINATION";
/// Leaves room for the longest of our own paths within `OneDrive`'s 400 characters.
const LONGEST_PREFIX: usize = 200;

/// Where the archive lies.
#[derive(Debug)]
pub enum Destination {
    /// A local folder, or a mounted one.
    Folder(PathBuf),
    /// A bucket of Amazon S3, or of what speaks like it.
    S3(Bucket),
    /// A container of Azure Blob Storage.
    Azblob(Bucket),
    /// A folder of `OneDrive`, or of a `SharePoint` library.
    OneDrive(Box<OneDrive>),
}

/// A bucket or container, and where in it.
#[derive(Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Without slashes at its ends; empty for all of the bucket.
    pub prefix: String,
    /// `OpenDAL`'s settings.
    pub settings: Settings,
}

/// As a person would write it. Holds no secret.
impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(out, "{}", path.display()),
            Self::S3(bucket) => write!(out, "s3://{}/{}", bucket.name, bucket.prefix),
            Self::Azblob(bucket) => write!(out, "azblob://{}/{}", bucket.name, bucket.prefix),
            Self::OneDrive(onedrive) => write!(out, "onedrive:///{}", onedrive.prefix),
        }
    }
}

impl Destination {
    /// Reads the address and every `SINK_` variable.
    pub(super) fn read(text: &str, environment: &Environment) -> Result<Self, Error> {
        let Some((scheme, rest)) = text.split_once("://") else {
            Settings::read(environment, Service::Fs)?;
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let service = Service::ALL
            .into_iter()
            .find(|service| *service != Service::Fs && service.scheme() == scheme)
            .ok_or_else(|| {
                wrong(&format!(
                    "is a {scheme}:// address: write s3://bucket/prefix, azblob://container/prefix, onedrive:///folder, or the path of a folder"
                ))
            })?;
        let settings = Settings::read(environment, service)?;
        let (name, prefix) = place(rest)?;
        match service {
            Service::Fs | Service::S3 => {
                bucket(name, prefix, platform::s3(settings, environment)?).map(Self::S3)
            }
            Service::Azblob => {
                bucket(name, prefix, platform::azblob(settings, environment)?).map(Self::Azblob)
            }
            Service::OneDrive if name.is_empty() => OneDrive::read(prefix, &settings, environment)
                .map(|onedrive| Self::OneDrive(Box::new(onedrive))),
            Service::OneDrive => Err(wrong(&format!(
                "names {name:?} where nothing belongs: write onedrive:///{}; which drive is said by SINK_DRIVE",
                if prefix.is_empty() {
                    name.as_str()
                } else {
                    prefix.as_str()
                }
            ))),
        }
    }
}

impl Destination {
    /// Goes one folder down.
    pub(super) fn descend(&mut self, folder: &str) -> Result<(), Error> {
        let prefix = match self {
            Self::Folder(path) => {
                path.push(folder);
                return Ok(());
            }
            Self::S3(bucket) | Self::Azblob(bucket) => &mut bucket.prefix,
            Self::OneDrive(onedrive) => &mut onedrive.prefix,
        };
        if !prefix.is_empty() {
            prefix.push('/');
        }
        prefix.push_str(folder);
        check_length(prefix)
    }
}

fn bucket(name: String, prefix: String, settings: Settings) -> Result<Bucket, Error> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '$');
    if name.is_empty() || !name.chars().all(letter) {
        return Err(wrong(
            "does not name a bucket or container: write it like s3://bucket/prefix",
        ));
    }
    Ok(Bucket {
        name,
        prefix,
        settings,
    })
}

/// The part before the first slash, and the prefix behind it, decoded.
fn place(rest: &str) -> Result<(String, String), Error> {
    if rest.contains(['?', '#']) {
        return Err(wrong(
            "holds a ? or #: settings go into SINK_ variables, and such a character in a prefix is written %3F or %23",
        ));
    }
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = percent_decode_str(prefix)
        .decode_utf8()
        .map_err(|_not_text| wrong("has a prefix that is not UTF-8"))?;
    let prefix = prefix.trim_matches('/');
    let odd = |part: &str| {
        part.is_empty()
            || matches!(part, "." | "..")
            || part.trim() != part
            || part.contains(['\\', '\0'])
    };
    if !prefix.is_empty() && prefix.split('/').any(odd) {
        return Err(wrong(
            "has a prefix with an empty part, a . or .., a backslash, or a space at an end: write plain folder names",
        ));
    }
    check_length(prefix)?;
    Ok((name.to_owned(), prefix.to_owned()))
}

fn check_length(prefix: &str) -> Result<(), Error> {
    if prefix.chars().count() > LONGEST_PREFIX {
        let problem = format!("has a prefix of more than {LONGEST_PREFIX} characters");
        return Err(wrong(&problem));
    }
    Ok(())
}

pub(super) fn wrong(problem: &str) -> Error {
    Error::new(VARIABLE, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_as_people_write_it() {
        for (rest, name, prefix) in [
            ("backups", "backups", ""),
            ("backups/", "backups", ""),
            ("backups/city/arcgis/", "backups", "city/arcgis"),
            ("backups/My%20maps/K%C3%B6ln", "backups", "My maps/Köln"),
            ("backups/Köln", "backups", "Köln"),
            ("backups/50%", "backups", "50%"),
            ("/Backups/arcgis", "", "Backups/arcgis"),
        ] {
            assert_eq!(
                place(rest).expect(rest),
                (name.to_owned(), prefix.to_owned())
            );
        }
        for rest in [
            "b/a//b", "b/../c", "b/./c", "b/a?x=1", "b/%20a", "b/a\\b", "b/%FF",
        ] {
            assert!(place(rest).is_err(), "{rest}");
        }
    }
}
