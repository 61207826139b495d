//! `OneDrive` and `SharePoint`: each repair of the transport, by the answer that makes it necessary.

use super::contract::assert_mostly_unchanged;
use crate::support::begun::Begun;
use crate::support::graph::{Account, FakeGraph, Fault, FaultKind, Host};
use crate::support::portal::FakePortal;
use crate::support::run::Job;
use crate::support::worlds;

fn job(portal: &FakePortal, graph: &FakeGraph) -> Job {
    Job::against(portal)
        .with("BACKUP_DESTINATION", "onedrive:///Backups/arc%20gis")
        .with("SINK_GRAPH_URL", graph.graph_url())
        .with("SINK_LOGIN_URL", graph.login_url())
        .with("SINK_TENANT", graph.tenant())
        .with("SINK_CLIENT_ID", FakeGraph::CLIENT_ID)
        .with("SINK_CLIENT_SECRET", FakeGraph::CLIENT_SECRET)
        .with("SINK_REFRESH_TOKEN", graph.refresh_token())
}

fn graph(account: Account) -> FakeGraph {
    FakeGraph::start(account)
}

/// A file of six fragments, and small ones.
fn world() -> FakePortal {
    FakePortal::start_blocking(worlds::big_layer(120_000))
}

/// The city by one pass.
fn city() -> FakePortal {
    FakePortal::start_blocking(worlds::city())
}

#[track_caller]
fn has_a_large_file(graph: &FakeGraph) {
    let files = graph.files();
    assert!(
        files.values().any(|bytes| bytes.len() > 8 << 20),
        "{:?}",
        files.keys()
    );
    assert_eq!((graph.open_sessions(), graph.violations()), (0, Vec::new()));
}

#[test]
fn a_personal_drive_works_as_a_business_one_does() {
    for account in [Account::Personal, Account::Work] {
        let (portal, graph) = (city(), graph(account));
        job(&portal, &graph).run().ended(0);
        let second = job(&portal, &graph).run();
        second.ended(0);
        assert_mostly_unchanged(&second);
        assert!(
            graph
                .files()
                .keys()
                .all(|path| path.starts_with("Backups/arc gis/"))
        );
        assert_eq!(graph.violations(), Vec::<String>::new());
        assert!(graph.most_in_flight() <= 4);
    }
}

#[test]
fn a_drive_a_person_or_a_site_can_be_chosen() {
    let portal = city();
    let graph = graph(Account::Work);
    for (drive, route) in [
        (
            graph.drive_id(),
            format!("/v1.0/drives/{}/", graph.drive_id()),
        ),
        (
            "users/gis@city.gov".to_owned(),
            "/v1.0/users/gis@city.gov/drive/".to_owned(),
        ),
        (
            "sites/city.sharepoint.com:/sites/GIS".to_owned(),
            "/v1.0/sites/city.sharepoint.com:/sites/GIS:/drive/".to_owned(),
        ),
    ] {
        job(&portal, &graph)
            .with("SINK_DRIVE", drive)
            .run()
            .ended(0);
        let last = graph
            .requests()
            .into_iter()
            .rfind(|seen| seen.host == Host::Graph);
        assert!(last.expect("a request").path.starts_with(&route), "{route}");
    }
}

#[test]
fn an_application_writes_without_a_person() {
    let (portal, graph) = (city(), graph(Account::Work));
    graph.edit(|settings| settings.app_only = true);
    job(&portal, &graph)
        .without("SINK_REFRESH_TOKEN")
        .with("SINK_DRIVE", graph.drive_id())
        .run()
        .ended(0);
    assert_eq!(graph.violations(), Vec::<String>::new());
}

#[test]
fn a_rotated_refresh_token_is_kept_in_its_file() {
    let (portal, graph) = (city(), graph(Account::Work));
    graph.edit(|settings| settings.revoke_old_refresh_token = true);
    let job = job(&portal, &graph).without("SINK_REFRESH_TOKEN");
    let file = job.folder().join("token");
    std::fs::write(&file, graph.refresh_token()).expect("written");
    let first = std::fs::read_to_string(&file).expect("a token");
    let job = job.with("SINK_REFRESH_TOKEN_FILE", &file);
    job.run().ended(0);
    let kept = std::fs::read_to_string(&file).expect("a token");
    assert_ne!(kept, first);
    assert_eq!(kept, graph.refresh_token());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    job.run().ended(0);
}

#[test]
fn a_last_fragment_that_was_only_accepted_is_sent_again() {
    let (portal, graph) = (world(), graph(Account::Work));
    graph.add_fault(Fault::on("fragment", FaultKind::AcceptedOnly));
    job(&portal, &graph).run().ended(0);
    has_a_large_file(&graph);
    assert!(graph.count("create_session") >= 2, "a new upload");
}

#[test]
fn a_replaced_file_that_answers_200_is_a_success() {
    // The large file's name is taken by what a lost reply left: the fake then answers 200 at the end.
    let (portal, graph) = (world(), graph(Account::Work));
    graph.add_fault(Fault::on("fragment", FaultKind::LoseReply).skip(5));
    job(&portal, &graph).run().ended(0);
    has_a_large_file(&graph);
}

#[test]
fn a_fragment_that_breaks_off_is_sent_again_and_not_the_file() {
    for kind in [
        FaultKind::Reset,
        FaultKind::LoseReply,
        FaultKind::Throttle(1),
        FaultKind::Busy(1),
        FaultKind::Status(500, "generalException"),
    ] {
        let (portal, graph) = (world(), graph(Account::Work));
        graph.add_fault(Fault::on("fragment", kind).skip(1));
        job(&portal, &graph).run().ended(0);
        has_a_large_file(&graph);
        assert_eq!(graph.count("create_session"), 1, "{kind:?}");
    }
}

#[test]
fn a_signal_in_the_middle_of_an_upload_leaves_none_open() {
    let (portal, graph) = (world(), graph(Account::Work));
    graph.add_fault(Fault::on("fragment", FaultKind::Hang).skip(2));
    let begun = Begun::of(&job(&portal, &graph))
        .until("a fragment hangs", |_| graph.count("fragment") == 3);
    assert_eq!(graph.open_sessions(), 1);
    begun.told("TERM").ended(143);
    assert_eq!(graph.open_sessions(), 0);
}

#[test]
fn an_upload_whose_address_dies_is_begun_anew() {
    for kind in [FaultKind::SessionGone, FaultKind::Unauthorized] {
        let (portal, graph) = (world(), graph(Account::Work));
        graph.add_fault(Fault::on("fragment", kind).skip(2));
        job(&portal, &graph).run().ended(0);
        assert!(graph.count("create_session") >= 2);
        has_a_large_file(&graph);
    }
}

#[test]
fn a_token_that_ends_on_the_way_is_renewed() {
    for route in [
        "content_put",
        "create_session",
        "item",
        "children",
        "delete",
    ] {
        let (portal, graph) = (world(), graph(Account::Work));
        graph.add_fault(Fault::on(route, FaultKind::Unauthorized));
        job(&portal, &graph).run().ended(0);
        has_a_large_file(&graph);
        assert!(graph.count("token") >= 2, "{route}");
    }
}

#[test]
fn too_many_requests_are_waited_for() {
    for route in ["content_put", "item", "children", "token"] {
        let (portal, graph) = (city(), graph(Account::Work));
        graph.add_fault(Fault::on(route, FaultKind::Throttle(1)).times(2));
        let run = job(&portal, &graph).run();
        run.ended(0);
        let told = run.events("request retried");
        assert!(
            told.iter().any(|line| line["subject"] == "destination"),
            "{route}"
        );
    }
}

#[test]
fn notebooks_and_pages_of_listings_confuse_nobody() {
    let (portal, graph) = (city(), graph(Account::Work));
    graph.edit(|settings| settings.page_size = 1);
    graph.put_package("Backups/arc gis/snapshots/Notes of the team");
    for _ in 0..3 {
        job(&portal, &graph).run().ended(0);
    }
    assert_mostly_unchanged(&job(&portal, &graph).run());
}

#[test]
fn another_spelling_of_the_folder_is_the_same_folder() {
    let (portal, graph) = (city(), graph(Account::Work));
    graph.put("BACKUPS/Arc GIS/readme.txt", b"by hand");
    job(&portal, &graph).run().ended(0);
    let second = job(&portal, &graph).run();
    second.ended(0);
    assert_mostly_unchanged(&second);
}

#[test]
fn secrets_and_upload_addresses_are_in_no_line() {
    let (portal, graph) = (world(), graph(Account::Work));
    graph.add_fault(Fault::on("fragment", FaultKind::QuotaFull).forever());
    let run = job(&portal, &graph).with("RUST_LOG", "trace").run();
    run.ended(13);
    let said = format!("{}{}", run.stdout, run.stderr);
    let token = graph.refresh_token();
    for secret in [FakeGraph::CLIENT_SECRET, token.as_str(), "Bearer"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    for seen in graph
        .requests()
        .iter()
        .filter(|seen| seen.host == Host::Storage)
    {
        let path = seen.path.split('?').next().unwrap_or_default();
        assert!(!said.contains(path), "{path}");
    }
    assert!(
        run.summary()["error"]
            .as_str()
            .is_some_and(|error| error.contains("quotaLimitReached")),
        "{said}"
    );
    assert_eq!((graph.violations(), graph.open_sessions()), (Vec::new(), 0));
}

#[test]
fn listings_are_never_deep() {
    let (portal, graph) = (city(), graph(Account::Work));
    job(&portal, &graph).run().ended(0);
    let before = graph.count("children");
    job(&portal, &graph).run().ended(0);
    assert!(
        graph.count("children") - before <= 12,
        "{}",
        graph.count("children") - before
    );
    assert!(
        graph
            .requests()
            .iter()
            .filter(|seen| seen.route == "children")
            .all(|seen| !seen.path.contains("/items"))
    );
}
