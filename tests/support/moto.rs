//! A second opinion on S3: moto, which `tests/run` starts. It checks no signature, but lists pending uploads.

use std::collections::BTreeMap;

use opendal::{Operator, services};

use super::aside::wait_for;
use super::{s3, stranger};

/// The server that all tests share.
pub struct Moto;

/// A bucket of the test's own.
pub struct MotoBucket {
    url: String,
    name: String,
}

impl Moto {
    /// Creates a bucket.
    #[track_caller]
    pub fn bucket() -> MotoBucket {
        let url = stranger::address("AGOL_TEST_MOTO");
        let name = stranger::new_name();
        let create = stranger::client().put(format!("{url}/{name}"));
        wait_for(stranger::accepted(create));
        MotoBucket { url, name }
    }
}

impl MotoBucket {
    /// `http://127.0.0.1:<port>`; the bucket is the first segment of a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn name(&self) -> &str {
        &self.name
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

    /// Multipart uploads that nobody has completed or aborted, as the server lists them.
    pub fn pending_uploads(&self) -> usize {
        let list = stranger::client().get(format!("{}/{}?uploads", self.url, self.name));
        let list = wait_for(async { stranger::accepted(list).await.text().await });
        list.expect("a list").matches("<Upload>").count()
    }

    /// OpenDAL's client for this bucket behind an address.
    pub fn client_of(&self, url: &str) -> services::S3 {
        s3::client_of(url, s3::SECRET_KEY).bucket(&self.name)
    }

    fn operator(&self) -> Operator {
        stranger::operator(self.client_of(&self.url))
    }
}
