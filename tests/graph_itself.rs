//! The fake Graph is held to what the documents say, or the tests of the archive would prove
//! nothing.

mod bytes_in_and_out;
mod sign_in;
mod trouble;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::{Value, json};

use crate::support::graph::{Account, FakeGraph};

/// A client as plain as can be, signed in, who follows nothing by itself.
struct Caller {
    client: Client,
    drive: String,
    token: String,
}

impl Caller {
    fn of(graph: &FakeGraph) -> Self {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build();
        Self {
            client: client.unwrap(),
            drive: format!("{}/v1.0/drives/{}", graph.graph_url(), graph.drive_id()),
            token: graph.access_token(),
        }
    }

    /// Below the drive, or any whole URL.
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.drive)
        };
        self.client.request(method, url).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.ask(Method::GET, path)).await
    }

    async fn put(&self, path: &str, content: &'static str) -> (u16, Value) {
        let path = format!("root:/{path}:/content");
        read(self.ask(Method::PUT, &path).body(content)).await
    }
}

async fn read(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn location(answer: &Response) -> String {
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_item_looks_as_its_account_writes_it() {
    let work = FakeGraph::start(Account::Work);
    work.put("A b/ä#.json", b"{}");
    work.put("top.txt", b"1");
    let caller = Caller::of(&work);
    let (status, item) = caller.get("root:/a%20B/%C3%84%23.JSON").await;
    assert_eq!(status, 200, "names compare without case: {item}");
    assert_eq!(item["name"], "ä#.json");
    assert_eq!(item["size"], 2);
    assert_eq!(item["file"]["mimeType"], "application/json");
    let path = format!("/drives/{}/root:/A b", work.drive_id());
    assert_eq!(item["parentReference"]["path"], path.as_str());
    assert_eq!(item["parentReference"]["driveType"], "business");
    assert!(item["eTag"].is_string());
    let (_, folder) = caller.get("root:/A%20b?$select=name,folder").await;
    assert_eq!(
        folder,
        json!({ "name": "A b", "folder": { "childCount": 1 } })
    );
    let (_, bare) = caller.get("root:/top.txt").await;
    assert!(bare["eTag"].is_null() && bare["parentReference"]["path"].is_null());
    let (status, _) = caller.get("root?$select=surname").await;
    assert_eq!(status, 400);

    let personal = FakeGraph::start(Account::Personal);
    personal.put("A b/c.txt", b"1");
    let caller = Caller::of(&personal);
    let (_, item) = caller.get("root:/A%20b/c.txt").await;
    assert_eq!(item["parentReference"]["path"], "/drive/root:/A%20b");
    let (_, folder) = caller.get("root:/A%20b").await;
    assert_eq!(folder["parentReference"]["path"], "/drive/root:");
    assert!(folder["eTag"].is_string());
}

#[tokio::test]
async fn a_listing_comes_in_pages_and_a_work_drive_goes_on_by_ids() {
    for account in [Account::Work, Account::Personal] {
        let graph = FakeGraph::start(account);
        for number in 0..5 {
            graph.put(&format!("all/{number}.txt"), b"1");
        }
        graph.put("all/deeper/6.txt", b"1");
        graph.put_package("all/Notes");
        graph.edit(|settings| settings.page_size = 3);
        let caller = Caller::of(&graph);
        let mut next = "root:/ALL:/children?$select=name,file,folder&$top=100".to_owned();
        let mut names = Vec::new();
        let mut pages = 0;
        loop {
            let (status, page) = caller.get(&next).await;
            assert_eq!(status, 200, "{page}");
            let items = page["value"].as_array().unwrap();
            names.extend(items.iter().map(|item| item["name"].clone()));
            pages += 1;
            match page["@odata.nextLink"].as_str() {
                Some(link) => link.clone_into(&mut next),
                None => break,
            }
            assert!(next.starts_with(&graph.graph_url()));
            assert_eq!(next.contains("/items/"), account == Account::Work);
        }
        let all = [
            "0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "deeper", "Notes",
        ];
        assert_eq!(names, all);
        assert_eq!((pages, graph.count("children")), (3, 3));
        let (status, _) = caller.get("root:/none:/children").await;
        assert_eq!(status, 404);
        let (status, _) = caller.get("root:/all:/children?$skiptoken=1").await;
        assert_eq!(status, 400);
    }
}

#[tokio::test]
async fn a_drive_has_several_addresses() {
    let graph = FakeGraph::start(Account::Work);
    graph.put("a/b.txt", b"1");
    let caller = Caller::of(&graph);
    let (_, item) = caller.get("root:/a/b.txt").await;
    let by_id = format!("items/{}", item["id"].as_str().unwrap());
    assert_eq!(caller.get(&by_id).await.1, item);
    let base = format!("{}/v1.0", graph.graph_url());
    for owner in [
        "me/drive".to_owned(),
        format!("drives/{}", graph.drive_id().replace('!', "%21")),
        "users/ada@city.example/drive".to_owned(),
        "sites/city.example,1,2/drive".to_owned(),
        "sites/city.example:/teams/maps:/drive".to_owned(),
    ] {
        let (status, drive) = caller.get(&format!("{base}/{owner}")).await;
        assert_eq!(
            (status, drive["id"].as_str()),
            (200, Some(&*graph.drive_id()))
        );
        let (status, _) = caller.get(&format!("{base}/{owner}/root:/a/b.txt")).await;
        assert_eq!(status, 200, "{owner}");
        let (status, _) = caller.get(&format!("{base}/{owner}/root/children")).await;
        assert_eq!(status, 200, "{owner}");
    }
    let (status, _) = caller.get(&format!("{base}/drives/b!other/root")).await;
    assert_eq!(status, 404);
    let (status, error) = caller.get(&format!("{base}/drives")).await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (400, &json!("BadRequest"))
    );
}

#[tokio::test]
async fn forbidden_names_are_refused() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    let long = "x".repeat(256);
    let deep = ["y".repeat(200), "z".repeat(200)].join("/");
    for name in [
        "a%3Ab",
        "a%2Ab",
        "a%22",
        "%3Ca",
        "a%3F",
        "a%7Cb",
        "a%5Cb",
        "%20a",
        "a%20",
        "a.",
        "CON",
        "com1",
        "LPT9",
        ".lock",
        "Desktop.ini",
        "a_vti_b",
        "~$a",
        "a//b",
        "a/",
        &long,
        &deep,
        "nul/a",
    ] {
        let (status, error) = caller.put(name, "1").await;
        assert_eq!(
            (status, &error["error"]["code"]),
            (400, &json!("invalidRequest")),
            "{name}"
        );
        assert!(error["error"]["innerError"].is_object());
    }
    for name in [
        "console",
        "com10",
        "a.lock",
        "%25%20%23+%26%27()!",
        ".hidden",
    ] {
        assert_eq!(caller.put(name, "1").await.0, 201, "{name}");
    }
}

#[tokio::test]
async fn a_folder_is_made_once_and_goes_with_everything_in_it() {
    let graph = FakeGraph::start(Account::Work);
    graph.put("keep/A.txt", b"1");
    let caller = Caller::of(&graph);
    let make = |conflict: &'static str| {
        let body = json!({
            "name": "new", "folder": {}, "@microsoft.graph.conflictBehavior": conflict,
        });
        read(
            caller
                .ask(Method::POST, "root:/keep:/children")
                .body(body.to_string()),
        )
    };
    assert_eq!(make("fail").await.0, 201);
    assert_eq!(make("fail").await.0, 409);
    assert_eq!(make("replace").await.0, 200);
    assert_eq!(make("rename").await.1["name"], "new 1");
    graph.put("keep/new/deep/b.txt", b"1");
    graph.put("keep/newer.txt", b"1");
    let delete = |path: &'static str| read(caller.ask(Method::DELETE, path));
    assert_eq!(delete("root:/Keep/New").await.0, 204);
    assert_eq!(delete("root:/Keep/New").await.0, 404);
    assert_eq!(graph.recycled(), 1);
    let left: Vec<_> = graph.files().into_keys().collect();
    assert_eq!(left, ["keep/A.txt", "keep/newer.txt"]);
    let (status, _) = read(caller.ask(Method::PATCH, "root:/keep").body("{}")).await;
    assert_eq!((status, graph.count("move")), (501, 1));
}
