//! The access token: got from the refresh token, renewed before it ends, and once when it is refused. All
//! waiting requests share one renewal. Refresh tokens are neither prolonged nor replaced here.

use std::sync::PoisonError;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::Error;

/// Where access tokens come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Lasts as long as the pass; there is nothing to renew.
    ApiKey(SecretString),
    /// The OAuth2 `refresh_token` grant.
    Refresh {
        client_id: String,
        refresh_token: SecretString,
    },
}

/// One per pass, behind one lock: who waits for it gets the token that the first one fetched.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) source: Source,
    current: Mutex<Option<Access>>,
    /// Every access token of this pass, so that none is ever repeated.
    issued: std::sync::Mutex<Vec<SecretString>>,
}

#[derive(Debug)]
struct Access {
    token: SecretString,
    renew_at: Instant,
}

/// The token endpoint's answer. Everything else in it is ignored.
#[derive(Deserialize)]
pub(super) struct Grant {
    access_token: String,
    /// Seconds.
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Tokens {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            current: Mutex::default(),
            issued: std::sync::Mutex::default(),
        }
    }

    /// A token that is still good for a while; `fetch` is called when there is none.
    pub(super) async fn current(
        &self,
        fetch: impl AsyncFnOnce(&str, &SecretString) -> Result<Grant, Error>,
    ) -> Result<String, Error> {
        let (client_id, refresh_token) = match &self.source {
            Source::ApiKey(key) => return Ok(key.expose_secret().to_owned()),
            Source::Refresh {
                client_id,
                refresh_token,
            } => (client_id, refresh_token),
        };
        let mut current = self.current.lock().await;
        if let Some(access) = current
            .as_ref()
            .filter(|access| Instant::now() < access.renew_at)
        {
            return Ok(access.token.expose_secret().to_owned());
        }
        let grant = fetch(client_id, refresh_token).await?;
        let token = grant.access_token.clone();
        self.issued
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(token.as_str().into());
        *current = Some(Access {
            renew_at: Instant::now() + grant.good_for(),
            token: grant.access_token.into(),
        });
        Ok(token)
    }

    /// A text of the portal's, without our secrets: servers repeat what they were sent.
    pub(super) fn redact(&self, mut text: String) -> String {
        let own = match &self.source {
            Source::ApiKey(key) => key,
            Source::Refresh { refresh_token, .. } => refresh_token,
        };
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in issued.iter().chain([own]).map(ExposeSecret::expose_secret) {
            // A word of few letters is no secret, and would be found everywhere.
            if secret.len() >= 8 && text.contains(secret) {
                text = text.replace(secret, "[secret]");
            }
        }
        text
    }

    /// Forgets a refused token, unless another request has renewed it meanwhile. False when there is
    /// nothing that could be renewed.
    pub(super) async fn forget(&self, refused: Option<&str>) -> bool {
        let mut current = self.current.lock().await;
        let same = current
            .as_ref()
            .is_some_and(|access| Some(access.token.expose_secret()) == refused);
        if same {
            *current = None;
        }
        matches!(self.source, Source::Refresh { .. })
    }
}

impl Grant {
    /// The local span of use: five minutes less than its life, by the local monotonic clock. A very short
    /// life is used to three quarters.
    fn good_for(&self) -> Duration {
        let life = Duration::from_secs(self.expires_in.unwrap_or(1_800));
        life.saturating_sub(Duration::from_mins(5))
            .max(life.mul_f64(0.75).min(Duration::from_mins(15)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let good_for = |seconds| {
            Grant {
                access_token: String::new(),
                expires_in: Some(seconds),
            }
            .good_for()
            .as_secs()
        };
        assert_eq!(good_for(1_800), 1_500);
        assert_eq!(good_for(7_200), 6_900);
        assert_eq!(good_for(4), 3);
        assert_eq!(good_for(0), 0);
    }
}
