//! Uploads in one request and in fragments; downloads whole and in part.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Caller, location, read};
use crate::support::graph::{Account, FakeGraph, Host};

const UNIT: usize = 320 * 1024;

pub(super) async fn begin(caller: &Caller, path: &str, conflict: &str) -> (u16, Value) {
    let name = path.rsplit('/').next();
    let body = json!({ "item": { "@microsoft.graph.conflictBehavior": conflict, "name": name } });
    let path = format!("root:/{path}:/createUploadSession");
    read(caller.ask(Method::POST, &path).body(body.to_string())).await
}

/// `length` bytes from `first` on.
pub(super) async fn fragment(
    caller: &Caller,
    url: &Value,
    (first, length, total): (usize, usize, usize),
) -> (u16, Value) {
    let range = format!("bytes {first}-{}/{total}", first + length - 1);
    let request = caller.client.put(url.as_str().unwrap());
    let content = vec![b'x'; length];
    read(request.header("content-range", range).body(content)).await
}

fn detail(error: &Value) -> &str {
    let inner = &error["error"]["innerError"]["code"];
    inner.as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_small_file_takes_one_request_and_minds_who_was_there() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    let on = |conflict: &str| {
        let path =
            format!("root:/New/B/c.txt:/content?@microsoft.graph.conflictBehavior={conflict}");
        read(caller.ask(Method::PUT, &path).body(conflict.to_owned()))
    };
    assert_eq!(caller.put("New/B/c.txt", "").await.0, 201);
    let (status, item) = on("replace").await;
    assert_eq!((status, &item["size"]), (200, &json!(7)));
    let (status, error) = on("fail").await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (409, &json!("nameAlreadyExists"))
    );
    let (status, item) = on("rename").await;
    assert_eq!((status, &item["name"]), (201, &json!("c 1.txt")));
    assert_eq!(on("ask").await.0, 400);
    assert_eq!(caller.put("new/b", "1").await.0, 409, "a folder is there");
    assert_eq!(caller.put("new/b/C.TXT/d", "1").await.0, 400);
    assert_eq!(caller.put("NEW/b/C.TXT", "1").await.0, 200);
    let files = graph.files();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["New/B/c 1.txt", "New/B/c.txt"]
    );
    assert_eq!(files["New/B/c.txt"], b"1");
    let stale = caller.ask(Method::PUT, "root:/new/b/c.txt:/content");
    assert_eq!(read(stale.header("if-match", "\"old\"")).await.0, 412);
}

#[tokio::test]
async fn too_long_a_content_is_refused_before_it_is_sent() {
    let graph = FakeGraph::start(Account::Work);
    let address = graph.graph_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "PUT /v1.0/me/drive/root:/a:/content HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {}\r\nContent-Length: 250000001\r\n\r\n",
        graph.access_token()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(graph.requests()[0].body_len, 250_000_001);
}

#[tokio::test]
async fn fragments_come_in_order_in_units_and_without_a_token() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    let (status, session) = begin(&caller, "big/a.bin", "replace").await;
    assert_eq!(
        (status, &session["nextExpectedRanges"]),
        (200, &json!(["0-"]))
    );
    let url = &session["uploadUrl"];
    assert!(url.as_str().unwrap().starts_with(&graph.storage_url()));
    let total = 2 * UNIT + 5;
    let send = |first, length| fragment(&caller, url, (first, length, total));
    assert_eq!(send(0, UNIT + 1).await.0, 400, "no multiple of 320 KiB");
    let (status, error) = send(UNIT, UNIT).await;
    assert_eq!((status, detail(&error)), (416, "fragmentOutOfOrder"));
    let (status, progress) = send(0, UNIT).await;
    assert_eq!(
        (status, &progress["nextExpectedRanges"]),
        (202, &json!(["327680-"]))
    );
    let (status, error) = send(0, UNIT).await;
    assert_eq!((status, detail(&error)), (416, "fragmentOverlap"));
    assert_eq!(fragment(&caller, url, (UNIT, UNIT, total + 1)).await.0, 400);
    let longest = 60 * 1024 * 1024 + UNIT;
    let (status, error) = fragment(&caller, url, (UNIT, longest, 2 * longest)).await;
    assert_eq!((status, detail(&error)), (400, "maxFragmentLengthExceeded"));
    let url = url.as_str().unwrap();
    assert_eq!(read(caller.ask(Method::PUT, url)).await.0, 401);
    assert_eq!(graph.violations().len(), 1);
    let unsigned = url.split('?').next().unwrap();
    assert_eq!(read(caller.client.get(unsigned)).await.0, 401);
    let (status, progress) = read(caller.client.get(url)).await;
    assert_eq!(
        (status, &progress["nextExpectedRanges"]),
        (200, &json!(["327680-"]))
    );
    assert!(graph.files().is_empty() && graph.open_sessions() == 1);
    assert_eq!(send(UNIT, UNIT).await.0, 202);
    let (status, item) = send(2 * UNIT, 5).await;
    assert_eq!((status, &item["size"]), (201, &json!(total)));
    assert_eq!(graph.files()["big/a.bin"], vec![b'x'; total]);
    assert_eq!(graph.open_sessions(), 0);
    assert_eq!(send(2 * UNIT, 5).await.0, 404, "a finished session is gone");
    assert!(
        graph
            .requests()
            .iter()
            .any(|seen| seen.host == Host::Storage && seen.status == 202)
    );
}

#[tokio::test]
async fn a_session_ends_by_its_last_fragment_or_by_being_cancelled() {
    let graph = FakeGraph::start(Account::Personal);
    let caller = Caller::of(&graph);
    let (_, late) = begin(&caller, "a.bin", "fail").await;
    let (_, session) = begin(&caller, "a.bin", "replace").await;
    assert_eq!(
        fragment(&caller, &session["uploadUrl"], (0, 9, 9)).await.0,
        201
    );
    let (_, session) = begin(&caller, "A.BIN", "replace").await;
    assert_eq!(
        fragment(&caller, &session["uploadUrl"], (0, 8, 8)).await.0,
        200
    );
    assert_eq!(begin(&caller, "a.bin", "fail").await.0, 409);
    assert_eq!(
        fragment(&caller, &late["uploadUrl"], (0, 9, 9)).await.0,
        409
    );
    assert_eq!(graph.open_sessions(), 1, "a conflict leaves the session");
    let url = late["uploadUrl"].as_str().unwrap();
    assert_eq!(read(caller.client.delete(url)).await.0, 204);
    assert_eq!(read(caller.client.get(url)).await.0, 404);
    assert_eq!(graph.open_sessions(), 0);
    assert_eq!(graph.size("a.bin"), Some(8));
    let misnamed = caller
        .ask(Method::POST, "root:/a.bin:/createUploadSession")
        .body(r#"{ "item": { "name": "b.bin" } }"#);
    assert_eq!(read(misnamed).await.0, 400);
}

#[tokio::test]
async fn a_discarded_content_keeps_its_length_and_hash() {
    let graph = FakeGraph::start(Account::Work);
    graph.put("kept.bin", &vec![b'x'; UNIT + 1]);
    graph.edit(|settings| settings.discard_content = true);
    let caller = Caller::of(&graph);
    let (_, session) = begin(&caller, "gone.bin", "replace").await;
    let url = &session["uploadUrl"];
    assert_eq!(fragment(&caller, url, (0, UNIT, UNIT + 1)).await.0, 202);
    assert_eq!(fragment(&caller, url, (UNIT, 1, UNIT + 1)).await.0, 201);
    assert_eq!(graph.size("gone.bin"), Some(327_681));
    assert_eq!(graph.sha256("gone.bin"), graph.sha256("kept.bin"));
    assert!(graph.files()["gone.bin"].is_empty());
}

#[tokio::test]
async fn a_download_is_elsewhere_and_may_be_in_part() {
    let graph = FakeGraph::start(Account::Work);
    graph.put("a.txt", b"0123456789");
    graph.put("empty.txt", b"");
    let caller = Caller::of(&graph);
    let at = |path: &str| {
        caller
            .ask(Method::GET, &format!("root:/{path}:/content"))
            .send()
    };
    let sent_on = at("a.txt").await.unwrap();
    assert_eq!(sent_on.status(), 302);
    let url = location(&sent_on);
    assert!(url.starts_with(&graph.storage_url()));
    for (range, status, text) in [
        ("bytes=0-", 206, "0123456789"),
        ("bytes=2-4", 206, "234"),
        ("bytes=-3", 206, "789"),
        ("bytes=8-99", 206, "89"),
    ] {
        let answer = caller
            .client
            .get(&url)
            .header("range", range)
            .send()
            .await
            .unwrap();
        assert_eq!(
            (
                answer.status().as_u16(),
                answer.text().await.unwrap().as_str()
            ),
            (status, text)
        );
    }
    let whole = caller.client.get(&url).send().await.unwrap();
    assert_eq!(whole.text().await.unwrap(), "0123456789");
    assert_eq!(caller.get(&url).await.0, 401, "the URL is the permission");
    let beyond = caller.client.get(&url).header("range", "bytes=10-");
    assert_eq!(read(beyond).await.0, 416);
    let empty = location(&at("empty.txt").await.unwrap());
    let answer = caller.client.get(&empty).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.content_length()),
        (200, Some(0))
    );
    assert_eq!(at("none.txt").await.unwrap().status(), 404);
}
