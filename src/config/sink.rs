//! The settings of each kind of store: `OpenDAL`'s own key names behind `SINK_`. `OpenDAL` ignores a key that it
//! does not know, so this list is what stands between a slip and a backup in the wrong place.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::Error;
use super::environment::Environment;

/// What comes before every setting.
pub(super) const PREFIX: &str = "SINK_";

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// A local folder.
    Fs,
    /// Amazon S3 and what speaks like it.
    S3,
    /// Azure Blob Storage.
    Azblob,
    /// `OneDrive` and `SharePoint` libraries, by Microsoft Graph.
    OneDrive,
}

/// A setting of a store.
pub struct Setting {
    /// `OpenDAL`'s key, in lower case; for `OneDrive` some are ours.
    pub key: &'static str,
    /// `SINK_<KEY>_FILE` is accepted, and the value is never printed.
    pub secret: bool,
}

const fn plain(key: &'static str) -> Setting {
    Setting { key, secret: false }
}

const fn secret(key: &'static str) -> Setting {
    Setting { key, secret: true }
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fs, Self::S3, Self::Azblob, Self::OneDrive];

    /// The scheme of its addresses.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Fs => "fs",
            Self::S3 => "s3",
            Self::Azblob => "azblob",
            Self::OneDrive => "onedrive",
        }
    }

    /// What may be set for it.
    pub fn settings(self) -> &'static [Setting] {
        match self {
            Self::Fs => &[],
            Self::S3 => S3,
            Self::Azblob => AZBLOB,
            Self::OneDrive => ONEDRIVE,
        }
    }

    fn setting(self, key: &str) -> Option<&'static Setting> {
        self.settings().iter().find(|setting| setting.key == key)
    }
}

const S3: &[Setting] = &[
    plain("region"),
    plain("endpoint"),
    secret("access_key_id"),
    secret("secret_access_key"),
    secret("session_token"),
    plain("profile"),
    plain("role_arn"),
    plain("external_id"),
    plain("role_session_name"),
    plain("assume_role_duration_seconds"),
    plain("disable_config_load"),
    plain("disable_ec2_metadata"),
    plain("skip_signature"),
    plain("server_side_encryption"),
    plain("server_side_encryption_aws_kms_key_id"),
    plain("server_side_encryption_customer_algorithm"),
    secret("server_side_encryption_customer_key"),
    plain("server_side_encryption_customer_key_md5"),
    plain("default_storage_class"),
    plain("default_acl"),
    plain("enable_virtual_host_style"),
    plain("enable_request_payer"),
    plain("checksum_algorithm"),
    plain("disable_list_objects_v2"),
];

const AZBLOB: &[Setting] = &[
    plain("account_name"),
    secret("account_key"),
    secret("sas_token"),
    plain("endpoint"),
    secret("encryption_key"),
    plain("encryption_key_sha256"),
    plain("encryption_algorithm"),
    plain("skip_signature"),
];

const ONEDRIVE: &[Setting] = &[
    plain("client_id"),
    secret("client_secret"),
    secret("refresh_token"),
    plain("tenant"),
    plain("drive"),
    plain("graph_url"),
    plain("login_url"),
];

/// Settings by their key.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<&'static str, SecretString>);

impl Settings {
    /// As text; never to be printed.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(ExposeSecret::expose_secret)
    }

    /// Key and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (*key, value.expose_secret()))
    }

    pub(super) fn set(&mut self, key: &'static str, value: impl Into<String>) {
        self.0.insert(key, SecretString::from(value.into()));
    }

    pub(super) fn set_default(&mut self, key: &'static str, value: Option<String>) {
        if let Some(value) = value.filter(|_| self.get(key).is_none()) {
            self.set(key, value);
        }
    }

    /// Reads every `SINK_` variable; one that is not this service's is an error that says whose it is.
    pub(super) fn read(environment: &Environment, service: Service) -> Result<Self, Error> {
        for name in environment.names_with(PREFIX) {
            if !is_setting(name, service) && !of_kubernetes(name) {
                return Err(Error::new(name, stranger(name, service)));
            }
        }
        let mut settings = Self::default();
        for setting in service.settings() {
            let name = variable(setting.key);
            if let Some(value) = environment.value(&name, setting.secret)? {
                settings.set(setting.key, value);
            }
        }
        Ok(settings)
    }
}

/// The variable of a setting.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}

fn is_setting(name: &str, service: Service) -> bool {
    let key = name
        .strip_prefix(PREFIX)
        .unwrap_or(name)
        .to_ascii_lowercase();
    let by_file = |key: &str| service.setting(key).is_some_and(|setting| setting.secret);
    service.setting(&key).is_some() || key.strip_suffix("_file").is_some_and(by_file)
}

/// Kubernetes adds these to every pod beside a service called `sink`.
fn of_kubernetes(name: &str) -> bool {
    name == "SINK_PORT"
        || name.starts_with("SINK_PORT_")
        || name == "SINK_SERVICE_HOST"
        || name.starts_with("SINK_SERVICE_PORT")
}

fn stranger(name: &str, service: Service) -> String {
    let here = match service {
        Service::Fs => "a folder, which has no settings".to_owned(),
        service => format!("{}://", service.scheme()),
    };
    if let Some(owner) = Service::ALL.iter().find(|other| is_setting(name, **other)) {
        return format!(
            "is a setting of {}, and BACKUP_DESTINATION is {here}: unset it, or correct the destination",
            owner.scheme()
        );
    }
    if matches!(name, "SINK_BUCKET" | "SINK_CONTAINER" | "SINK_ROOT") {
        return "is part of the address: write it in BACKUP_DESTINATION".to_owned();
    }
    let meant = service
        .settings()
        .iter()
        .map(|setting| variable(setting.key))
        .map(|known| (strsim::damerau_levenshtein(name, &known), known))
        .filter(|(distance, _)| *distance <= 3)
        .min();
    match meant {
        Some((_, meant)) => format!("is not a setting of {here}: did you mean {meant}?"),
        None => format!("is not a setting of {here}: README.md lists them"),
    }
}
