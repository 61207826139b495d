//! Tokens: how they are asked for, how long they live, and who is turned away.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::call::Call;
use super::catalogue::{API_KEY, CLIENT_ID, REFRESH_TOKEN, Settings, USER};
use super::reply::{Answer, Reply};

#[derive(Debug)]
pub struct Auth {
    access: BTreeMap<String, Instant>,
    refresh: BTreeMap<String, Refresh>,
    codes: BTreeMap<String, Code>,
    issued: usize,
    rotated: usize,
    coded: usize,
    key_revoked: bool,
}

/// A refresh token's end, and the span that was granted: an exchange grants it again.
#[derive(Clone, Copy, Debug)]
struct Refresh {
    end: Instant,
    seconds: u64,
}

/// What a sign-in page was asked with.
#[derive(Clone, Debug)]
pub struct Asked {
    pub redirect_uri: String,
    /// Base64 of the SHA-256 of a verifier that only who asked knows.
    pub challenge: Option<String>,
    /// Minutes.
    pub expiration: Option<u64>,
}

/// Good once.
#[derive(Debug)]
struct Code {
    asked: Asked,
    end: Instant,
}

impl Auth {
    pub fn new(settings: &Settings) -> Self {
        let mut auth = Self {
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            codes: BTreeMap::new(),
            issued: 0,
            rotated: 1,
            coded: 0,
            key_revoked: false,
        };
        auth.add_refresh(REFRESH_TOKEN, settings.refresh_token_seconds);
        auth
    }

    pub fn expire_access(&mut self) {
        self.access.clear();
    }

    pub fn revoke(&mut self) {
        self.access.clear();
        self.refresh.clear();
        self.key_revoked = true;
    }

    /// One refresh token stops working.
    pub fn end(&mut self, token: &str) {
        self.refresh.remove(token);
    }

    /// How many access tokens were handed out.
    pub fn issued(&self) -> usize {
        self.issued
    }

    /// Refresh tokens that still work.
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.refresh.keys().cloned().collect()
    }

    /// Lets a request pass, or answers 499 or 498 inside a 200.
    pub fn check(&self, call: &Call) -> Result<(), Reply> {
        let Some(token) = &call.token else {
            return Err(token_required());
        };
        let alive = self
            .access
            .get(token)
            .is_some_and(|end| *end > Instant::now());
        if alive || (token == API_KEY && !self.key_revoked) {
            return Ok(());
        }
        Err(Reply::error(498, "Invalid token."))
    }

    /// Somebody has signed in: the code that the page shows.
    pub fn code(&mut self, asked: Asked, settings: &Settings) -> String {
        self.coded += 1;
        let code = format!("login-code.{}_x-{}", self.coded, "y".repeat(24));
        let end = after(settings.code_seconds);
        self.codes.insert(code.clone(), Code { asked, end });
        code
    }

    /// `oauth2/token`.
    pub fn token(&mut self, call: &Call, settings: &Settings) -> Answer {
        if call.param("client_id") != Some(CLIENT_ID) {
            return Err(refused(400, "invalid_client_id", "Invalid client_id"));
        }
        match call.param("grant_type") {
            Some("refresh_token") => {
                self.known_refresh(call)?;
                Ok(Reply::json(&self.grant(settings)))
            }
            Some("exchange_refresh_token") => self.exchange(call, settings),
            Some("authorization_code") => self.redeem(call, settings),
            _ => Err(refused(
                400,
                "unsupported_grant_type",
                "Unsupported grant_type",
            )),
        }
    }

    fn exchange(&mut self, call: &Call, settings: &Settings) -> Answer {
        let old = self.known_refresh(call)?;
        match call.param("redirect_uri") {
            None => return Err(invalid("redirect_uri not specified")),
            Some(uri) if !settings.redirect_uris.iter().any(|known| known == uri) => {
                return Err(invalid("Invalid redirect_uri"));
            }
            Some(_) => {}
        }
        let seconds = self.refresh[&old].seconds;
        if settings.rotation_kills_old {
            self.refresh.remove(&old);
        }
        Ok(Reply::json(&self.grant_with_refresh(seconds, settings)))
    }

    fn redeem(&mut self, call: &Call, settings: &Settings) -> Answer {
        let given = call.param("code").unwrap_or_default();
        // Used up by whatever comes of it.
        let code = self.codes.remove(given);
        let code = code.ok_or_else(|| invalid("Invalid code"))?;
        if code.end < Instant::now() {
            return Err(invalid("The code has expired"));
        }
        if call.param("redirect_uri") != Some(&code.asked.redirect_uri) {
            return Err(invalid("Invalid redirect_uri"));
        }
        let proof = call
            .param("code_verifier")
            .map(|verifier| BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        if code.asked.challenge != proof {
            return Err(invalid("Invalid code_verifier"));
        }
        let longest = settings.longest_refresh_seconds;
        let asked = code.asked.expiration.map(|minutes| minutes * 60);
        let seconds = asked.unwrap_or(14 * 86_400).min(longest);
        Ok(Reply::json(&self.grant_with_refresh(seconds, settings)))
    }

    fn known_refresh(&self, call: &Call) -> Result<String, Reply> {
        let token = call.param("refresh_token").unwrap_or_default();
        match self.refresh.get(token) {
            Some(known) if known.end > Instant::now() => Ok(token.to_owned()),
            Some(_) => Err(refused(498, "invalid_request", "refresh_token expired")),
            None => Err(refused(498, "invalid_request", "Invalid refresh_token")),
        }
    }

    fn add_refresh(&mut self, token: &str, seconds: u64) {
        let end = after(seconds);
        self.refresh
            .insert(token.to_owned(), Refresh { end, seconds });
    }

    fn grant(&mut self, settings: &Settings) -> Value {
        self.issued += 1;
        let token = format!("access-secret-{}", self.issued);
        self.access
            .insert(token.clone(), after(settings.access_token_seconds));
        json!({"access_token": token, "expires_in": settings.access_token_seconds, "username": USER, "ssl": true})
    }

    fn grant_with_refresh(&mut self, seconds: u64, settings: &Settings) -> Value {
        self.rotated += 1;
        let token = format!("refresh-secret-{}", self.rotated);
        self.add_refresh(&token, seconds);
        let mut answer = self.grant(settings);
        answer["refresh_token"] = token.into();
        if settings.tells_refresh_end {
            answer["refresh_token_expires_in"] = seconds.saturating_sub(1).into();
        }
        answer
    }
}

fn after(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

fn token_required() -> Reply {
    Reply::json(
        &json!({"error": {"code": 499, "message": "Token Required", "messageCode": "GWM_0003",
                                  "details": ["Token Required"]}}),
    )
}

fn invalid(text: &str) -> Reply {
    refused(400, "invalid_request", text)
}

/// The token endpoint's own shape: OAuth words inside an object.
fn refused(code: i64, word: &str, text: &str) -> Reply {
    Reply::json(
        &json!({"error": {"code": code, "error": word, "error_description": text,
                                  "message": text, "details": []}}),
    )
}
