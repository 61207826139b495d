//! No secret is ever said: not in a line, not in the archive, not in a summary, however a run ends.

use serde_json::json;

use crate::support::portal::{
    API_KEY, CLIENT_ID, FakePortal, Fault, FaultKind, REFRESH_TOKEN, Reply,
};
use crate::support::run::{Archive, Job, Run};
use crate::support::worlds;

/// What all credentials of the portal hold: refresh tokens, access tokens, the key, signed addresses.
const CANARIES: [&str; 6] = [
    "refresh-secret",
    "access-secret",
    "signature-secret",
    "api-key-secret",
    "X-Amz-",
    "Bearer",
];

/// Looks for the canaries in everything that the run said or wrote, the token's own file apart.
#[track_caller]
fn said_nothing(job: &Job, run: &Run) {
    let root = job.folder().to_owned();
    let written = Archive { root };
    let mut texts = vec![("stdout".to_owned(), run.stdout.clone().into_bytes())];
    texts.push(("stderr".to_owned(), run.stderr.clone().into_bytes()));
    let files = written.files().into_iter().filter(|path| path != "token");
    texts.extend(files.map(|path| (path.clone(), written.bytes(&path))));
    for (place, bytes) in texts {
        let text = String::from_utf8_lossy(&bytes);
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} in {place}: {text}");
        }
    }
}

/// Each way to give a credential.
fn ways(portal: &FakePortal) -> [Job; 3] {
    let file = Job::against(portal).without("ARCGIS_REFRESH_TOKEN");
    let path = file.folder().join("token");
    std::fs::write(&path, format!("{REFRESH_TOKEN}\n")).expect("a file");
    let key = Job::bare().with("ARCGIS_URL", portal.url());
    [
        Job::against(portal),
        file.with("ARCGIS_REFRESH_TOKEN_FILE", &path),
        key.with("ARCGIS_API_KEY", API_KEY),
    ]
    .map(|job| {
        let summary = job.folder().join("summary.json");
        job.with("BACKUP_SUMMARY_FILE", summary)
    })
}

#[track_caller]
fn all_ways(portal: &FakePortal, code: i32) {
    for job in ways(portal) {
        let run = job.run();
        said_nothing(&job, run.ended(code));
    }
}

#[test]
fn a_good_pass_says_no_secret() {
    all_ways(&FakePortal::start_blocking(worlds::city()), 0);
}

#[test]
fn a_pass_that_tells_everything_it_does_says_no_secret() {
    let mut world = worlds::city();
    world.settings.export_polls = 0;
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal).with("RUST_LOG", "trace");
    let run = job.with("BACKUP_METHOD", "export");
    let (job, run) = (&run, run.run());
    assert!(run.ended(0).stdout.contains("TRACE"), "it tells everything");
    said_nothing(job, &run);
}

#[test]
fn a_refused_sign_in_says_no_secret() {
    let portal = FakePortal::start_blocking(worlds::empty());
    portal.revoke_refresh();
    all_ways(&portal, 10);
}

#[test]
fn an_answer_that_repeats_the_credentials_is_not_repeated() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let echo = |route: &str| {
        let answer = FaultKind::custom(|call| {
            let said: Vec<_> = call.params.values().chain(&call.token).cloned().collect();
            Reply::error(400, &format!("Unable to use {}", said.join(" or ")))
        });
        Fault::on(route, answer)
    };
    portal.add_fault(echo("data").times(6));
    for job in ways(&portal) {
        let run = job.run();
        said_nothing(&job, run.ended(3));
    }
    portal.add_fault(echo("token").forever());
    let job = Job::against(&portal);
    let run = job.run();
    said_nothing(&job, run.ended(10));
}

#[test]
fn broken_transfers_say_no_signed_address() {
    let portal = FakePortal::start_blocking(worlds::city());
    let broken = [
        FaultKind::Reset,
        FaultKind::CutBody,
        FaultKind::Status(403, None),
    ];
    for (nth, broken) in broken.into_iter().enumerate() {
        portal.add_fault(Fault::on("blob", broken).skip(nth));
    }
    let dead_end = FaultKind::custom(|_| {
        let signed = "http://127.0.0.1:1/x?X-Amz-Signature=signature-secret-0";
        Reply::redirect(signed.to_owned())
    });
    portal.add_fault(Fault::on("data", dead_end).skip(1));
    let job = Job::against(&portal);
    let run = job.run();
    assert_eq!(run.ended(0).events("request retried").len(), 4);
    said_nothing(&job, &run);
}

#[test]
fn a_token_file_that_is_broken_is_not_quoted() {
    for content in [
        format!("{{\"refresh_token\": {REFRESH_TOKEN}}}"),
        json!({"token": REFRESH_TOKEN, "client_id": CLIENT_ID}).to_string(),
        json!({"refresh_token": REFRESH_TOKEN, "expires_at": REFRESH_TOKEN}).to_string(),
    ] {
        let portal = FakePortal::start_blocking(worlds::empty());
        let job = Job::against(&portal).without("ARCGIS_REFRESH_TOKEN");
        let path = job.folder().join("token");
        std::fs::write(&path, content).expect("a file");
        let job = job.with("ARCGIS_REFRESH_TOKEN_FILE", &path);
        let run = job.run();
        said_nothing(&job, run.ended(2));
    }
}
