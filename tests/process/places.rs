//! A portal or a destination that is none ends the run with its own code and the variable's name, and
//! leaves everything as it was.

use std::path::Path;

use serde_json::json;

use crate::support::begun::Begun;
use crate::support::portal::{API_KEY, Call, FakePortal, Fault, FaultKind, Reply};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// The closing line's reason, which names the variable.
#[track_caller]
fn reason(run: &Run, code: i32, variable: &str) -> String {
    let summary = run.ended(code).summary();
    let reason = summary["error"].as_str().expect("a reason").to_owned();
    assert!(reason.contains(variable), "{reason}");
    reason
}

/// Runs by a refresh token and by a key, all at once: some wait for a portal that may come back.
#[track_caller]
fn no_portal(addresses: &[String]) {
    let by_token = || {
        Job::bare()
            .with("ARCGIS_REFRESH_TOKEN", "r")
            .with("ARCGIS_CLIENT_ID", "c")
    };
    let ways = |address: &String| {
        [by_token(), Job::bare().with("ARCGIS_API_KEY", API_KEY)]
            .map(|job| job.with("ARCGIS_URL", address))
    };
    let jobs: Vec<Job> = addresses.iter().flat_map(ways).collect();
    let begun: Vec<Begun> = jobs.iter().map(Begun::of).collect();
    for (job, begun) in jobs.iter().zip(begun) {
        let run = begun.end();
        reason(&run, 12, "ARCGIS_URL");
        assert!(job.archive().files().is_empty(), "nothing is written");
    }
}

/// A portal that gives this answer to everything.
fn answering(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> FakePortal {
    let portal = FakePortal::start_blocking(worlds::empty());
    portal.add_fault(Fault::on("*", FaultKind::custom(answer)).forever());
    portal
}

#[test]
fn an_address_where_no_portal_answers_is_told_by_its_variable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let web_site = answering(|_| Reply::html(200, "Welcome"));
    no_portal(&[nobody, web_site.url()]);
}

#[test]
fn an_address_that_knows_no_portals_pages_is_told_by_its_variable() {
    let answers = [
        Reply::html(404, "Not found"),
        Reply::html(403, "Forbidden"),
        Reply::redirect("/login".to_owned()),
        Reply::json(&json!({"status": "ok", "version": 3})),
        Reply::json(&json!([])),
    ];
    let sites = answers.map(|answer| answering(move |_| answer.clone()));
    no_portal(&sites.each_ref().map(FakePortal::url));
}

/// Runs against a destination that cannot be; the folder around it stays as it is.
#[track_caller]
fn no_destination(job: &Job, portal: &FakePortal, destination: &Path) {
    let job = job.run();
    reason(&job, 13, "BACKUP_DESTINATION");
    assert!(!destination.is_dir(), "nothing is made");
    let changes = portal
        .requests()
        .into_iter()
        .filter(|seen| seen.method == "POST");
    assert!(
        changes.into_iter().all(|seen| seen.route == "token"),
        "nothing is changed"
    );
}

#[test]
fn a_destination_that_is_a_file_is_told_and_kept() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal);
    let file = job.folder().join("a file");
    std::fs::write(&file, "precious").expect("a file");
    for destination in [file.clone(), file.join("archive")] {
        let job = Job::against(&portal).with("BACKUP_DESTINATION", &destination);
        no_destination(&job, &portal, &destination);
    }
    assert_eq!(
        std::fs::read_to_string(&file).expect("the file"),
        "precious"
    );
}

#[test]
fn a_destination_whose_folders_are_files_is_told() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let job = Job::against(&portal);
    std::fs::create_dir(job.destination()).expect("a folder");
    std::fs::write(job.destination().join("items"), "in the way").expect("a file");
    reason(&job.run(), 13, "BACKUP_DESTINATION");
    assert!(job.archive().stamps().is_empty(), "no snapshot");
    assert_eq!(
        job.archive().names("passes"),
        [""; 0],
        "no pass is left running"
    );
}

#[test]
fn an_account_that_owns_nothing_gets_no_snapshot() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let job = Job::against(&portal);
    reason(&job.run(), 4, "BACKUP_SCOPE");
    assert!(job.archive().stamps().is_empty(), "no snapshot");
}

#[test]
fn a_clock_that_differs_from_the_portals_is_told_with_the_remedy() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let job = Job::against(&portal);
    assert_eq!(
        job.run()
            .ended(0)
            .events("clock differs from the portal's")
            .len(),
        0
    );
    let behind = FaultKind::alter(|_, reply| reply.header("date", "Mon, 23 Nov 2020 06:25:42 GMT"));
    portal.add_fault(Fault::on("*", behind).forever());
    let told = job.run().ended(0).events("clock differs from the portal's");
    assert_eq!((told.len(), &told[0]["level"]), (1, &json!("WARN")));
    assert!(told[0]["skew_seconds"].as_i64() > Some(86_400), "{told:?}");
    assert!(told[0]["remedy"].is_string(), "{told:?}");
}
