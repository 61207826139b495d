//! Microsoft Graph as `OpenDAL` expects it. `OpenDAL` knows one drive, the signed-in person's, in one cloud, and
//! stumbles over answers that business drives give; this transport stands between.

mod items;
mod token;
mod upload;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode, Uri};
use opendal::raw::ServiceOperation;
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, Result};
use percent_encoding::percent_decode_str;
use tokio::sync::Semaphore;

use super::http::Http;
use crate::config::OneDrive;
use token::Token;
pub(super) use upload::Uploads;

/// What `OpenDAL` asks.
const ASKED: &str = "https://graph.microsoft.com/v1.0/me/drive/";
/// Microsoft loses writes when more come at a time, says `OpenDAL`'s own documentation of the service.
const AT_A_TIME: usize = 4;

pub(super) struct Graph {
    http: Arc<Http>,
    token: Token,
    /// Graph's address with its version.
    version: String,
    /// Below it, with a slash at its end.
    drive: String,
    lanes: Semaphore,
    /// Whose children a further page of a listing has: its address does not say.
    pages: Mutex<HashMap<String, String>>,
    uploads: Arc<Uploads>,
}

impl Graph {
    pub(super) fn new(onedrive: &OneDrive, http: Http) -> Self {
        let http = Arc::new(http);
        let uploads = Arc::new(Uploads::new(Arc::clone(&http)));
        let graph = onedrive.graph.as_str().trim_end_matches('/');
        Self {
            http,
            token: Token::new(onedrive),
            version: format!("{graph}/v1.0/"),
            drive: format!("{}/", onedrive.drive),
            lanes: Semaphore::new(AT_A_TIME),
            pages: Mutex::default(),
            uploads,
        }
    }

    pub(super) fn uploads(&self) -> Arc<Uploads> {
        Arc::clone(&self.uploads)
    }

    /// A question to Graph itself, with a token.
    async fn ask(&self, mut request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let mut refused = None;
        loop {
            let token = self.token.header(&self.http, refused.as_ref()).await?;
            request.headers_mut().insert(AUTHORIZATION, token.clone());
            let response = self.http.fetch(request.clone()).await?;
            if response.status() != StatusCode::UNAUTHORIZED || refused.is_some() {
                return self.understood(&request, response).await;
            }
            refused = Some(token);
        }
    }

    /// Answers about items, with the members that `OpenDAL` cannot do without.
    async fn understood(
        &self,
        request: &Request<Buffer>,
        response: Response<HttpBody>,
    ) -> Result<Response<HttpBody>> {
        if !response.status().is_success() {
            return Ok(response);
        }
        match request.extensions().get() {
            Some(ServiceOperation("ListChildren")) => {
                let folder = self.folder_of(request.uri());
                let (response, next) = items::listing(response, &folder).await?;
                if let Some(next) = next {
                    let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
                    pages.insert(next, folder);
                }
                Ok(response)
            }
            Some(ServiceOperation("GetItem" | "UploadContent")) => items::item(response).await,
            _ => Ok(response),
        }
    }

    /// The path of the folder that is listed, decoded.
    fn folder_of(&self, uri: &Uri) -> String {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = pages.get(&uri.to_string()) {
            return folder.clone();
        }
        let path = uri.path();
        let between = path
            .split_once("/root:")
            .and_then(|(_, rest)| rest.strip_suffix(":/children"));
        percent_decode_str(between.unwrap_or_default())
            .decode_utf8_lossy()
            .into_owned()
    }
}

impl HttpTransport for Graph {
    async fn fetch(&self, mut request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let _lane = self.lanes.acquire().await;
        let asked = request.uri().to_string();
        if let Some(rest) = asked.strip_prefix(ASKED) {
            *request.uri_mut() = address(&format!("{}{}{rest}", self.version, self.drive))?;
        } else if !asked.starts_with(&self.version) {
            // Addresses that Graph gave for one upload are keys in themselves. The token is not for them.
            request.headers_mut().remove(AUTHORIZATION);
            return self.uploads.send(request).await;
        }
        self.ask(request).await
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Graph")
    }
}

fn address(text: &str) -> Result<Uri> {
    text.parse().map_err(|error| {
        Error::new(ErrorKind::Unexpected, "not an address of Graph")
            .set_source(anyhow::Error::new::<http::uri::InvalidUri>(error))
    })
}
