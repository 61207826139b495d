//! The environment as it is, before it means anything: names are checked, `NAME_FILE` is read, and envy
//! fills [`Raw`]. The only room that touches the process' variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use serde::Deserialize;

use super::Error;
use super::variables::{PREFIXES, VARIABLES};

/// Bytes. A service account's key, the longest secret there is, has a few thousand.
const LONGEST_SECRET: u64 = 65_536;

/// All variables as text, one member each; `None` when absent or empty.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Raw {
    pub(super) arcgis_url: Option<String>,
    pub(super) arcgis_client_id: Option<String>,
    pub(super) arcgis_refresh_token: Option<String>,
    pub(super) arcgis_api_key: Option<String>,
    pub(super) arcgis_ca_file: Option<String>,
    pub(super) backup_scope: Option<String>,
    pub(super) backup_query: Option<String>,
    pub(super) backup_item_types: Option<String>,
    pub(super) backup_exclude_tag: Option<String>,
    pub(super) backup_method: Option<String>,
    pub(super) backup_formats: Option<String>,
    pub(super) backup_attachments: Option<String>,
    pub(super) backup_concurrency: Option<String>,
    pub(super) backup_export_timeout: Option<String>,
    pub(super) backup_max_duration: Option<String>,
    pub(super) backup_shard: Option<String>,
    pub(super) backup_shards: Option<String>,
    pub(super) backup_full_every: Option<String>,
    pub(super) backup_destination: Option<String>,
    pub(super) backup_keep_last: Option<String>,
    pub(super) backup_keep_daily: Option<String>,
    pub(super) backup_keep_weekly: Option<String>,
    pub(super) backup_keep_monthly: Option<String>,
    pub(super) backup_keep_yearly: Option<String>,
    pub(super) backup_ping_url: Option<String>,
    pub(super) backup_webhook_url: Option<String>,
    pub(super) backup_webhook_on: Option<String>,
    pub(super) backup_summary_file: Option<String>,
    pub(super) backup_log: Option<String>,
    pub(super) rust_log: Option<String>,
}

/// The variables of this process that can be ours. Read once, at the start.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Of the running process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// What speaks about logging, before anything else is known to be right.
    pub fn log_settings(&self) -> (Option<String>, Option<String>) {
        let text = |name| self.text(name).ok().flatten();
        (text("BACKUP_LOG"), text("RUST_LOG"))
    }

    /// Where the summary goes, also that of a run which something else in the environment ends.
    pub fn summary_file(&self) -> Option<PathBuf> {
        let path = self.text("BACKUP_SUMMARY_FILE").ok().flatten();
        path.map(PathBuf::from)
    }

    /// Checks the names, reads the files of secrets, and yields the values with the warnings found.
    pub(super) fn resolve(&self) -> Result<(Raw, Vec<String>), Error> {
        let warnings = self.check_names()?;
        let mut values = BTreeMap::new();
        for variable in VARIABLES {
            let value = self.value(variable.name, variable.secret)?;
            if let Some(value) = value {
                values.insert(variable.name.to_owned(), value);
            }
        }
        let raw = envy::from_iter(values)
            .map_err(|error| Error::new("environment", error.to_string()))?;
        Ok((raw, warnings))
    }

    /// The value of a variable, for a secret also by way of its file.
    pub(super) fn value(&self, name: &str, secret: bool) -> Result<Option<String>, Error> {
        let own = self.text(name)?;
        if !secret {
            return Ok(own);
        }
        match (own, self.secret_file(name)?) {
            (Some(_), Some(_)) => Err(Error::new(
                name,
                format!("is set, and {name}_FILE too: keep one of them"),
            )),
            (own, file) => Ok(own.or(file)),
        }
    }

    /// The file that a secret comes from, if it does.
    pub(super) fn secret_path(&self, name: &str) -> Result<Option<PathBuf>, Error> {
        Ok(self.text(&format!("{name}_FILE"))?.map(PathBuf::from))
    }

    /// The first of the platform's own variables that is set.
    pub(super) fn first_of(&self, names: &[&str]) -> Result<Option<String>, Error> {
        for name in names {
            if let Some(value) = self.text(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    pub(super) fn names_with(&self, prefix: &str) -> impl Iterator<Item = &str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(move |name| name.starts_with(prefix))
    }

    /// The value of a variable; blank counts as absent, because schedulers pass empty ones.
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let text = value
            .to_str()
            .ok_or_else(|| Error::new(name, "is not valid UTF-8"))?
            .trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn secret_file(&self, name: &str) -> Result<Option<String>, Error> {
        let file_variable = format!("{name}_FILE");
        let Some(path) = self.text(&file_variable)? else {
            return Ok(None);
        };
        let content = read_short(&path).map_err(|error| {
            Error::new(&file_variable, format!("cannot be read: {path}: {error}"))
        })?;
        let secret = content.trim();
        if secret.is_empty() {
            return Err(Error::new(
                &file_variable,
                format!("names an empty file: {path}"),
            ));
        }
        Ok(Some(secret.to_owned()))
    }

    /// A misspelt rule must not pass in silence; a name that somebody else put there must not stop us
    /// (Kubernetes adds `BACKUP_SERVICE_HOST` for a service called `backup`).
    fn check_names(&self) -> Result<Vec<String>, Error> {
        let mut warnings = Vec::new();
        let ours = |name: &&String| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        for name in self.0.keys().filter(ours) {
            if is_known(name) {
                continue;
            }
            if let Some(meant) = nearest(name) {
                return Err(Error::new(
                    name,
                    format!("is not a variable of this program: did you mean {meant}?"),
                ));
            }
            warnings.push(name.clone());
        }
        Ok(warnings)
    }
}

/// The text of a file that holds one secret, and not of a disk image whose path was pasted by mistake.
fn read_short(path: &str) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST_SECRET + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= LONGEST_SECRET) {
        Ok(text)
    } else {
        let problem = format!("it is longer than {LONGEST_SECRET} bytes, so it is no secret");
        Err(std::io::Error::other(problem))
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        // A name that is not UTF-8 cannot be one of ours.
        Self(
            variables
                .into_iter()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .collect(),
        )
    }
}

fn is_known(name: &str) -> bool {
    known_names().any(|known| known == name)
}

fn known_names() -> impl Iterator<Item = String> {
    VARIABLES.iter().flat_map(|variable| {
        let file = variable.secret.then(|| format!("{}_FILE", variable.name));
        [Some(variable.name.to_owned()), file].into_iter().flatten()
    })
}

/// The known name that this one is a slip of: two letters off at most, or one word of it wrong.
fn nearest(name: &str) -> Option<String> {
    known_names()
        .map(|known| (strsim::damerau_levenshtein(name, &known), known))
        .filter(|(distance, known)| *distance <= 2 && known.len() > 9)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect()
    }

    #[test]
    fn a_misspelt_name_is_an_error_that_names_the_right_one() {
        for (wrong, right) in [
            ("BACKUP_KEP_LAST", "BACKUP_KEEP_LAST"),
            ("BACKUP_FORMAT", "BACKUP_FORMATS"),
            ("ARCGIS_REFRESH_TOKEN_FIEL", "ARCGIS_REFRESH_TOKEN_FILE"),
            ("ARCGIS_CLIENTID", "ARCGIS_CLIENT_ID"),
        ] {
            let error = environment(&[(wrong, "x")])
                .check_names()
                .expect_err(wrong)
                .to_string();
            assert!(error.contains(wrong) && error.contains(right), "{error}");
        }
    }

    #[test]
    fn names_of_other_programs_are_only_warnings() {
        let found = environment(&[
            ("BACKUP_SERVICE_HOST", "x"),
            ("BACKUP_PORT_80_TCP", "x"),
            ("HOME", "x"),
        ]);
        assert_eq!(
            found.check_names().expect("warnings"),
            ["BACKUP_PORT_80_TCP", "BACKUP_SERVICE_HOST"]
        );
    }

    #[test]
    fn a_secret_given_twice_is_an_error() {
        let twice = environment(&[
            ("ARCGIS_API_KEY", "x"),
            ("ARCGIS_API_KEY_FILE", "/dev/null"),
        ]);
        assert!(twice.resolve().is_err());
    }
}
