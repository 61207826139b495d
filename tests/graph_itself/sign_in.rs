//! Tokens: how they are had, and where they must not go.

use reqwest::{Client, Method};
use serde_json::Value;

use super::{Caller, read};
use crate::support::graph::{Account, FakeGraph};

async fn token(graph: &FakeGraph, tenant: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", graph.login_url());
    read(Client::new().post(url).form(form)).await
}

async fn refresh(graph: &FakeGraph, tenant: &str, refresh_token: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", FakeGraph::CLIENT_ID),
        ("client_secret", ""),
        ("scope", "offline_access Files.ReadWrite"),
        ("refresh_token", refresh_token),
    ];
    token(graph, tenant, &form).await
}

fn code(answer: &(u16, Value)) -> (u16, &str, u64) {
    let (status, body) = answer;
    let error = body["error"].as_str().unwrap_or_default();
    (*status, error, body["error_codes"][0].as_u64().unwrap_or(0))
}

#[tokio::test]
async fn a_refresh_token_gives_another_and_the_old_one_lives_unless_told() {
    let graph = FakeGraph::start(Account::Personal);
    let first = graph.refresh_token();
    let (status, answer) = refresh(&graph, "common", &first).await;
    assert_eq!((status, &answer["token_type"]), (200, &"Bearer".into()));
    assert_eq!(answer["expires_in"], 3600);
    let second = graph.refresh_token();
    assert_eq!(answer["refresh_token"], second.as_str());
    assert_ne!(first, second);
    assert_eq!(refresh(&graph, "consumers", &first).await.0, 200);
    graph.edit(|settings| settings.revoke_old_refresh_token = true);
    assert_eq!(refresh(&graph, &graph.tenant(), &first).await.0, 200);
    let again = refresh(&graph, "common", &first).await;
    assert_eq!(code(&again), (400, "invalid_grant", 700_082));
    let unknown = refresh(&graph, "common", "nobody's").await;
    assert_eq!(code(&unknown), (400, "invalid_grant", 70_008));
    graph.edit(|settings| settings.rotate_refresh_token = false);
    assert_eq!(
        refresh(&graph, "common", &second).await.1["refresh_token"],
        second
    );

    let mut caller = Caller::of(&graph);
    answer["access_token"]
        .as_str()
        .unwrap()
        .clone_into(&mut caller.token);
    assert_eq!(caller.get("root").await.0, 200);
    graph.edit(|settings| settings.token_lifetime_seconds = 0);
    caller.token = graph.access_token();
    let (status, error) = caller.get("root").await;
    assert_eq!(status, 401, "an expired token is refused");
    assert_eq!(error["error"]["code"], "InvalidAuthenticationToken");
    assert_eq!(graph.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_login_refuses_what_entra_refuses() {
    let graph = FakeGraph::start(Account::Work);
    let held = graph.refresh_token();
    let missing = token(&graph, "common", &[("client_id", FakeGraph::CLIENT_ID)]).await;
    assert_eq!(code(&missing), (400, "invalid_request", 900_144));
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", FakeGraph::CLIENT_ID),
        ("client_secret", "wrong"),
        ("refresh_token", &held),
    ];
    let wrong = token(&graph, "common", &form).await;
    assert_eq!(code(&wrong), (401, "invalid_client", 7_000_215));
    assert_eq!(code(&refresh(&graph, "consumers", &held).await).2, 50_020);
    assert_eq!(code(&refresh(&graph, "elsewhere", &held).await).2, 90_002);
    graph.edit(|settings| settings.single_tenant = true);
    let common = refresh(&graph, "common", &held).await;
    assert_eq!(code(&common), (400, "invalid_request", 50_194));
    assert_eq!(refresh(&graph, &graph.tenant(), &held).await.0, 200);
}

#[tokio::test]
async fn an_app_as_itself_is_nobodys_me() {
    let graph = FakeGraph::start(Account::Work);
    let tenant = graph.tenant();
    let form = |scope| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", FakeGraph::CLIENT_ID),
            ("client_secret", FakeGraph::CLIENT_SECRET),
            ("scope", scope),
        ]
    };
    let all = form("https://graph.microsoft.com/.default");
    assert_eq!(code(&token(&graph, "common", &all).await).2, 50_059);
    let narrow = token(&graph, &tenant, &form("Files.ReadWrite")).await;
    assert_eq!(code(&narrow), (400, "invalid_scope", 1_002_012));
    let secretless = token(&graph, &tenant, &[all[0], all[1], all[3]]).await;
    assert_eq!(code(&secretless), (401, "invalid_client", 7_000_216));
    let (status, answer) = token(&graph, &tenant, &all).await;
    assert_eq!(status, 200);
    assert!(answer["refresh_token"].is_null());
    let mut caller = Caller::of(&graph);
    answer["access_token"]
        .as_str()
        .unwrap()
        .clone_into(&mut caller.token);
    assert_eq!(caller.get("root").await.0, 200);
    let me = format!("{}/v1.0/me/drive/root", graph.graph_url());
    assert_eq!(caller.get(&me).await.0, 400);
    graph.edit(|settings| settings.app_only = true);
    let refused = refresh(&graph, &tenant, &graph.refresh_token()).await;
    assert_eq!(code(&refused), (400, "invalid_grant", 65_001));
}

#[tokio::test]
async fn credentials_where_none_belong_are_noted() {
    let graph = FakeGraph::start(Account::Work);
    let caller = Caller::of(&graph);
    let strange = Client::new().get(format!("{}/root", caller.drive));
    let (status, error) = read(strange).await;
    assert_eq!(status, 401);
    assert_eq!(error["error"]["code"], "InvalidAuthenticationToken");
    assert!(graph.violations().is_empty(), "no token is no violation");
    let storage = format!("{}/download/1", graph.storage_url());
    assert_eq!(caller.get(&storage).await.0, 401);
    let login = format!("{}/common/oauth2/v2.0/token", graph.login_url());
    read(caller.ask(Method::POST, &login)).await;
    caller
        .get(&format!("root?t={}", graph.refresh_token()))
        .await;
    caller
        .get(&format!("root?t={}", FakeGraph::CLIENT_SECRET))
        .await;
    assert_eq!(graph.violations().len(), 4, "{:?}", graph.violations());
    assert_eq!(graph.requests().len(), 5);
    let bearer = format!("Bearer {}", caller.token);
    assert_eq!(graph.requests()[1].authorization, Some(bearer));
}
