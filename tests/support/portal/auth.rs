//! Tokens: how they are asked for, how long they live, and who is turned away.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::call::Call;
use super::catalogue::{API_KEY, CLIENT_ID, LOGIN_CODE, REFRESH_TOKEN, Settings, USER};
use super::reply::{Answer, Reply};

#[derive(Debug)]
pub struct Auth {
    access: BTreeMap<String, Instant>,
    refresh: BTreeMap<String, Instant>,
    issued: usize,
    rotated: usize,
    key_revoked: bool,
}

impl Auth {
    pub fn new(settings: &Settings) -> Self {
        let mut auth = Self {
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            issued: 0,
            rotated: 1,
            key_revoked: false,
        };
        auth.refresh.insert(
            REFRESH_TOKEN.to_owned(),
            after(settings.refresh_token_seconds),
        );
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
        if call.param("redirect_uri").is_none() {
            return Err(refused(
                400,
                "invalid_request",
                "redirect_uri not specified",
            ));
        }
        if settings.rotation_kills_old {
            self.refresh.remove(&old);
        }
        Ok(Reply::json(&self.grant_with_refresh(settings)))
    }

    fn redeem(&mut self, call: &Call, settings: &Settings) -> Answer {
        if call.param("code") != Some(LOGIN_CODE) || call.param("redirect_uri").is_none() {
            return Err(refused(400, "invalid_request", "Invalid code"));
        }
        if call
            .param("code_verifier")
            .is_none_or(|verifier| verifier.len() < 43)
        {
            return Err(refused(400, "invalid_request", "Invalid code_verifier"));
        }
        Ok(Reply::json(&self.grant_with_refresh(settings)))
    }

    fn known_refresh(&self, call: &Call) -> Result<String, Reply> {
        let token = call.param("refresh_token").unwrap_or_default();
        match self.refresh.get(token) {
            Some(end) if *end > Instant::now() => Ok(token.to_owned()),
            Some(_) => Err(refused(498, "invalid_request", "refresh_token expired")),
            None => Err(refused(498, "invalid_request", "Invalid refresh_token")),
        }
    }

    fn grant(&mut self, settings: &Settings) -> Value {
        self.issued += 1;
        let token = format!("access-secret-{}", self.issued);
        self.access
            .insert(token.clone(), after(settings.access_token_seconds));
        json!({"access_token": token, "expires_in": settings.access_token_seconds, "username": USER, "ssl": true})
    }

    fn grant_with_refresh(&mut self, settings: &Settings) -> Value {
        self.rotated += 1;
        let token = format!("refresh-secret-{}", self.rotated);
        self.refresh
            .insert(token.clone(), after(settings.refresh_token_seconds));
        let mut answer = self.grant(settings);
        answer["refresh_token"] = token.into();
        answer["refresh_token_expires_in"] =
            settings.refresh_token_seconds.saturating_sub(1).into();
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

/// The token endpoint's own shape: OAuth words inside an object.
fn refused(code: i64, word: &str, text: &str) -> Reply {
    Reply::json(
        &json!({"error": {"code": code, "error": word, "error_description": text,
                                  "message": text, "details": []}}),
    )
}
