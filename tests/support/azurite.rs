//! Azure Blob Storage as Azurite plays it, which `tests/run` starts. It checks signatures and SAS tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use opendal::{Operator, services};
use sha2::Sha256;
use url::form_urlencoded::Serializer;

use super::aside::wait_for;
use super::stranger;

/// Every Azurite's only account, and its key: public knowledge.
pub const ACCOUNT: &str = "devstoreaccount1";
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// Newer versions sign one line more.
const VERSION: &str = "2020-10-02";
const NEVER: &str = "2099-01-01T00:00:00Z";

/// The server that all tests share.
pub struct Azurite;

/// A container of the test's own.
pub struct AzureContainer {
    endpoint: String,
    name: String,
}

impl Azurite {
    /// Creates a container.
    #[track_caller]
    pub fn container() -> AzureContainer {
        let container = AzureContainer {
            endpoint: format!("{}/{ACCOUNT}", stranger::address("AGOL_TEST_AZURITE")),
            name: stranger::new_name(),
        };
        let url = format!("{}/{}", container.endpoint, container.name);
        let create = format!("{url}?restype=container&{}", account_sas());
        wait_for(stranger::accepted(stranger::client().put(create)));
        container
    }
}

impl AzureContainer {
    /// `http://127.0.0.1:<port>/devstoreaccount1`
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn connection_string(&self) -> String {
        let endpoint = &self.endpoint;
        format!(
            "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"
        )
    }

    /// A SAS token for everything in this container, and for nothing else: a query without its `?`.
    pub fn container_sas(&self) -> String {
        let (may, resource) = ("racwdl", "c");
        let place = format!("/blob/{ACCOUNT}/{}", self.name);
        // Start, identifier, addresses and protocol lie between; snapshot and five headers end it.
        let text = format!("{may}\n\n{NEVER}\n{place}\n\n\n\n{VERSION}\n{resource}\n\n\n\n\n\n");
        token(&[("sr", resource), ("sp", may)], &text)
    }

    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        stranger::files(&self.operator())
    }

    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        stranger::put(&self.operator(), path, bytes);
    }

    pub fn remove(&self, path: &str) {
        stranger::remove(&self.operator(), path);
    }

    /// OpenDAL's client for this container behind an endpoint, without credentials.
    pub fn client_of(&self, endpoint: &str) -> services::Azblob {
        services::Azblob::default()
            .endpoint(endpoint)
            .container(&self.name)
            .account_name(ACCOUNT)
    }

    fn operator(&self) -> Operator {
        stranger::operator(self.client_of(&self.endpoint).account_key(KEY))
    }
}

/// May create containers, which OpenDAL cannot.
fn account_sas() -> String {
    let (may, services, kinds) = ("rwdlac", "b", "sco");
    let text = format!("{ACCOUNT}\n{may}\n{services}\n{kinds}\n\n{NEVER}\n\n\n{VERSION}\n");
    token(&[("ss", services), ("srt", kinds), ("sp", may)], &text)
}

fn token(fields: &[(&str, &str)], signed: &str) -> String {
    Serializer::new(String::new())
        .append_pair("sv", VERSION)
        .append_pair("se", NEVER)
        .extend_pairs(fields)
        .append_pair("sig", &signature(signed))
        .finish()
}

fn signature(text: &str) -> String {
    let key = BASE64_STANDARD.decode(KEY).expect("a key in base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}
