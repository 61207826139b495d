//! A canary in every secret variable that there is. It is told to the one for whom it is, and to nobody else:
//! not to a line, a file, another server or whoever lists the processes.

use std::collections::BTreeSet;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use agol_backup::config::{Config, Service, VARIABLES};

use super::configuration::refused;
use crate::support::aside::Listener;
use crate::support::begun::Begun;
use crate::support::graph::{Account, FakeGraph};
use crate::support::portal::{API_KEY, FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::run::{Archive, Job, Run};
use crate::support::s3::{self, S3Server};
use crate::support::worlds;

/// Every secret variable, and what no text may hold when it is set to this. A variable that is missing here
/// fails the first test.
const CANARIES: [(&str, &str); 13] = [
    ("ARCGIS_REFRESH_TOKEN", REFRESH_TOKEN),
    ("ARCGIS_API_KEY", API_KEY),
    ("BACKUP_PING_URL", "canary-ping"),
    ("BACKUP_WEBHOOK_URL", "canary-webhook"),
    ("SINK_ACCESS_KEY_ID", s3::ACCESS_KEY),
    ("SINK_SECRET_ACCESS_KEY", s3::SECRET_KEY),
    ("SINK_SESSION_TOKEN", "canary-session"),
    (
        "SINK_SERVER_SIDE_ENCRYPTION_CUSTOMER_KEY",
        "Y2FuYXJ5LWN1c3RvbWVyLWtleS0zMi1ieXRlcy1sb25n",
    ),
    ("SINK_ACCOUNT_KEY", "Y2FuYXJ5LWFjY291bnQta2V5"),
    ("SINK_SAS_TOKEN", "sv=2021-01-01&sig=canary-signature"),
    (
        "SINK_ENCRYPTION_KEY",
        "Y2FuYXJ5LWVuY3J5cHRpb24ta2V5LTMyLWJ5dGVzLWxv",
    ),
    ("SINK_CLIENT_SECRET", FakeGraph::CLIENT_SECRET),
    ("SINK_REFRESH_TOKEN", "canary-onedrive-token"),
];

fn secrets_of(service: Service) -> impl Iterator<Item = String> {
    let settings = service.settings().iter().filter(|setting| setting.secret);
    settings.map(|setting| format!("SINK_{}", setting.key.to_ascii_uppercase()))
}

fn canary(variable: &str) -> &'static str {
    let found = CANARIES.iter().find(|(name, _)| *name == variable);
    found
        .unwrap_or_else(|| panic!("{variable} has no canary"))
        .1
}

#[test]
fn every_secret_variable_has_a_canary() {
    let of_the_portal = VARIABLES.iter().filter(|variable| variable.secret);
    let mut secret: BTreeSet<String> = of_the_portal.map(|one| one.name.to_owned()).collect();
    secret.extend(Service::ALL.into_iter().flat_map(secrets_of));
    let planted = CANARIES.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(planted.collect::<BTreeSet<_>>(), secret);
}

/// Looks for canaries in what a run said and wrote, but for the files that hold them for it.
#[track_caller]
fn silent(job: &Job, run: &Run, canaries: &[&str]) {
    let root = job.folder().to_owned();
    let written = Archive { root };
    let files = written.files().into_iter();
    let files = files.filter(|path| !path.starts_with("secret-"));
    let mut texts: Vec<(String, Vec<u8>)> = files
        .map(|path| (path.clone(), written.bytes(&path)))
        .collect();
    texts.push(("stdout".to_owned(), run.stdout.clone().into_bytes()));
    texts.push(("stderr".to_owned(), run.stderr.clone().into_bytes()));
    for (place, bytes) in texts {
        let text = String::from_utf8_lossy(&bytes);
        for canary in canaries {
            assert!(!text.contains(canary), "{canary} in {place}: {text}");
        }
    }
}

/// The same with the secret in a file.
fn by_file(mut job: Job, variable: &str) -> Job {
    let path = job.folder().join(format!("secret-{variable}"));
    std::fs::write(&path, format!("{}\n", canary(variable))).expect("a file");
    job.set(&format!("{variable}_FILE"), &path);
    job.without(variable)
}

/// Everything that is told is told; the summary is written too.
fn talkative(job: Job) -> Job {
    let summary = job.folder().join("summary.json");
    job.with("RUST_LOG", "trace")
        .with("BACKUP_SUMMARY_FILE", summary)
}

/// A server that refuses whatever it is asked.
fn refusing() -> Listener {
    let refuse = |_: Request<Incoming>| async {
        let refusal = Response::builder().status(403).body(String::new());
        Ok::<_, std::convert::Infallible>(refusal.expect("a status"))
    };
    Listener::start(move |stream| {
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(refuse));
        async { drop(connection.await) } // only a client that has gone
    })
}

/// A destination of that kind at that port, with this secret among what it needs.
fn unusable(portal: &FakePortal, port: u16, service: Service, variable: &str) -> Job {
    let address = match service {
        Service::Fs => "/dev/null/archive".to_owned(),
        service => format!("{}://backups/arcgis", service.scheme()),
    };
    let address = address.replace("onedrive://backups", "onedrive:///backups");
    let mut job = Job::against(portal).with("BACKUP_DESTINATION", address);
    let (endpoints, beside): (&[&str], &[(&str, &str)]) = match service {
        Service::Fs => (&[], &[]),
        Service::S3 => (
            &["SINK_ENDPOINT"],
            &[
                ("SINK_REGION", s3::REGION),
                ("SINK_ACCESS_KEY_ID", s3::ACCESS_KEY),
                ("SINK_SECRET_ACCESS_KEY", s3::SECRET_KEY),
            ],
        ),
        Service::Azblob => (&["SINK_ENDPOINT"], &[("SINK_ACCOUNT_NAME", "city")]),
        Service::OneDrive => (
            &["SINK_GRAPH_URL", "SINK_LOGIN_URL"],
            &[
                ("SINK_CLIENT_ID", FakeGraph::CLIENT_ID),
                ("SINK_TENANT", "city"),
                ("SINK_DRIVE", "users/gis"),
            ],
        ),
    };
    for endpoint in endpoints {
        job.set(endpoint, format!("http://127.0.0.1:{port}"));
    }
    for (name, value) in beside {
        job.set(name, *value);
    }
    job.with(variable, canary(variable))
}

#[test]
fn a_destination_that_fails_tells_no_secret() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let store = refusing();
    for service in Service::ALL {
        for variable in secrets_of(service) {
            let given = || talkative(unusable(&portal, store.port(), service, &variable));
            for job in [given(), by_file(given(), &variable)] {
                let run = job.run();
                assert!(matches!(run.code, 2 | 13), "{variable}: {}", run.stdout);
                silent(&job, &run, &[canary(&variable), REFRESH_TOKEN]);
            }
        }
    }
}

#[test]
fn an_address_to_tell_that_fails_is_not_said() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let receiver = refusing();
    for variable in ["BACKUP_PING_URL", "BACKUP_WEBHOOK_URL"] {
        let address = format!("http://127.0.0.1:{}/{}", receiver.port(), canary(variable));
        portal.revoke_refresh();
        let job = talkative(Job::against(&portal)).with(variable, address);
        let run = job.run();
        silent(&job, run.ended(10), &[canary(variable), REFRESH_TOKEN]);
        let printed = format!("{:?}", Config::from_environment(&job.environment()));
        assert!(!printed.contains(canary(variable)), "{printed}");
    }
}

#[test]
fn a_store_and_the_portal_learn_nothing_of_each_other() {
    let portal = FakePortal::start_blocking(worlds::city());
    let store = S3Server::start();
    let secrets = ["SINK_ACCESS_KEY_ID", "SINK_SECRET_ACCESS_KEY"];
    let mut job = talkative(Job::against(&portal))
        .with("BACKUP_DESTINATION", format!("s3://{}/arcgis", s3::BUCKET))
        .with("SINK_ENDPOINT", store.url())
        .with("SINK_REGION", s3::REGION);
    for variable in secrets {
        job.set(variable, canary(variable));
    }
    let run = job.run();
    run.ended(0);
    silent(
        &job,
        &run,
        &[
            s3::ACCESS_KEY,
            s3::SECRET_KEY,
            REFRESH_TOKEN,
            "access-secret",
        ],
    );
    let asked = format!("{:?}", portal.requests());
    assert!(
        secrets
            .iter()
            .all(|variable| !asked.contains(canary(variable)))
    );
    for (path, bytes) in store.files() {
        let text = String::from_utf8_lossy(&bytes);
        for secret in [REFRESH_TOKEN, "access-secret", "signature-secret"] {
            assert!(!text.contains(secret), "{secret} in {path}");
        }
    }
}

#[test]
fn who_lists_the_processes_learns_no_secret() {
    let portal = FakePortal::start_blocking(worlds::empty());
    portal.add_fault(Fault::on("self", FaultKind::Hang));
    let begun = Begun::of(&Job::against(&portal)).until("it asks", |_| portal.count("self") > 0);
    let line = std::fs::read(format!("/proc/{}/cmdline", begun.process())).expect("Linux");
    assert!(!String::from_utf8_lossy(&line).contains(REFRESH_TOKEN));
}

/// What a panic could print is what can be printed of the configuration.
#[test]
fn a_configuration_that_is_printed_shows_no_secret() {
    let portal = FakePortal::start_blocking(worlds::empty());
    for service in Service::ALL {
        for variable in secrets_of(service) {
            let job = unusable(&portal, 9, service, &variable);
            let printed = format!("{:?}", Config::from_environment(&job.environment()));
            assert!(!printed.contains(canary(&variable)), "{printed}");
            assert!(!printed.contains(REFRESH_TOKEN), "{printed}");
        }
    }
    let by_key = Job::bare().with("ARCGIS_API_KEY", API_KEY).environment();
    let printed = format!("{:?}", Config::from_environment(&by_key));
    assert!(
        printed.contains("Config") && !printed.contains(API_KEY),
        "{printed}"
    );
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .expect("a file")
        .permissions()
        .mode()
        & 0o777
}

#[cfg(unix)]
fn everybody_reads(path: &std::path::Path, content: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, content).expect("a file");
    let all = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(path, all).expect("a mode");
}

#[cfg(unix)]
#[test]
fn what_is_written_for_the_owner_is_for_the_owner_alone_from_then_on() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let graph = FakeGraph::start(Account::Personal);
    let job = Job::against(&portal)
        .with("BACKUP_DESTINATION", "onedrive:///Backups")
        .with("SINK_GRAPH_URL", graph.graph_url())
        .with("SINK_LOGIN_URL", graph.login_url())
        .with("SINK_TENANT", graph.tenant())
        .with("SINK_CLIENT_ID", FakeGraph::CLIENT_ID);
    let [token, summary] = ["token", "summary.json"].map(|name| job.folder().join(name));
    everybody_reads(&token, &graph.refresh_token());
    everybody_reads(&summary, "{}");
    let job = job
        .with("SINK_REFRESH_TOKEN_FILE", &token)
        .with("BACKUP_SUMMARY_FILE", &summary);
    job.run().ended(0);
    assert_eq!((mode(&token), mode(&summary)), (0o600, 0o600));
}

#[test]
fn a_secrets_file_that_is_none_is_refused_and_not_quoted() {
    let portal = FakePortal::start_blocking(worlds::empty());
    let not_text = b"refresh-secret \xff\xfe".to_vec();
    let huge = format!("refresh-secret {}", "x".repeat(70_000)).into_bytes();
    for (content, problem) in [
        (None, "directory"),
        (Some(not_text), "UTF-8"),
        (Some(huge), "longer"),
    ] {
        let job = Job::against(&portal).without("ARCGIS_REFRESH_TOKEN");
        let path = job.folder().join("token");
        match content {
            Some(content) => std::fs::write(&path, content).expect("a file"),
            None => std::fs::create_dir(&path).expect("a folder"),
        }
        let line = refused(&portal, &job.with("ARCGIS_REFRESH_TOKEN_FILE", &path));
        assert!(line.starts_with("ARCGIS_REFRESH_TOKEN_FILE"), "{line}");
        assert!(line.contains(problem), "{line}");
        assert!(!line.contains("refresh-secret"), "{line}");
    }
}
