//! The token for Microsoft Graph: a person's leave by refresh token, or the application's own.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token>

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use opendal::{Buffer, Error, ErrorKind, HttpTransport, Result};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::warn;
use url::form_urlencoded::Serializer;

use super::super::http::Http;
use super::address;
use crate::config::OneDrive;
use crate::private_file;

/// A token is not used in its last minutes.
const EARLY: Duration = Duration::from_mins(2);

pub(super) struct Token {
    endpoint: String,
    /// Whose leave an application asks for: Graph's.
    scope: String,
    client_id: String,
    client_secret: Option<SecretString>,
    file: Option<std::path::PathBuf>,
    state: Mutex<State>,
}

struct State {
    refresh: Option<SecretString>,
    access: Option<(HeaderValue, Instant)>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
    #[serde(default)]
    refresh_token: Option<String>,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Token {
    pub(super) fn new(onedrive: &OneDrive) -> Self {
        let login = onedrive.login.as_str().trim_end_matches('/');
        let graph = onedrive.graph.as_str().trim_end_matches('/');
        let person = onedrive.refresh_token.as_ref();
        Self {
            endpoint: format!("{login}/{}/oauth2/v2.0/token", onedrive.tenant),
            scope: format!("{graph}/.default"),
            client_id: onedrive.client_id.clone(),
            client_secret: onedrive.client_secret.clone(),
            file: person.and_then(|token| token.file.clone()),
            state: Mutex::new(State {
                refresh: person.map(|token| token.secret.clone()),
                access: None,
            }),
        }
    }

    /// The header of a request. One that was `refused` is renewed, once for all who wait.
    pub(super) async fn header(
        &self,
        http: &Http,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue> {
        let mut state = self.state.lock().await;
        if let Some((header, until)) = &state.access
            && refused != Some(header)
            && Instant::now() < *until
        {
            return Ok(header.clone());
        }
        let granted = self.ask(http, state.refresh.as_ref()).await?;
        if let (Some(old), Some(new)) = (&state.refresh, granted.refresh_token)
            && old.expose_secret() != new
        {
            self.keep(&new);
            state.refresh = Some(SecretString::from(new));
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {}", granted.access_token))
            .map_err(|error| {
                Error::new(ErrorKind::Unexpected, "a token that cannot be sent").set_source(error)
            })?;
        header.set_sensitive(true);
        let lives = Duration::from_secs(granted.expires_in).saturating_sub(EARLY);
        state.access = Some((header.clone(), Instant::now() + lives));
        Ok(header)
    }

    /// Durable before it is used. Microsoft lets the old one live on, so a pass goes on when it cannot be kept.
    fn keep(&self, token: &str) {
        let Some(path) = &self.file else {
            return;
        };
        if let Err(error) = private_file::replace(path, token.as_bytes()) {
            warn!(
                path = %path.display(),
                error = %error,
                remedy = "make SINK_REFRESH_TOKEN_FILE writable: the token in it ends after 90 days",
                "refresh token not kept"
            );
        }
    }

    fn form(&self, refresh: Option<&SecretString>) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id);
        if let Some(secret) = &self.client_secret {
            form.append_pair("client_secret", secret.expose_secret());
        }
        match refresh {
            Some(token) => form
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", token.expose_secret()),
            None => form
                .append_pair("grant_type", "client_credentials")
                .append_pair("scope", &self.scope),
        };
        form.finish()
    }

    async fn ask(&self, http: &Http, refresh: Option<&SecretString>) -> Result<Granted> {
        let form = self.form(refresh);
        let (status, body) = post(http, address(&self.endpoint)?, form).await?;
        if status.is_success() {
            // The parser's own message would print a part of the answer.
            return serde_json::from_slice(&body).map_err(|_secret| {
                Error::new(
                    ErrorKind::Unexpected,
                    "the sign-in's answer is not as Microsoft describes it",
                )
            });
        }
        let refused: Refused = serde_json::from_slice(&body).unwrap_or_default();
        let why = refused.error_description.lines().next().unwrap_or_default();
        let text = format!(
            "sign-in at Microsoft refused ({status}): {} {why}",
            refused.error
        );
        let kind = if status.is_client_error() {
            ErrorKind::PermissionDenied
        } else {
            ErrorKind::Unexpected
        };
        Err(Error::new(kind, text.trim()).with_temporary(status.is_server_error()))
    }
}

async fn post(http: &Http, to: Uri, form: String) -> Result<(StatusCode, Vec<u8>)> {
    let mut request = Request::new(Buffer::from(form));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = to;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    let mut response = http.fetch(request).await?;
    let body = response.body_mut().to_buffer().await?.to_vec();
    Ok((response.status(), body))
}
