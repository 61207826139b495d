//! What `login` needs of the environment, and no more: whatever else is wrong there must not keep a person from
//! signing in.

use std::path::PathBuf;

use url::Url;

use super::Error;
use super::address::portal_address;
use super::authorities;
use super::environment::Environment;
use crate::token_file::TokenFile;

/// Where to sign in, as which application, and where the token goes.
#[derive(Debug)]
pub struct Login {
    /// As in [`super::Config`].
    pub portal: Url,
    /// The OAuth application.
    pub client_id: String,
    /// More certificate authorities, PEM.
    pub authorities: Vec<reqwest::Certificate>,
    /// Where the token goes.
    pub file: TokenFile,
    /// Credentials that a run would not take beside the file.
    pub in_the_way: Vec<&'static str>,
}

impl Login {
    /// From the environment; an argument comes first.
    pub fn from_environment(
        environment: &Environment,
        client_id: Option<&str>,
        file: Option<&std::path::Path>,
    ) -> Result<Self, Error> {
        let plain = |name| environment.value(name, false);
        let set = environment.secret_path("ARCGIS_REFRESH_TOKEN")?;
        let path: PathBuf = file.map(Into::into).or(set).ok_or_else(|| {
            Error::new(
                "ARCGIS_REFRESH_TOKEN_FILE",
                "is missing: set it to the file that the token shall go to, or write --token-file PATH",
            )
        })?;
        // Against a folder that is changed to later, such as a scheduler's.
        let path = std::path::absolute(&path).unwrap_or(path);
        let file = TokenFile::at(&path);
        let given = client_id.map(ToOwned::to_owned);
        let known = || file.read().and_then(|token| token.client_id);
        let client_id = given.or(plain("ARCGIS_CLIENT_ID")?).or_else(known);
        let others = [
            "ARCGIS_API_KEY",
            "ARCGIS_API_KEY_FILE",
            "ARCGIS_REFRESH_TOKEN",
        ];
        let mut in_the_way = Vec::new();
        for name in others {
            in_the_way.extend(plain(name)?.map(|_secret| name));
        }
        let portal = plain("ARCGIS_URL")?;
        Ok(Self {
            portal: portal_address(portal.as_deref().unwrap_or("https://www.arcgis.com"))?,
            client_id: client_id.ok_or_else(|| {
                Error::new(
                    "ARCGIS_CLIENT_ID",
                    "is missing: set it to the client id of your OAuth application, or write --client-id ID; README.md says how to register one",
                )
            })?,
            authorities: authorities::read(plain("ARCGIS_CA_FILE")?.as_deref())?,
            file,
            in_the_way,
        })
    }
}
