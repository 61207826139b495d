//! Signing in: the access token, and who we are with it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use super::call::{Call, below};
use super::error::Error;
use super::reach::Reach;
use super::throttle::Throttle;
use super::token::{Refresh, Source, Tokens};
use super::{Portal, Traffic, features, temporary, wire};
use crate::config::{self, Bounds, Config, Credentials};
use crate::exit::Stop;

/// The signed-in account.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// In its exact spelling; `None` for an application's own key.
    pub username: Option<String>,
    /// The organisation.
    pub org_id: Option<String>,
    /// The organisation, as people call it.
    pub org_name: Option<String>,
    /// Such as `org_admin`; roles of the organisation's own making count as one of the built-in ones.
    pub role: Option<String>,
    /// Such as `portal:user:createItem`; `None` when the portal does not tell.
    pub privileges: Option<Vec<String>>,
}

impl Account {
    /// Everything in the organisation can be seen, whoever owns it.
    pub fn sees_everything(&self) -> Option<bool> {
        self.may("portal:admin:viewItems")
    }

    /// Temporary export items can be made.
    pub fn may_create_items(&self) -> Option<bool> {
        self.may("portal:user:createItem")
    }

    /// An administrator of the organisation, whose privileges need no looking up.
    pub fn is_administrator(&self) -> bool {
        self.role.as_deref() == Some("org_admin")
    }

    fn may(&self, privilege: &str) -> Option<bool> {
        let listed = self.privileges.as_ref();
        let told = listed.map(|all| all.iter().any(|own| own == privilege));
        if self.is_administrator() {
            Some(true)
        } else {
            told
        }
    }
}

/// `portals/self`, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Myself {
    /// Told by every portal, also to strangers.
    #[serde(default)]
    is_portal: Option<bool>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    user: Option<User>,
    /// Tells the privileges of an application's own key.
    #[serde(default)]
    app_info: Value,
}

#[derive(Deserialize)]
struct User {
    username: String,
    // Only told to people: an odd one must not end a sign-in.
    #[serde(default)]
    role: Value,
    #[serde(default)]
    privileges: Value,
}

impl Myself {
    fn account(self) -> Account {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let user = self.user.as_ref();
        let listed = match user {
            Some(user) => user.privileges.as_array(),
            None => self.app_info.get("privileges").and_then(Value::as_array),
        };
        Account {
            org_name: text(&self.name),
            role: user.and_then(|user| text(&user.role)),
            privileges: listed.map(|all| all.iter().filter_map(text).collect()),
            username: self.user.map(|user| user.username),
            org_id: self.id,
        }
    }
}

impl Portal {
    /// A portal to sign in to; contacts nobody.
    pub fn new(config: &Config, traffic: Arc<Traffic>) -> Result<Self, config::Error> {
        let source = match &config.credentials {
            Credentials::ApiKey(key) => Source::ApiKey(key.clone()),
            Credentials::RefreshToken {
                client_id,
                token,
                file,
            } => Source::Refresh(Refresh {
                client_id: client_id.clone(),
                token: token.clone(),
                file: file.clone(),
            }),
        };
        Self::at(
            &config.portal,
            &config.authorities,
            source,
            (config.concurrency, config.bounds),
            traffic,
        )
    }

    pub(super) fn at(
        address: &Url,
        authorities: &[reqwest::Certificate],
        source: Source,
        (concurrency, bounds): (usize, Bounds),
        traffic: Arc<Traffic>,
    ) -> Result<Self, config::Error> {
        Ok(Self {
            address: address.clone(),
            rest: below(address, &["sharing", "rest"]),
            client: wire::client(authorities, bounds, Reach::from(address))?,
            reach: Reach::from(address),
            bounds,
            long_bodies: Semaphore::new(1),
            tokens: Tokens::new(source),
            throttle: Throttle::new(concurrency),
            servers: tokio::sync::Mutex::default(),
            temporary: temporary::Ledger::default(),
            pages: features::PageBudget::new(concurrency),
            account: Account::default(),
            traffic,
        })
    }

    /// Signs in and learns who the account is.
    pub async fn sign_in(mut self) -> Result<Self, Stop> {
        self.account = self
            .who_am_i()
            .await
            .map_err(|error| self.explained(error))?;
        Ok(self)
    }

    async fn who_am_i(&self) -> Result<Account, Error> {
        let call = Call::get("portals/self", below(&self.rest, &["portals", "self"]));
        let document = self.document(&call).await?;
        let myself: Myself = serde_json::from_slice(&document).map_err(|error| {
            Error::Unavailable(format!(
                "portals/self is not what a portal answers: {error}"
            ))
        })?;
        let is_stranger = myself.id.is_none() && myself.user.is_none();
        if is_stranger && myself.is_portal.is_none() {
            let message = "portals/self is not what a portal answers".to_owned();
            return Err(Error::Untrue(message));
        }
        if is_stranger {
            return Err(Error::SignIn(
                "the portal does not know who we are: the credentials belong to no organisation here (check ARCGIS_URL)".to_owned(),
            ));
        }
        Ok(myself.account())
    }

    /// At this point a lasting no means that the address is wrong.
    fn explained(&self, error: Error) -> Error {
        let address = self.address.as_str().trim_end_matches('/');
        match error {
            Error::SignIn(_) => error,
            Error::Refused {
                code: 498 | 499,
                message,
            } => Error::SignIn(format!("{message}: check ARCGIS_URL and the credentials")),
            other => Error::Unavailable(format!(
                "{address} does not answer like a portal: {other}: check ARCGIS_URL"
            )),
        }
    }

    pub(super) async fn access_token(&self) -> Result<String, Error> {
        self.tokens
            .current(async |refresh| self.refreshed(refresh).await)
            .await
    }
}
