//! Somebody else's hand in a store: looks at it and changes it past the program, with a client of its own.

use std::collections::BTreeMap;

use opendal::{Builder, HttpTransporter, Operator, options::ListOptions};
use opendal_http_transport_reqwest::ReqwestTransport;
use reqwest::{Client, Response};

use super::aside::wait_for;

/// A name for a bucket or a container that nobody else has.
pub fn new_name() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_nanos();
    format!("backups-{}-{now}", std::process::id())
}

/// Stores are on loopback: a proxy of the environment is not for them.
pub fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

/// A call that must succeed.
pub async fn accepted(request: reqwest::RequestBuilder) -> Response {
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    if status.is_success() {
        return answer;
    }
    panic!("{status}: {}", answer.text().await.unwrap_or_default());
}

pub fn operator(service: impl Builder) -> Operator {
    let operator = Operator::new(service).expect("a complete configuration");
    let transport = HttpTransporter::new(ReqwestTransport::new(client()));
    let context = operator.context().with_http_transport(transport);
    operator.with_context(context)
}

/// All files with their bytes.
#[track_caller]
pub fn files(operator: &Operator) -> BTreeMap<String, Vec<u8>> {
    wait_for(async {
        let all = ListOptions {
            recursive: true,
            ..ListOptions::default()
        };
        let entries = operator.list_options("", all).await.expect("a list");
        let mut files = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.metadata().is_file()) {
            let bytes = operator.read(entry.path()).await.expect("a listed file");
            files.insert(entry.path().to_owned(), bytes.to_vec());
        }
        files
    })
}

#[track_caller]
pub fn put(operator: &Operator, path: &str, bytes: impl Into<Vec<u8>>) {
    wait_for(operator.write(path, bytes.into())).expect("a store that takes files");
}

#[track_caller]
pub fn remove(operator: &Operator, path: &str) {
    wait_for(operator.delete(path)).expect("a store that lets files go");
}

/// Where a server listens that the tests share.
#[track_caller]
pub fn address(variable: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "tests/run says it this way")]
    let address = std::env::var(variable);
    address.unwrap_or_else(|_| {
        panic!("{variable} is not set: run ./tests/run, which starts the servers that this needs")
    })
}
