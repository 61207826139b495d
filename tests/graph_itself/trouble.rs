//! Faults strike what they name, as often as they say.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use super::bytes_in_and_out::{begin, fragment};
use super::{Caller, location};
use crate::support::graph::{Account, FakeGraph, Fault, FaultKind};

#[tokio::test]
async fn a_fault_lets_some_pass_and_strikes_its_times() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    graph.add_fault(Fault::on("item", FaultKind::Throttle(7)).skip(1).times(2));
    graph.add_fault(Fault::on("item", FaultKind::Busy(3)).skip(3));
    let mut got = Vec::new();
    for _ in 0..5 {
        let answer = caller
            .ask(reqwest::Method::GET, "root")
            .send()
            .await
            .unwrap();
        let wait = answer.headers().get("retry-after");
        let wait = wait.map(|value| value.to_str().unwrap().to_owned());
        got.push((answer.status().as_u16(), wait.unwrap_or_default()));
    }
    let expected = [(200, ""), (429, "7"), (429, "7"), (503, "3"), (200, "")];
    assert_eq!(
        got,
        expected.map(|(status, wait)| (status, wait.to_owned()))
    );
    graph.add_fault(Fault::on("*", FaultKind::Status(403, "accessDenied")).forever());
    let (status, error) = caller.get("root").await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (403, &json!("accessDenied"))
    );
    graph.clear_faults();
    assert_eq!(caller.get("root").await.0, 200);
    assert_eq!(graph.count("item"), 7);
}

#[tokio::test]
async fn one_401_voids_every_token() {
    let graph = FakeGraph::start(Account::Work);
    let mut caller = Caller::of(&graph);
    graph.add_fault(Fault::on("item", FaultKind::Unauthorized));
    for _ in 0..2 {
        let (status, error) = caller.get("root").await;
        assert_eq!(status, 401);
        assert_eq!(error["error"]["code"], "InvalidAuthenticationToken");
    }
    caller.token = graph.access_token();
    assert_eq!(caller.get("root").await.0, 200);
}

#[tokio::test]
async fn a_last_fragment_may_be_accepted_lost_or_too_late() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    let total = 327_680 + 3;
    let (_, session) = begin(&caller, "a", "replace").await;
    let url = &session["uploadUrl"];
    graph.add_fault(Fault::on("fragment", FaultKind::AcceptedOnly));
    assert_eq!(fragment(&caller, url, (0, 327_680, total)).await.0, 202);
    let (status, progress) = fragment(&caller, url, (327_680, 3, total)).await;
    assert_eq!(
        (status, &progress["nextExpectedRanges"]),
        (202, &json!(["327680-"]))
    );
    assert!(graph.files().is_empty() && graph.open_sessions() == 1);
    graph.add_fault(Fault::on("fragment", FaultKind::QuotaFull));
    let (status, error) = fragment(&caller, url, (327_680, 3, total)).await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (507, &json!("quotaLimitReached"))
    );
    graph.add_fault(Fault::on("fragment", FaultKind::SessionGone));
    assert_eq!(fragment(&caller, url, (327_680, 3, total)).await.0, 404);
    assert_eq!(fragment(&caller, url, (327_680, 3, total)).await.0, 404);
    assert_eq!(graph.open_sessions(), 0);
}

#[tokio::test]
async fn a_lost_reply_has_acted_and_a_reset_has_not() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    let put = |path: &str| {
        let path = format!("root:/{path}:/content");
        caller.ask(reqwest::Method::PUT, &path).body("1").send()
    };
    graph.add_fault(Fault::on("content_put", FaultKind::Reset).only("/a:"));
    graph.add_fault(Fault::on("content_put", FaultKind::LoseReply).only("/b:"));
    assert!(put("a").await.is_err());
    assert!(put("b").await.is_err());
    assert_eq!(graph.files().into_keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(graph.requests()[0].status, 0);
    graph.add_fault(Fault::on("content_put", FaultKind::Hang));
    let hung = tokio::time::timeout(Duration::from_millis(100), put("c")).await;
    assert!(hung.is_err());
}

#[tokio::test]
async fn a_truncated_download_breaks_off() {
    let graph = FakeGraph::start(Account::Work);
    graph.put("a.txt", &vec![b'x'; 200_000]);
    let caller = Caller::of(&graph);
    let request = caller.ask(reqwest::Method::GET, "root:/a.txt:/content");
    let url = location(&request.send().await.unwrap());
    graph.add_fault(Fault::on("download", FaultKind::TruncatedDownload));
    let answer = caller.client.get(&url).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(200_000));
    assert!(answer.bytes().await.is_err());
    let whole = caller.client.get(&url).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap().len(), 200_000);
}

#[tokio::test]
async fn requests_at_a_time_are_counted() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    for _ in 0..3 {
        caller.get("root").await;
    }
    assert_eq!(graph.most_in_flight(), 1);
    graph.edit(|settings| settings.latency_ms = 200);
    join_all((0..6).map(|_| caller.get("root"))).await;
    assert_eq!(graph.most_in_flight(), 6);
}
