//! The access token: got from the refresh token, renewed before it ends, and once when it is refused. All
//! waiting requests share one renewal.

use std::sync::PoisonError;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::Error;
use super::grant::Grant;
use crate::token_file::{Token, TokenFile};

/// Where access tokens come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Nobody has signed in yet.
    Nobody,
    /// Lasts as long as the pass; there is nothing to renew.
    ApiKey(SecretString),
    /// The OAuth2 `refresh_token` grant.
    Refresh(Refresh),
}

/// What a person's sign-in left.
#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) client_id: String,
    pub(super) token: Token,
    /// Where another run may have put a newer one.
    pub(super) file: Option<TokenFile>,
}

/// One per pass, behind one lock: who waits for it gets the token that the first one fetched.
#[derive(Debug)]
pub(super) struct Tokens {
    state: Mutex<State>,
    /// Every secret of this pass, so that none is ever repeated.
    secrets: std::sync::Mutex<Vec<SecretString>>,
}

#[derive(Debug)]
struct State {
    source: Source,
    access: Option<Access>,
}

#[derive(Debug)]
struct Access {
    token: SecretString,
    renew_at: Instant,
}

impl Tokens {
    pub(super) fn new(source: Source) -> Self {
        let tokens = Self {
            secrets: std::sync::Mutex::default(),
            state: Mutex::new(State {
                source: Source::Nobody,
                access: None,
            }),
        };
        match &source {
            Source::Nobody => {}
            Source::ApiKey(key) => tokens.keep_secret(key),
            Source::Refresh(refresh) => tokens.keep_secret(&refresh.token.secret),
        }
        Self {
            state: Mutex::new(State {
                source,
                access: None,
            }),
            ..tokens
        }
    }

    /// A token that is still good for a while; `fetch` is called when there is none.
    pub(super) async fn current(
        &self,
        fetch: impl AsyncFnOnce(&Refresh) -> Result<(Grant, Token), Error>,
    ) -> Result<String, Error> {
        let mut state = self.state.lock().await;
        if let Source::ApiKey(key) = &state.source {
            return Ok(key.expose_secret().to_owned());
        }
        if let Some(access) = state.access.as_ref()
            && Instant::now() < access.renew_at
        {
            return Ok(access.token.expose_secret().to_owned());
        }
        self.renew(&mut state, fetch).await
    }

    /// Fetches a new one, however good the present one is.
    pub(super) async fn fresh(
        &self,
        fetch: impl AsyncFnOnce(&Refresh) -> Result<(Grant, Token), Error>,
    ) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        self.renew(&mut state, fetch).await.map(drop)
    }

    async fn renew(
        &self,
        state: &mut State,
        fetch: impl AsyncFnOnce(&Refresh) -> Result<(Grant, Token), Error>,
    ) -> Result<String, Error> {
        let Source::Refresh(refresh) = &mut state.source else {
            return Err(Error::SignIn("nobody has signed in".to_owned()));
        };
        let (grant, token) = fetch(refresh).await?;
        refresh.token = token;
        self.keep_secret(&grant.access_token);
        let access = grant.access_token.expose_secret().to_owned();
        state.access = Some(Access {
            renew_at: Instant::now() + grant.good_for(),
            token: grant.access_token,
        });
        Ok(access)
    }

    /// What a person's sign-in left, as it is now.
    pub(super) async fn refresh(&self) -> Option<Refresh> {
        match &self.state.lock().await.source {
            Source::Refresh(refresh) => Some(refresh.clone()),
            Source::Nobody | Source::ApiKey(_) => None,
        }
    }

    /// The next access tokens come from this one. The present one stays.
    pub(super) async fn take(&self, token: Token) {
        self.keep_secret(&token.secret);
        if let Source::Refresh(refresh) = &mut self.state.lock().await.source {
            refresh.token = token;
        }
    }

    /// Is never to be repeated.
    pub(super) fn keep_secret(&self, secret: &SecretString) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.push(secret.clone());
    }

    /// A text of the portal's, without our secrets: servers repeat what they were sent.
    pub(super) fn redact(&self, mut text: String) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets.iter().map(ExposeSecret::expose_secret) {
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
        let mut state = self.state.lock().await;
        let same = state
            .access
            .as_ref()
            .is_some_and(|access| Some(access.token.expose_secret()) == refused);
        if same {
            state.access = None;
        }
        matches!(state.source, Source::Refresh(_))
    }
}
