//! Who is told how a pass goes and ends, besides the log.

use std::fmt;

use url::Url;

use super::environment::Raw;
use super::{Error, values};

/// The addresses to tell.
#[derive(Debug)]
pub struct Notices {
    /// Of a Healthchecks check.
    pub ping: Option<SecretUrl>,
    /// Of a channel, or of a program.
    pub webhook: Option<Webhook>,
}

/// Where to, and when.
#[derive(Debug)]
pub struct Webhook {
    /// Takes a POST of JSON.
    pub address: SecretUrl,
    /// Of every end, not of failures alone.
    pub always: bool,
}

/// An address that is a key: who knows it can use it.
#[derive(Clone)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// For whoever sends, and nobody else.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretUrl")
    }
}

impl Notices {
    pub(super) fn read(raw: &Raw) -> Result<Self, Error> {
        let on = raw.backup_webhook_on.as_deref();
        let choices = [("failure", false), ("always", true)];
        let always = values::choice("BACKUP_WEBHOOK_ON", on.unwrap_or("failure"), &choices)?;
        let webhook = address("BACKUP_WEBHOOK_URL", raw.backup_webhook_url.as_deref())?;
        if webhook.is_none() && on.is_some() {
            return Err(Error::new(
                "BACKUP_WEBHOOK_ON",
                "is set, but BACKUP_WEBHOOK_URL is not: set that too, or unset this",
            ));
        }
        Ok(Self {
            ping: address("BACKUP_PING_URL", raw.backup_ping_url.as_deref())?,
            webhook: webhook.map(|address| Webhook { address, always }),
        })
    }
}

/// Plain http is allowed: monitors within one's own network often speak nothing else, and what is sent
/// holds no secret.
fn address(variable: &str, text: Option<&str>) -> Result<Option<SecretUrl>, Error> {
    let Some(text) = text else { return Ok(None) };
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let url = url.ok_or_else(|| {
        // The address itself is not repeated: it is a key.
        let problem =
            "is not an address: write it like https://hc-ping.com/… or https://hooks.slack.com/…";
        Error::new(variable, problem)
    })?;
    Ok(Some(SecretUrl(url)))
}
