//! The token endpoint, with the refusals of Entra.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::call::Call;
use super::reply::{Answer, Reply};
use super::state::{Account, State, now};

pub const CLIENT_ID: &str = "11111111-aaaa-4bbb-8ccc-222222222222";
pub const CLIENT_SECRET: &str = "s8Q~client-secret_of.the-fake";

/// A path's `{tenant}`, and the fields of the form.
type Form = BTreeMap<String, String>;

#[derive(Clone, Copy, Debug)]
struct Access {
    until: Instant,
    app_only: bool,
}

#[derive(Debug, Default)]
pub struct Tokens {
    access: BTreeMap<String, Access>,
    /// The newest is the last.
    refresh: Vec<String>,
    gone: Vec<String>,
}

impl Tokens {
    pub fn void_access(&mut self) {
        let void = std::mem::take(&mut self.access);
        self.gone.extend(void.into_keys());
    }

    pub fn newest_refresh(&self) -> Option<&String> {
        self.refresh.last()
    }

    /// Whether the token is an app's own, or why it is refused.
    pub fn check(&self, bearer: Option<&str>) -> Result<bool, Reply> {
        let Some(token) = bearer.filter(|token| !token.is_empty()) else {
            return Err(Reply::unauthorized("Access token is empty."));
        };
        match self.access.get(token) {
            Some(access) if access.until > Instant::now() => Ok(access.app_only),
            Some(_) => Err(Reply::unauthorized(
                "Lifetime validation failed, the token is expired.",
            )),
            None => Err(Reply::unauthorized("CompactToken validation failed.")),
        }
    }

    /// Every token ever given out.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        let tokens = self.access.keys().chain(&self.refresh).chain(&self.gone);
        tokens.map(String::as_str)
    }
}

impl State {
    pub fn new_refresh_token(&mut self) -> String {
        let token = format!("0.refresh-{}", self.secret());
        self.tokens.refresh.push(token.clone());
        token
    }

    pub fn new_access_token(&mut self, app_only: bool) -> String {
        let token = format!("eyJ-access-{}", self.secret());
        let lifetime = Duration::from_secs(self.settings.token_lifetime_seconds);
        let until = Instant::now() + lifetime;
        let access = Access { until, app_only };
        self.tokens.access.insert(token.clone(), access);
        token
    }
}

pub fn token(state: &mut State, call: &Call) -> Answer {
    let tenant = call.path.split('/').nth(1).unwrap_or_default();
    let form = call.form();
    let field = |name: &str| {
        form.get(name)
            .map(String::as_str)
            .filter(|it| !it.is_empty())
    };
    let Some(grant) = field("grant_type") else {
        return Err(missing("grant_type"));
    };
    match field("client_id") {
        None => return Err(missing("client_id")),
        Some(CLIENT_ID) => {}
        Some(_) => {
            let text = "Application was not found in the directory.";
            return Err(refused(400, "unauthorized_client", 700_016, text));
        }
    }
    if field("client_secret").is_some_and(|secret| secret != CLIENT_SECRET) {
        let text = "Invalid client secret provided.";
        return Err(refused(401, "invalid_client", 7_000_215, text));
    }
    check_tenant(state, tenant)?;
    match grant {
        "refresh_token" => refresh(state, tenant, &form),
        "client_credentials" => app(state, tenant, &form),
        _ => {
            let text = "The app requested an unsupported grant type.";
            Err(refused(400, "unsupported_grant_type", 70_003, text))
        }
    }
}

fn check_tenant(state: &State, tenant: &str) -> Result<(), Reply> {
    match tenant {
        "common" | "organizations" if state.settings.single_tenant => {
            let text = "The application is not configured as a multi-tenant application. Usage of \
                        the /common endpoint is not supported for such apps.";
            Err(refused(400, "invalid_request", 50_194, text))
        }
        "common" | "consumers" | "organizations" => Ok(()),
        tenant if tenant.eq_ignore_ascii_case(state.places.tenant()) => Ok(()),
        _ => {
            let text = "The tenant was not found.";
            Err(refused(400, "invalid_request", 90_002, text))
        }
    }
}

fn refresh(state: &mut State, tenant: &str, form: &Form) -> Answer {
    let Some(given) = form.get("refresh_token").filter(|it| !it.is_empty()) else {
        return Err(missing("refresh_token"));
    };
    if let Some(scope) = form.get("scope") {
        check_scope(scope)?;
    }
    let elsewhere = match state.places.account {
        Account::Personal => "organizations",
        Account::Work => "consumers",
    };
    if tenant == elsewhere {
        let text = "The user account does not exist in this tenant.";
        return Err(refused(400, "invalid_grant", 50_020, text));
    }
    if state.tokens.gone.contains(given) {
        let text = "The refresh token has expired due to inactivity.";
        return Err(refused(400, "invalid_grant", 700_082, text));
    }
    if !state.tokens.refresh.contains(given) {
        let text = "The provided authorization code or refresh token has expired.";
        return Err(refused(400, "invalid_grant", 70_008, text));
    }
    if state.settings.app_only {
        let text = "The user or administrator has not consented to use the application.";
        return Err(refused(400, "invalid_grant", 65_001, text));
    }
    let next = if state.settings.rotate_refresh_token {
        state.new_refresh_token()
    } else {
        given.clone()
    };
    if state.settings.revoke_old_refresh_token && next != *given {
        state.tokens.refresh.retain(|token| token != given);
        state.tokens.gone.push(given.clone());
    }
    let mut answer = granted(state, false);
    answer["scope"] = "Files.ReadWrite User.Read".into();
    answer["refresh_token"] = next.into();
    Ok(Reply::json(200, &answer))
}

/// An app as itself; it has no refresh token and no scopes.
fn app(state: &mut State, tenant: &str, form: &Form) -> Answer {
    if ["common", "consumers", "organizations"].contains(&tenant) {
        let text = "No tenant-identifying information found in the request.";
        return Err(refused(400, "invalid_request", 50_059, text));
    }
    if state.places.account == Account::Personal {
        let text = "The application is not supported for this tenant.";
        return Err(refused(400, "unauthorized_client", 700_016, text));
    }
    if form.get("client_secret").is_none_or(String::is_empty) {
        let text = "'client_assertion' or 'client_secret' is required for 'client_credentials'.";
        return Err(refused(401, "invalid_client", 7_000_216, text));
    }
    let Some(scope) = form.get("scope") else {
        return Err(missing("scope"));
    };
    if !scope.ends_with("/.default") || scope.contains(' ') {
        let text = "Client credential flows must have a scope value with /.default.";
        return Err(refused(400, "invalid_scope", 1_002_012, text));
    }
    let answer = granted(state, true);
    Ok(Reply::json(200, &answer))
}

fn granted(state: &mut State, app_only: bool) -> Value {
    let seconds = state.settings.token_lifetime_seconds;
    json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": state.new_access_token(app_only),
    })
}

fn check_scope(scope: &str) -> Result<(), Reply> {
    let known = |scope: &str| {
        let name = scope
            .strip_prefix("https://graph.microsoft.com/")
            .unwrap_or(scope);
        ["offline_access", "openid", "profile", "email", ".default"].contains(&name)
            || ["Files.", "Sites.", "User."]
                .iter()
                .any(|kind| name.starts_with(kind))
    };
    if scope.split_whitespace().all(known) {
        return Ok(());
    }
    let text = "The provided value for the input parameter 'scope' is not valid.";
    Err(refused(400, "invalid_scope", 70_011, text))
}

fn missing(parameter: &str) -> Reply {
    let text = format!("The request body must contain the following parameter: '{parameter}'.");
    refused(400, "invalid_request", 900_144, &text)
}

fn refused(status: u16, error: &str, code: u32, text: &str) -> Reply {
    let trace = "0e3a5f0c-6f1b-4f0e-9d3e-6a1c7a9b1d00";
    let answer = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: {text} Trace ID: {trace}"),
        "error_codes": [code],
        "timestamp": now(),
        "trace_id": trace,
        "correlation_id": trace,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    Reply::json(status, &answer)
}
