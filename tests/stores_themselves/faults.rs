//! Every fault of the proxy does what it says, and the store behind it knows no more than it should.

use std::time::{Duration, Instant};

use opendal::ErrorKind;
use tokio::time::timeout;

use super::{s3_operator, wait_for};
use crate::support::proxy::{Act, Passed, Proxy, Rule};
use crate::support::s3::{BUCKET, S3Server};
use crate::support::stranger::client;

fn statuses(proxy: &Proxy) -> Vec<Option<u16>> {
    let status = |passed: Passed| passed.status;
    proxy.requests().into_iter().map(status).collect()
}

#[test]
fn a_status_is_answered_in_the_store_s_place_as_often_as_asked() {
    let store = S3Server::start();
    let proxy = Proxy::to(&store.url());
    let busy = Act::Status(
        503,
        vec![("retry-after", "7".to_owned())],
        "<Error><Code>SlowDown</Code></Error>".to_owned(),
    );
    proxy.add(Rule::on("PUT", "/two").skip(1).times(2).then(busy));
    let operator = s3_operator(&proxy.url());
    let write = |path: &str| {
        let written = wait_for(operator.write(path, "text"));
        written.map(drop).map_err(|error| error.is_temporary())
    };
    assert_eq!(write("two"), Ok(()));
    assert_eq!(write("one"), Ok(()), "another path");
    store.remove("two");
    assert_eq!(write("two"), Err(true));
    assert_eq!(write("two"), Err(true));
    assert!(!store.files().contains_key("two"));
    assert_eq!(write("two"), Ok(()));
    assert!(store.files().contains_key("two"));
    let seen = [200, 200, 503, 503, 200].map(Some);
    assert_eq!(statuses(&proxy), seen);
    let last = proxy.requests().pop().unwrap();
    assert_eq!((last.method.as_str(), last.body_len), ("PUT", 4));
    assert_eq!(last.path, format!("/{BUCKET}/two"));
}

#[test]
fn a_fault_s_headers_and_body_arrive() {
    let proxy = Proxy::to("http://127.0.0.1:9"); // nobody is there
    let headers = vec![("location", "http://elsewhere.example/".to_owned())];
    proxy.add(
        Rule::on("*", "?here")
            .forever()
            .then(Act::Status(404, headers, "no".to_owned())),
    );
    let answer = wait_for(client().get(format!("{}/a?here=1", proxy.url())).send()).unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["location"], "http://elsewhere.example/");
    assert_eq!(wait_for(answer.text()).unwrap(), "no");
    let answer = wait_for(client().get(proxy.url()).send()).unwrap();
    assert_eq!(answer.status(), 502, "what no rule is for is passed on");
}

#[test]
fn a_lost_reply_is_of_a_request_that_was_done() {
    let store = S3Server::start();
    let proxy = Proxy::to(&store.url());
    proxy.add(Rule::on("PUT", "/file").then(Act::LoseReply));
    let operator = s3_operator(&proxy.url());
    wait_for(operator.write("file", "text")).unwrap_err();
    assert_eq!(store.files()["file"], b"text");
    wait_for(operator.write("file", "again")).unwrap();
    assert_eq!(statuses(&proxy), [None, Some(200)]);
}

#[test]
fn a_reset_never_reaches_the_store() {
    let store = S3Server::start();
    let proxy = Proxy::to(&store.url());
    proxy.add(Rule::on("PUT", "/file").forever().then(Act::Reset));
    let operator = s3_operator(&proxy.url());
    wait_for(operator.write("file", "text")).unwrap_err();
    wait_for(operator.write("file", "text")).unwrap_err();
    assert!(store.files().is_empty());
    assert_eq!(statuses(&proxy), [None, None]);
    proxy.clear_faults();
    wait_for(operator.write("file", "text")).unwrap();
}

#[test]
fn a_hung_request_is_never_answered_and_a_slow_one_late() {
    let store = S3Server::start();
    let proxy = Proxy::to(&store.url());
    let delay = Duration::from_millis(300);
    proxy.add(Rule::on("PUT", "/hung").then(Act::Hang));
    proxy.add(Rule::on("PUT", "/slow").then(Act::Slow(delay)));
    let operator = s3_operator(&proxy.url());
    wait_for(async { timeout(delay, operator.write("hung", "text")).await }).unwrap_err();
    let begun = Instant::now();
    wait_for(operator.write("slow", "text")).unwrap();
    assert!(begun.elapsed() >= delay);
    assert_eq!(store.files().into_keys().collect::<Vec<_>>(), ["slow"]);
}

#[test]
fn a_held_request_is_passed_on_when_it_is_let_go() {
    let store = S3Server::start();
    let proxy = Proxy::to(&store.url());
    proxy.add(Rule::on("PUT", "/file").times(2).then(Act::Hold));
    let operator = s3_operator(&proxy.url());
    std::thread::scope(|scope| {
        let operator = &operator;
        for text in ["text", "again"] {
            let write = scope.spawn(move || wait_for(operator.write("file", text)));
            proxy.wait_until_held();
            assert_ne!(store.files().get("file"), Some(&text.as_bytes().to_vec()));
            wait_for(operator.write("other", text)).unwrap();
            proxy.let_go();
            write.join().unwrap().unwrap();
            assert_eq!(store.files()["file"], text.as_bytes());
        }
    });
    assert_eq!(proxy.most_in_flight(), 2);
}

#[test]
fn a_request_whose_client_dies_while_it_is_held_is_forgotten() {
    let store = S3Server::start();
    let proxy = Proxy::to(&store.url());
    proxy.add(Rule::on("PUT", "/file").then(Act::Hold));
    let operator = s3_operator(&proxy.url());
    let patience = Duration::from_millis(200);
    wait_for(async { timeout(patience, operator.write("file", "text")).await }).unwrap_err();
    proxy.let_go();
    let missing = wait_for(operator.read("file")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}
