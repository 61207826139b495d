//! The token endpoint: what it is asked, and what it grants. <https://developers.arcgis.com/rest/users-groups-and-items/token/>

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::Portal;
use super::call::{Call, below};
use super::error::Error;
use super::token::Refresh;
use crate::members::Members;
use crate::token_file::Token;

/// Shows the code on a page, for a person to copy.
pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// What is known of an access token that does not tell its life.
const USUAL_LIFE: Duration = Duration::from_mins(30);
/// None is used for longer, whatever life it is said to have.
const LONGEST_USE: Duration = Duration::from_hours(24);

/// The token endpoint's answer.
pub(super) struct Grant {
    pub(super) access_token: SecretString,
    life: Option<Duration>,
    /// Whose it is.
    pub(super) username: Option<String>,
    /// Only for a code, and in an exchange.
    refresh_token: Option<SecretString>,
    /// Enterprise before 10.9.1 does not tell.
    refresh_token_life: Option<SignedDuration>,
}

impl Grant {
    pub(super) fn read(document: &[u8]) -> Result<Self, Error> {
        // The parser's own message would print a part of a secret.
        let members = serde_json::from_slice::<Members<'_>>(document).unwrap_or_default();
        let secret = |name| {
            let text = members.get::<String>(name)?;
            (!text.is_empty()).then(|| SecretString::from(text))
        };
        let access_token = secret("access_token").ok_or_else(|| {
            Error::Untrue("the token endpoint's answer holds no access token".to_owned())
        })?;
        let seconds = members.integer("expires_in");
        let life = members.integer("refresh_token_expires_in");
        Ok(Self {
            access_token,
            life: seconds.and_then(|seconds| Some(Duration::from_secs(seconds.try_into().ok()?))),
            username: members.get("username"),
            refresh_token: secret("refresh_token"),
            refresh_token_life: life.filter(|life| *life > 0).map(SignedDuration::from_secs),
        })
    }

    /// The local span of use: five minutes less than its life, by the local monotonic clock. A very short
    /// life is used to three quarters.
    pub(super) fn good_for(&self) -> Duration {
        let life = self.life.unwrap_or(USUAL_LIFE).min(LONGEST_USE);
        life.saturating_sub(Duration::from_mins(5))
            .max(life.mul_f64(0.75).min(Duration::from_mins(15)))
    }

    /// The refresh token in it. Its life is counted from now, by our clock, which is the one that asks later.
    pub(super) fn refresh_token(
        &self,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<Token, Error> {
        let secret = self.refresh_token.clone().ok_or_else(|| {
            Error::Untrue("the token endpoint's answer holds no refresh token".to_owned())
        })?;
        let now = crate::snapshot::now();
        let end = |life| now.checked_add(life).ok();
        Ok(Token {
            secret,
            expires_at: self.refresh_token_life.and_then(end),
            issued_at: Some(now),
            client_id: Some(client_id.to_owned()),
            redirect_uri: Some(redirect_uri.to_owned()),
        })
    }
}

impl Portal {
    /// The refresh grant. It neither prolongs nor replaces the refresh token. Where that is refused, another run may
    /// have renewed it, or died while it did: the one that works is the one to go on with.
    pub(super) async fn refreshed(&self, refresh: &Refresh) -> Result<(Grant, Token), Error> {
        let refused = match self.granted(&refresh.client_id, &refresh.token).await {
            Ok(grant) => return Ok((grant, refresh.token.clone())),
            Err(error) => error,
        };
        let file = refresh
            .file
            .as_ref()
            .filter(|_| refused.is_of_the_account());
        for other in file.map_or_else(Vec::new, |file| file.instead_of(&refresh.token.secret)) {
            match self.granted(&refresh.client_id, &other).await {
                Ok(grant) => return Ok((grant, other)),
                Err(Error::SignIn(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    pub(super) async fn granted(&self, client_id: &str, token: &Token) -> Result<Grant, Error> {
        self.tokens.keep_secret(&token.secret);
        let call = self
            .token_call("refresh_token", client_id)
            .with("refresh_token", token.secret.expose_secret());
        self.ask(&call).await.map_err(|error| {
            refusal(error, |message| format!(
                "the portal refuses the refresh token ({message}): sign in anew with agol-backup login, and set ARCGIS_REFRESH_TOKEN_FILE to the file that it writes; ARCGIS_CLIENT_ID must be the application it was made for"
            ))
        })
    }

    /// Asks for a successor of the refresh token. Until [`Self::take`] the old one is used. An answer that is lost
    /// may have ended it: so it is asked for only once.
    pub async fn exchange(&self, redirect_uri: &str) -> Result<Token, Error> {
        let refresh = self.tokens.refresh().await.ok_or_else(|| {
            Error::SignIn("there is no refresh token that could be exchanged".to_owned())
        })?;
        let client_id = &refresh.client_id;
        let call = self
            .token_call("exchange_refresh_token", client_id)
            .with("redirect_uri", redirect_uri)
            .with("refresh_token", refresh.token.secret.expose_secret())
            .changing();
        let grant = self.ask(&call).await?;
        grant.refresh_token(client_id, redirect_uri)
    }

    /// From now on this refresh token is used.
    pub async fn take(&self, token: Token) {
        self.tokens.take(token).await;
    }

    /// Uses the refresh token, to see whether it works.
    pub async fn prove(&self) -> Result<(), Error> {
        self.tokens
            .fresh(async |refresh| self.refreshed(refresh).await)
            .await
    }

    /// The refresh token that is used now.
    pub async fn refresh_token(&self) -> Option<Token> {
        self.tokens.refresh().await.map(|refresh| refresh.token)
    }

    /// When the credentials end, where that is known.
    pub async fn credentials_end(&self) -> Option<Timestamp> {
        self.refresh_token()
            .await
            .and_then(|token| token.expires_at)
    }

    /// A code becomes a refresh token, once.
    pub(super) async fn redeemed(
        &self,
        client_id: &str,
        code: &SecretString,
        verifier: &SecretString,
    ) -> Result<Token, Error> {
        let call = self
            .token_call("authorization_code", client_id)
            .with("redirect_uri", OUT_OF_BAND)
            .with("code", code.expose_secret())
            .with("code_verifier", verifier.expose_secret())
            .changing();
        let grant = self.ask(&call).await.map_err(|error| {
            refusal(error, |message| format!(
                "the portal does not take the code ({message}): it works once, for some minutes, and only for the login that printed its address; run agol-backup login again"
            ))
        })?;
        grant.refresh_token(client_id, OUT_OF_BAND)
    }

    fn token_call(&self, grant_type: &str, client_id: &str) -> Call {
        Call::post("oauth2/token", below(&self.rest, &["oauth2", "token"]))
            .with("f", "json")
            .with("grant_type", grant_type)
            .with("client_id", client_id)
            .anonymous()
    }

    async fn ask(&self, call: &Call) -> Result<Grant, Error> {
        Grant::read(&Box::pin(self.document(call)).await?)
    }
}

/// The token endpoint's own no. Any other code is not the token endpoint speaking.
fn refusal(error: Error, told: impl FnOnce(&str) -> String) -> Error {
    match error {
        Error::Refused {
            code: 400 | 401 | 498 | 499,
            message,
        } => Error::SignIn(told(&message)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn grant(answer: &Value) -> Grant {
        Grant::read(answer.to_string().as_bytes()).expect("a grant")
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let good_for = |seconds: u64| {
            let answer = serde_json::json!({"access_token": "a", "expires_in": seconds});
            grant(&answer).good_for().as_secs()
        };
        assert_eq!(good_for(1_800), 1_500);
        assert_eq!(good_for(7_200), 6_900);
        assert_eq!(good_for(4), 3);
        assert_eq!(good_for(0), 0);
        assert_eq!(
            good_for(u64::MAX),
            1_500,
            "no number of seconds is so large"
        );
        assert_eq!(good_for(i64::MAX.unsigned_abs()), 86_100);
    }

    #[test]
    fn an_end_that_is_not_told_is_not_known() {
        for told in [
            Value::Null,
            "soon".into(),
            (-1).into(),
            0.into(),
            i64::MAX.into(),
        ] {
            let answer = serde_json::json!({"access_token": "a", "refresh_token": "r", "refresh_token_expires_in": told});
            let token = grant(&answer).refresh_token("id", OUT_OF_BAND);
            assert_eq!(token.expect("a token").expires_at, None, "{told}");
        }
    }
}
