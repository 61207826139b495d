//! The fake portal is held to what the real one does, or the other tests would prove nothing.

use std::time::Duration;

use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};

use crate::support::portal::{FakePortal, Fault, FaultKind, Item, REFRESH_TOKEN};
use crate::support::worlds;

/// A client as plain as can be, signed in.
struct Caller {
    client: Client,
    token: String,
}

impl Caller {
    async fn signed_in(portal: &FakePortal) -> Self {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(5))
            .build();
        let mut caller = Self {
            client: client.unwrap(),
            token: String::new(),
        };
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "city-client"),
            ("refresh_token", REFRESH_TOKEN),
        ];
        let answer = caller
            .post(
                &format!("{}/sharing/rest/oauth2/token", portal.url()),
                &form,
            )
            .await;
        assert!(
            answer["refresh_token"].is_null(),
            "a refresh renews no refresh token"
        );
        answer["access_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut caller.token);
        caller
    }

    async fn send(&self, url: &str, form: &[(&str, &str)]) -> reqwest::Result<Response> {
        let bearer = format!("Bearer {}", self.token);
        let request = if form.is_empty() {
            self.client.get(url)
        } else {
            self.client.post(url).form(form)
        };
        request.header("X-Esri-Authorization", bearer).send().await
    }

    async fn get(&self, url: &str) -> Value {
        let text = self.send(url, &[]).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON from {url}: {text}"))
    }

    async fn post(&self, url: &str, form: &[(&str, &str)]) -> Value {
        let text = self.send(url, form).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON from {url}: {text}"))
    }
}

fn layer_url(portal: &FakePortal, service: &str) -> String {
    format!(
        "{}/CityOrg01/arcgis/rest/services/{service}/FeatureServer/0",
        portal.services_url()
    )
}

#[tokio::test]
async fn a_listing_needs_all_its_pages_and_folders() {
    let portal = FakePortal::start(worlds::large_listing(40)).await;
    let caller = Caller::signed_in(&portal).await;
    let base = format!("{}/sharing/rest/content/users/gis_backup", portal.url());
    let first = caller.get(&format!("{base}?f=json")).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 10);
    assert_eq!(
        (&first["nextStart"], &first["total"]),
        (&json!(11), &json!(30))
    );
    let last = caller.get(&format!("{base}?f=json&start=21&num=100")).await;
    assert_eq!(last["nextStart"], json!(-1));
    let folder = first["folders"][0]["id"].as_str().unwrap();
    let inside = caller.get(&format!("{base}/{folder}?f=json&num=100")).await;
    assert_eq!(inside["total"], json!(10));
}

#[tokio::test]
async fn a_layer_pages_by_object_id_in_both_formats() {
    let portal = FakePortal::start(worlds::big_layer(4500)).await;
    let caller = Caller::signed_in(&portal).await;
    let query = layer_url(&portal, "Trees") + "/query";
    let form = [
        ("f", "geojson"),
        ("where", "OBJECTID > 1999"),
        ("outFields", "*"),
        ("orderByFields", "OBJECTID ASC"),
    ];
    let page = caller.post(&query, &form).await;
    assert_eq!(page["properties"]["exceededTransferLimit"], json!(true));
    assert_eq!(page["features"].as_array().unwrap().len(), 2000);
    assert_eq!(page["features"][0]["id"], json!(2000));
    let last = [
        ("f", "json"),
        ("where", "objectid>=4000 AND OBJECTID <= 9000"),
        ("outFields", "*"),
    ];
    let page = caller.post(&query, &last).await;
    assert!(page.get("exceededTransferLimit").is_none());
    assert!(
        page["features"][0]["geometry"]["x"].as_f64().unwrap() > 1e6,
        "native coordinates are metres"
    );
    let count = caller
        .get(&format!("{query}?f=json&where=1%3D1&returnCountOnly=true"))
        .await;
    assert_eq!(count, json!({"count": 4500}));
}

#[tokio::test]
async fn nonsense_is_refused() {
    let portal = FakePortal::start(worlds::city()).await;
    let caller = Caller::signed_in(&portal).await;
    let hydrants = layer_url(&portal, "Hydrants");
    let budget = layer_url(&portal, "Budget");
    for refused in [
        format!("{hydrants}/query?f=json&where=1%3D1&returnCountOnly=true&orderByFields=OBJECTID"),
        format!("{budget}/query?f=json&where=1%3D1&outFields=*&returnGeometry=true"),
        format!("{hydrants}/query?f=json&where=DROP%20TABLE&outFields=*"),
        format!(
            "{}/query?f=json&where=1%3D1",
            hydrants.replace("Hydrants", "Inspections")
        ),
    ] {
        assert_eq!(
            caller.get(&refused).await["error"]["code"],
            json!(400),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn every_row_of_the_city_is_sound_geojson() {
    let portal = FakePortal::start(worlds::city()).await;
    let caller = Caller::signed_in(&portal).await;
    for (service, rows) in [
        ("Hydrants", 250),
        ("Trails", 8),
        ("Parks", 6),
        ("Hydrants_public", 250),
        ("Budget", 50),
    ] {
        let url = layer_url(&portal, service) + "/query?f=geojson&where=1%3D1&outFields=*";
        let page = caller.get(&url).await;
        assert_eq!(
            page["features"].as_array().unwrap().len(),
            rows,
            "{service}"
        );
    }
    let columns = caller
        .get(&(layer_url(&portal, "Hydrants_public") + "/query?f=json&where=1=1&outFields=*"))
        .await;
    assert!(
        columns["features"][0]["attributes"]
            .get("SECRET_KEY")
            .is_none(),
        "the view hides a column"
    );
}

#[tokio::test]
async fn attachments_come_in_groups_and_bytes() {
    let portal = FakePortal::start(worlds::city()).await;
    let caller = Caller::signed_in(&portal).await;
    let layer = layer_url(&portal, "Hydrants");
    let form = [
        ("f", "json"),
        ("definitionExpression", "1=1"),
        ("resultRecordCount", "2"),
        ("resultOffset", "1"),
    ];
    let page = caller
        .post(&format!("{layer}/queryAttachments"), &form)
        .await;
    assert_eq!(page["exceededTransferLimit"], json!(true));
    let group = &page["attachmentGroups"][0];
    assert_eq!(
        (
            &group["parentObjectId"],
            group["attachmentInfos"].as_array().unwrap().len()
        ),
        (&json!(7), 2)
    );
    let info = &group["attachmentInfos"][0];
    let file = caller
        .send(&format!("{layer}/7/attachments/{}", info["id"]), &[])
        .await
        .unwrap();
    assert_eq!(json!(file.bytes().await.unwrap().len()), info["size"]);
}

async fn export(caller: &Caller, portal: &FakePortal) -> Value {
    let item = portal.edit(|world| world.titled("Hydrants").id.clone());
    let form = [
        ("f", "json"),
        ("itemId", &item),
        ("title", "a copy"),
        ("exportFormat", "GeoJson"),
        ("tags", "x,y"),
    ];
    caller
        .post(
            &format!(
                "{}/sharing/rest/content/users/gis_backup/export",
                portal.url()
            ),
            &form,
        )
        .await
}

#[tokio::test]
async fn an_export_is_begun_polled_fetched_bare_and_deleted() {
    let portal = FakePortal::start(worlds::city()).await;
    let caller = Caller::signed_in(&portal).await;
    let begun = export(&caller, &portal).await;
    let id = begun["exportItemId"].as_str().unwrap();
    let base = format!("{}/sharing/rest/content", portal.url());
    let status = format!("{base}/users/gis_backup/items/{id}/status?f=json&jobType=export");
    assert_eq!(caller.get(&status).await["status"], json!("processing"));
    assert_eq!(caller.get(&status).await["status"], json!("completed"));
    let redirect = caller
        .send(&format!("{base}/items/{id}/data"), &[])
        .await
        .unwrap();
    let location = redirect.headers()["location"].to_str().unwrap().to_owned();
    let bytes = Client::new()
        .get(&location)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(file["features"].as_array().unwrap().len(), 250);
    let delete = format!("{base}/users/gis_backup/items/{id}/delete");
    assert_eq!(
        caller.post(&delete, &[("f", "json")]).await["success"],
        json!(true)
    );
    assert_eq!(portal.recycle_bin(), [id]);
    caller
        .post(&delete, &[("f", "json"), ("permanentDelete", "true")])
        .await;
    assert!(portal.recycle_bin().is_empty() && portal.exports_left().is_empty());
}

#[tokio::test]
async fn harm_is_written_down() {
    let portal = FakePortal::start(worlds::city()).await;
    let caller = Caller::signed_in(&portal).await;
    let own = portal.edit(|world| world.titled("Survey 2019").id.clone());
    let base = format!("{}/sharing/rest/content", portal.url());
    caller
        .post(
            &format!("{base}/users/gis_backup/items/{own}/delete"),
            &[("f", "json")],
        )
        .await;
    caller
        .get(&format!(
            "{base}/items/{own}?f=json&token=AAPKapi-key-secret"
        ))
        .await;
    drop(
        caller
            .send(&format!("{}/{own}/x", portal.blob_url()), &[])
            .await,
    );
    caller
        .post(
            &(layer_url(&portal, "Hydrants") + "/applyEdits"),
            &[("f", "json")],
        )
        .await;
    let found = portal.forgive();
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
#[should_panic(expected = "the portal was harmed")]
fn harm_fails_the_test() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let item = portal.edit(|world| world.add_item(Item::new("Web Map", "Mine")));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let caller = Caller::signed_in(&portal).await;
        let url = format!(
            "{}/sharing/rest/content/users/gis_backup/items/{item}/delete",
            portal.url()
        );
        caller.post(&url, &[("f", "json")]).await;
    });
}

#[tokio::test]
async fn faults_strike_as_told() {
    let portal = FakePortal::start(worlds::city()).await;
    let caller = Caller::signed_in(&portal).await;
    let url = layer_url(&portal, "Hydrants") + "/query?f=geojson&where=1%3D1&outFields=*";
    portal.add_fault(
        Fault::on("query", FaultKind::Status(503, Some(2)))
            .skip(1)
            .only("Hydrants/"),
    );
    assert_eq!(caller.send(&url, &[]).await.unwrap().status(), 200);
    let refused = caller.send(&url, &[]).await.unwrap();
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.headers()["retry-after"].to_str().unwrap()
        ),
        (503, "2")
    );
    for broken in [
        FaultKind::CutBody,
        FaultKind::CutChunked,
        FaultKind::CutGzip,
    ] {
        portal.add_fault(Fault::on("query", broken));
        let answer = caller.send(&url, &[]).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.is_err(), "the body ends early");
    }
    portal.add_fault(Fault::on("query", FaultKind::Reset));
    assert!(caller.send(&url, &[]).await.is_err());
    portal.add_fault(Fault::on("query", FaultKind::LoseRow));
    assert_eq!(
        caller.get(&url).await["features"].as_array().unwrap().len(),
        249
    );
    portal.add_fault(Fault::on("*", FaultKind::ExpireTokens));
    for _ in 0..2 {
        assert_eq!(caller.get(&url).await["error"]["code"], json!(498));
    }
}

#[tokio::test]
async fn an_export_that_acts_and_falls_silent_leaves_its_item() {
    let portal = FakePortal::start(worlds::city()).await;
    let caller = Caller::signed_in(&portal).await;
    portal.add_fault(Fault::on("export", FaultKind::TimeoutAfterActing));
    let item = portal.edit(|world| world.titled("Hydrants").id.clone());
    let form = [
        ("f", "json"),
        ("itemId", item.as_str()),
        ("title", "t"),
        ("exportFormat", "GeoJson"),
    ];
    let url = format!(
        "{}/sharing/rest/content/users/gis_backup/export",
        portal.url()
    );
    assert!(caller.send(&url, &form).await.is_err());
    assert_eq!(portal.exports_left().len(), 1);
}

#[tokio::test]
async fn search_knows_its_fields_and_its_window() {
    let mut world = worlds::city();
    world.settings.search_window = 8;
    let portal = FakePortal::start(world).await;
    let caller = Caller::signed_in(&portal).await;
    let url = format!("{}/sharing/rest/search", portal.url());
    let hits = async |q: &str| {
        caller
            .post(&url, &[("f", "json"), ("q", q), ("num", "8")])
            .await["total"]
            .clone()
    };
    assert_eq!(
        hits("owner:\"gis_backup\" AND type:\"Feature Service\"").await,
        json!(7)
    );
    assert_eq!(
        hits("orgid:CityOrg01 AND tags:\"no-backup\"").await,
        json!(1)
    );
    assert_eq!(hits("title:Parks NOT type:CSV").await, json!(1));
    assert_eq!(hits("created:[0 TO 5]").await, json!(0));
    let beyond = caller
        .post(
            &url,
            &[("f", "json"), ("q", "owner:gis_backup"), ("start", "9")],
        )
        .await;
    assert_eq!(beyond["error"]["code"], json!(400));
}

#[tokio::test]
async fn edits_move_the_layers_dates_and_not_the_items() {
    let portal = FakePortal::start(worlds::one_layer(worlds::notes(3))).await;
    let caller = Caller::signed_in(&portal).await;
    let url = layer_url(&portal, "Notes");
    let before = caller.get(&format!("{url}?f=json")).await;
    let modified = portal.edit(|world| world.titled("Notes").modified);
    portal
        .edit(|world| world.add_feature("Notes", 0, worlds::values(json!({"NOTE": "new"})), None));
    let after = caller.get(&format!("{url}?f=json")).await;
    assert!(
        after["editingInfo"]["dataLastEditDate"].as_i64()
            > before["editingInfo"]["dataLastEditDate"].as_i64()
    );
    assert_eq!(
        portal.edit(|world| world.titled("Notes").modified),
        modified
    );
    let count = caller
        .get(&format!(
            "{url}/query?f=json&where=1%3D1&returnCountOnly=true"
        ))
        .await;
    assert_eq!(count["count"], json!(4));
}
