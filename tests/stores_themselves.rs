//! The stores and the proxy of the tests are held to what they are said to do, or the other tests would prove
//! nothing.

mod faults;

use std::collections::BTreeMap;

use opendal::{ErrorKind, Operator, services};

use crate::support::aside::wait_for;
use crate::support::azurite::{self, AzureContainer, Azurite};
use crate::support::moto::Moto;
use crate::support::proxy::Proxy;
use crate::support::s3::{self, S3Server};
use crate::support::stranger::operator;

/// A part of a multipart upload, the smallest that is allowed before the last.
const PART: usize = 5 << 20;
/// Needs escaping in an address, and in what is signed.
const PATH: &str = "items/Straßen & Wege (1)+.json";

/// No two megabytes are alike.
fn bytes(length: usize) -> Vec<u8> {
    let words = (0_u32..).flat_map(|word| word.wrapping_mul(2_654_435_761).to_le_bytes());
    words.take(length).collect()
}

fn s3_operator(url: &str) -> Operator {
    operator(s3::client_of(url, s3::SECRET_KEY))
}

fn azure_operator(container: &AzureContainer, endpoint: &str) -> Operator {
    let client = container.client_of(endpoint);
    operator(client.account_key(azurite::KEY))
}

/// Writes in one request and in parts, reads back, lists, stats and removes.
fn assert_keeps(operator: &Operator, files: impl Fn() -> BTreeMap<String, Vec<u8>>) {
    let (small, large) = (bytes(1000), bytes(2 * PART + 1));
    wait_for(async {
        operator.write(PATH, small.clone()).await.unwrap();
        let parts = operator.writer_with("parts").chunk(PART).concurrent(2);
        let mut writer = parts.await.unwrap();
        writer.write(large.clone()).await.unwrap();
        writer.close().await.unwrap();
        let stat = operator.stat("parts").await.unwrap();
        assert_eq!(stat.content_length(), large.len() as u64);
        assert_eq!(operator.read("parts").await.unwrap().to_vec(), large);
        let missing = operator.stat("nothing").await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    });
    let expected = [(PATH.to_owned(), small), ("parts".to_owned(), large)];
    assert!(files() == BTreeMap::from(expected), "byte for byte");
    wait_for(operator.delete("parts")).unwrap();
    assert_eq!(files().into_keys().collect::<Vec<_>>(), [PATH]);
}

fn assert_refused(operator: &Operator) {
    let refused = wait_for(operator.write("file", "text")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{refused}");
}

#[test]
fn s3_keeps_what_it_is_given() {
    let store = S3Server::start();
    assert_keeps(&s3_operator(&store.url()), || store.files());
    assert_eq!(store.pending_uploads(), 0);
}

#[test]
fn azurite_keeps_what_it_is_given() {
    let container = Azurite::container();
    let operator = azure_operator(&container, container.endpoint());
    assert_keeps(&operator, || container.files());
}

#[test]
fn moto_keeps_what_it_is_given() {
    let bucket = Moto::bucket();
    let operator = operator(bucket.client_of(bucket.url()));
    assert_keeps(&operator, || bucket.files());
    assert_eq!(bucket.pending_uploads(), 0);
}

#[test]
fn signatures_are_accepted_through_the_proxy() {
    let store = S3Server::start();
    let proxy = Proxy::to(&store.url());
    assert_keeps(&s3_operator(&proxy.url()), || store.files());
    let parts = proxy.count(|passed| passed.path.contains("partNumber="));
    assert_eq!(parts, 3, "{:#?}", proxy.requests());

    let container = Azurite::container();
    let proxy = Proxy::to(container.endpoint());
    let operator = azure_operator(&container, &proxy.url());
    assert_keeps(&operator, || container.files());
    let blocks = proxy.count(|passed| passed.path.contains("comp=block&"));
    assert_eq!(blocks, 3, "{:#?}", proxy.requests());
}

#[test]
fn a_wrong_key_is_refused() {
    let store = S3Server::start();
    assert_refused(&operator(s3::client_of(&store.url(), "another secret")));
    assert!(store.files().is_empty());

    let container = Azurite::container();
    let client = container.client_of(container.endpoint());
    let another = "YW5vdGhlciBzZWNyZXQ=";
    assert_refused(&operator(client.account_key(another)));
    assert!(container.files().is_empty());
}

#[test]
fn a_container_sas_opens_its_container_and_no_other() {
    let (container, other) = (Azurite::container(), Azurite::container());
    let sas = container.container_sas();
    let with_sas = |container: &AzureContainer| {
        let client = container.client_of(container.endpoint());
        operator(client.sas_token(&sas))
    };
    assert_keeps(&with_sas(&container), || container.files());
    assert_refused(&with_sas(&other));
    assert!(other.files().is_empty());
}

#[test]
fn a_connection_string_is_enough_for_azure() {
    let container = Azurite::container();
    let client = services::Azblob::from_connection_string(&container.connection_string());
    let operator = operator(client.unwrap().container(container.name()));
    assert_keeps(&operator, || container.files());
}

#[test]
fn a_stranger_may_change_a_store() {
    let store = S3Server::start();
    store.put("a/b", "text");
    assert_eq!(store.files()["a/b"], b"text");
    store.remove("a/b");
    assert!(store.files().is_empty());

    let container = Azurite::container();
    container.put("a/b", "text");
    assert_eq!(container.files()["a/b"], b"text");
    container.remove("a/b");
    assert!(container.files().is_empty());

    let bucket = Moto::bucket();
    bucket.put("a/b", "text");
    assert_eq!(bucket.files()["a/b"], b"text");
    bucket.remove("a/b");
    assert!(bucket.files().is_empty());
}

#[test]
fn a_pending_upload_is_counted_until_it_is_aborted() {
    let store = S3Server::start();
    assert_counts_pending(&s3_operator(&store.url()), || store.pending_uploads());
    assert!(store.files().is_empty());

    let (bucket, other) = (Moto::bucket(), Moto::bucket());
    let operator = operator(bucket.client_of(bucket.url()));
    assert_counts_pending(&operator, || {
        assert_eq!(other.pending_uploads(), 0);
        bucket.pending_uploads()
    });
    assert!(bucket.files().is_empty());
}

fn assert_counts_pending(operator: &Operator, pending: impl Fn() -> usize + Sync) {
    assert_eq!(pending(), 0);
    wait_for(async {
        let mut writer = operator.writer_with("parts").chunk(PART).await.unwrap();
        writer.write(bytes(2 * PART + 1)).await.unwrap();
        assert_eq!(pending(), 1);
        writer.abort().await.unwrap();
    });
    assert_eq!(pending(), 0);
}
