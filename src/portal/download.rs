//! Files: opened, told from errors by their first bytes, and read piece by piece. A download is answered
//! with the address of a storage service; it is followed by hand and bare, so that no token reaches it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{CONTENT_DISPOSITION, LOCATION};
use tokio::time::Instant;
use url::Url;

use super::Portal;
use super::allowance::Allowance;
use super::answer::{self, LONGEST_ERROR};
use super::body::Opened;
use super::call::Call;
use super::disposition::file_name;
use super::error::{Error, Trouble};
use super::patience::Patience;
use super::wire::naming_token;

/// A file on its way.
pub struct Download {
    opened: Opened,
    /// What was read ahead to see what it is.
    head: Option<Bytes>,
    /// Its length, where the server tells it; the transport keeps it.
    length: Option<u64>,
    /// The most of it that is taken where nobody told.
    longest: u64,
    /// Bytes handed out.
    come: u64,
    /// Pays for the silence in which a file breaks off; what came before that was no trouble.
    allowance: Arc<Allowance>,
    /// The name the server gives it.
    pub name: Option<String>,
}

impl Portal {
    /// A file, open for reading. `None` when there is none: an empty body.
    pub(super) async fn download(&self, call: &Call) -> Result<Option<Download>, Error> {
        let mut patience = self.patience();
        loop {
            match self.try_download(call, &mut patience).await {
                Ok(download) => return Ok(download),
                Err(trouble) => patience.after(trouble, call, self).await?,
            }
        }
    }

    async fn try_download(
        &self,
        call: &Call,
        patience: &mut Patience,
    ) -> Result<Option<Download>, Trouble> {
        let (opened, used) = self.send(call, patience).await?;
        let download = async {
            let opened = self.follow(opened, call, patience).await?;
            Download::begin(opened, call, Allowance::current(self.bounds)).await
        };
        download
            .await
            .map_err(|trouble| naming_token(trouble, used))
    }

    /// Downloads are answered with the address of a storage service; it gets no token and no referrer.
    async fn follow(
        &self,
        mut opened: Opened,
        call: &Call,
        patience: &mut Patience,
    ) -> Result<Opened, Trouble> {
        let mut at = call.url.clone();
        for _ in 0..5 {
            if !opened.response.status().is_redirection() {
                return Ok(opened);
            }
            at = redirect_target(&at, &opened.response)?;
            drop(opened);
            let hop = Call::file(call.subject.as_str(), at.clone());
            opened = self.send_bare(&hop, None, patience).await?;
            let status = opened.response.status();
            if !status.is_success() && !status.is_redirection() {
                // The address was signed for a few minutes only: asking the portal again gives a new one.
                return Err(Trouble::transient(format!(
                    "the storage service answers HTTP {status}"
                )));
            }
        }
        Err(Trouble::Final(Error::Refused {
            code: 0,
            message: "too many redirects".to_owned(),
        }))
    }
}

fn redirect_target(at: &Url, response: &Response) -> Result<Url, Trouble> {
    let refused = |message: &str| {
        Trouble::Final(Error::Refused {
            code: 0,
            message: message.to_owned(),
        })
    };
    let location = response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| at.join(location).ok());
    let target = target.ok_or_else(|| refused("a redirect without a usable address"))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(refused("a redirect to something that is not the web"));
    }
    if at.scheme() == "https" && target.scheme() != "https" {
        return Err(refused("a redirect away from https"));
    }
    Ok(target)
}

impl Download {
    /// Reads far enough to tell a file from an error object or a gateway's page.
    async fn begin(
        mut opened: Opened,
        call: &Call,
        allowance: Arc<Allowance>,
    ) -> Result<Option<Self>, Trouble> {
        if opened.response.status().is_redirection() {
            return Err(Trouble::transient("a redirect without an end"));
        }
        let length = opened.response.content_length();
        let disposition = opened.response.headers().get(CONTENT_DISPOSITION);
        let name =
            disposition.and_then(|value| file_name(&String::from_utf8_lossy(value.as_bytes())));
        let mut head = BytesMut::new();
        let mut ended = false;
        // Only a body that begins like JSON can be an error object; that is read on to where it must end.
        while !ended && (head.len() < 16 || (may_be_error(&head) && head.len() <= LONGEST_ERROR)) {
            match opened.next().await? {
                Some(chunk) => head.extend_from_slice(&chunk),
                None => ended = true,
            }
        }
        if ended {
            answer::judge_error_in(&head)?;
        }
        if answer::looks_like_a_page(&head) && !call.may_be_page {
            return Err(Trouble::transient(
                "a page of HTML came where a file was due",
            ));
        }
        if ended && head.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            opened,
            head: Some(head.freeze()),
            length,
            longest: call.longest,
            come: 0,
            allowance,
            name,
        }))
    }

    /// The first byte that means something: the bytes decide what a file is.
    pub fn first_byte(&self) -> Option<u8> {
        self.head.as_deref().and_then(answer::first_byte)
    }

    /// Whether it begins like a zip archive.
    pub fn is_zip(&self) -> bool {
        self.head
            .as_deref()
            .is_some_and(|head| head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06"))
    }

    /// The next piece; `None` at the end. An end before the announced length is an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = match self.head.take() {
            Some(head) => Some(head),
            None => self.next().await?,
        };
        self.come += piece.as_ref().map_or(0, Bytes::len) as u64;
        if self.length.is_none() && self.come > self.longest {
            let message = format!(
                "it is longer than {} bytes, and nobody told its length",
                self.longest
            );
            return Err(Error::Refused { code: 0, message });
        }
        Ok(piece)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let asked = Instant::now();
        self.opened.next().await.map_err(|trouble| {
            self.allowance.lose(asked, Instant::now());
            match trouble {
                Trouble::Final(error) => error,
                Trouble::Transient { message, .. } => Error::Unavailable(message),
                Trouble::Token { .. } | Trouble::Throttled { .. } => {
                    Error::Unavailable("cut".to_owned())
                }
            }
        })
    }
}

/// The shapes that `answer` knows begin with one of these; a body that begins otherwise is content.
fn may_be_error(head: &[u8]) -> bool {
    const FIRST: [&[u8]; 5] = [b"error", b"code", b"success", b"status", b"message"];
    let mut start = head
        .iter()
        .copied()
        .skip_while(|byte| answer::is_blank(*byte))
        .filter(|byte| !byte.is_ascii_whitespace());
    if start.next() != Some(b'{') || start.next().is_some_and(|byte| byte != b'"') {
        return false;
    }
    let key: Vec<u8> = start.take(8).take_while(|byte| *byte != b'"').collect();
    FIRST
        .iter()
        .any(|first| first.starts_with(&key) || key.starts_with(first))
}
