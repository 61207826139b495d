//! Every variable of the program, once. The README's table is compared with this one by a test.

/// A variable, its default as the README prints it, and whether it holds a secret.
pub struct Variable {
    /// Its name in the environment.
    pub name: &'static str,
    /// Shown in the README; `–` for none.
    pub default: &'static str,
    /// `NAME_FILE` is accepted, and the value is never printed.
    pub secret: bool,
}

const fn plain(name: &'static str, default: &'static str) -> Variable {
    Variable {
        name,
        default,
        secret: false,
    }
}

const fn secret(name: &'static str) -> Variable {
    Variable {
        name,
        default: "–",
        secret: true,
    }
}

/// In the order of the README.
pub const VARIABLES: &[Variable] = &[
    plain("ARCGIS_URL", "`https://www.arcgis.com`"),
    plain("ARCGIS_CLIENT_ID", "–"),
    secret("ARCGIS_REFRESH_TOKEN"),
    secret("ARCGIS_API_KEY"),
    plain("ARCGIS_CA_FILE", "–"),
    plain("BACKUP_SCOPE", "`mine`"),
    plain("BACKUP_QUERY", "–"),
    plain("BACKUP_ITEM_TYPES", "all"),
    plain("BACKUP_EXCLUDE_TAG", "`no-backup`"),
    plain("BACKUP_METHOD", "`auto`"),
    plain("BACKUP_FORMATS", "`geojson`"),
    plain("BACKUP_ATTACHMENTS", "`true`"),
    plain("BACKUP_CONCURRENCY", "`8`"),
    plain("BACKUP_EXPORT_TIMEOUT", "`30m`"),
    plain("BACKUP_MAX_DURATION", "none"),
    plain("BACKUP_SHARD", "none"),
    plain("BACKUP_SHARDS", "none"),
    plain("BACKUP_FULL_EVERY", "`30d`"),
    plain("BACKUP_DESTINATION", "`./agol-backup`"),
    plain("BACKUP_KEEP_LAST", "keep all"),
    plain("BACKUP_KEEP_DAILY", "keep all"),
    plain("BACKUP_KEEP_WEEKLY", "keep all"),
    plain("BACKUP_KEEP_MONTHLY", "keep all"),
    plain("BACKUP_KEEP_YEARLY", "keep all"),
    secret("BACKUP_PING_URL"),
    secret("BACKUP_WEBHOOK_URL"),
    plain("BACKUP_WEBHOOK_ON", "`failure`"),
    plain("BACKUP_SUMMARY_FILE", "–"),
    plain("BACKUP_LOG", "`auto`"),
    plain("RUST_LOG", "`info`"),
];

/// Prefixes that are ours: another name with one of them is looked at.
pub(super) const PREFIXES: &[&str] = &["BACKUP_", "ARCGIS_"];
