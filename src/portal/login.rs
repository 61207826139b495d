//! A person signs in, in the browser: the address that they open, and what becomes of the code that they bring back.
//! With PKCE, so that the code is worth nothing to anybody else. <https://www.rfc-editor.org/rfc/rfc7636>

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use super::answer::{judge_error_in, judge_status};
use super::call::{Call, below};
use super::error::{Error, Trouble};
use super::grant::OUT_OF_BAND;
use super::patience::Patience;
use super::token::{Refresh, Source, Tokens};
use super::{Portal, Traffic};
use crate::config;
use crate::exit::Stop;
use crate::token_file::{LONGEST_LIFE, Token};

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Login {
    portal: Portal,
    client_id: String,
    verifier: SecretString,
}

impl Login {
    /// Contacts nobody.
    pub fn begin(settings: &config::Login) -> Result<Self, Stop> {
        let authorities = &settings.authorities;
        let traffic = Arc::new(Traffic::default());
        let mut chance = [0; 32];
        getrandom::fill(&mut chance).map_err(|error| Stop::Internal(error.into()))?;
        Ok(Self {
            portal: Portal::at(
                &settings.portal,
                authorities,
                Source::Nobody,
                (1, config::Bounds::default()),
                traffic,
            )?,
            client_id: settings.client_id.clone(),
            verifier: BASE64_URL_SAFE_NO_PAD.encode(chance).into(),
        })
    }

    /// What the person opens.
    pub fn address(&self) -> Url {
        let digest = Sha256::digest(self.verifier.expose_secret());
        let mut url = below(&self.portal.rest, &["oauth2", "authorize"]);
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", OUT_OF_BAND)
            .append_pair("expiration", &LONGEST_LIFE.as_mins().to_string())
            .append_pair("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(digest))
            .append_pair("code_challenge_method", "S256");
        url
    }

    /// Opens the address as a browser would, and reads whether the portal knows the application: nobody is sent to a
    /// page that can only complain.
    pub async fn probe(&self) -> Result<(), Stop> {
        let call = Call::file("oauth2/authorize", self.address()).anonymous();
        let mut patience = self.portal.patience();
        let page = loop {
            match self.try_page(&call, &mut patience).await {
                Ok(page) => break page,
                Err(trouble) => {
                    let refused = patience.after(trouble, &call, &self.portal).await;
                    refused.map_err(|error| self.no_page(&error))?;
                }
            }
        };
        match complaint(&page) {
            Some(complaint) => Err(Error::SignIn(complaint.remedy(&self.client_id)).into()),
            None => Ok(()),
        }
    }

    /// The body of a page, of whatever status. A redirect leads to the page where one signs in.
    async fn try_page(&self, call: &Call, patience: &mut Patience) -> Result<String, Trouble> {
        let opened = self.portal.send_bare(call, None, patience).await?;
        let status = opened.response.status();
        if status.is_redirection() {
            return Ok(String::new());
        }
        let headers = opened.response.headers().clone();
        let body = self.portal.read_whole(opened, 1 << 20, false).await?;
        let page = String::from_utf8_lossy(&body).into_owned();
        if complaint(&page).is_none() {
            judge_status(status, &headers, &body)?;
            judge_error_in(&body)?;
        }
        Ok(page)
    }

    fn no_page(&self, error: &Error) -> Error {
        let address = self.portal.address.as_str().trim_end_matches('/');
        Error::Unavailable(format!(
            "{address} shows no page to sign in on: {error}: check ARCGIS_URL"
        ))
    }

    /// Whose a token is, if it works.
    pub async fn holder(&self, token: &Token) -> Result<Option<String>, Error> {
        let client_id = token.client_id.as_deref().unwrap_or(&self.client_id);
        match self.portal.granted(client_id, token).await {
            Ok(grant) => Ok(Some(grant.username.unwrap_or_default())),
            Err(Error::SignIn(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The code becomes a refresh token, which is used at once: it works, and the portal tells whose it is.
    pub async fn redeem(mut self, code: &SecretString) -> Result<(Portal, Token), Stop> {
        for secret in [code, &self.verifier] {
            self.portal.tokens.keep_secret(secret);
        }
        let redeemed = self.portal.redeemed(&self.client_id, code, &self.verifier);
        let token = redeemed.await?;
        self.portal.tokens = Tokens::new(Source::Refresh(Refresh {
            client_id: self.client_id,
            token: token.clone(),
            file: None,
        }));
        Ok((self.portal.sign_in().await?, token))
    }
}

/// What the page where one signs in says of an application that may not send people there. It is no JSON, whatever is
/// asked for.
#[derive(Clone, Copy)]
enum Complaint {
    Client,
    Redirect,
}

fn complaint(page: &str) -> Option<Complaint> {
    let page = page.to_ascii_lowercase();
    if page.contains("invalid client_id") {
        Some(Complaint::Client)
    } else if page.contains("invalid redirect_uri") {
        Some(Complaint::Redirect)
    } else {
        None
    }
}

impl Complaint {
    fn remedy(self, client_id: &str) -> String {
        match self {
            Self::Client => format!(
                "the portal knows no application with the client id {client_id:?}: check ARCGIS_CLIENT_ID and ARCGIS_URL"
            ),
            Self::Redirect => format!(
                "the application {client_id:?} does not allow the redirect URL {OUT_OF_BAND}: add it to the application's redirect URLs, as README.md says"
            ),
        }
    }
}
