//! Trouble ends. The library is run with shorter bounds than the program has: how long a night is, is no matter of
//! principle.

use std::time::Duration;

use agol_backup::config::{Bounds, Config, Environment};
use agol_backup::exit::Exit;
use agol_backup::pass;
use agol_backup::summary::Summary;
use tokio::runtime::Runtime;

use super::small_world;
use crate::support::portal::{CLIENT_ID, FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::run::Archive;

/// A pass within these bounds that meets a fault whenever it asks for this: its summary, and why `Plan` is missing.
#[track_caller]
fn within(bounds: Bounds, route: &str, fault: FaultKind) -> (Summary, String) {
    let portal = FakePortal::start_blocking(small_world());
    let plan = portal.edit(|world| world.titled("Plan").id.clone());
    portal.add_fault(Fault::on(route, fault).only(&plan).forever());
    let folder = tempfile::tempdir().expect("a folder");
    let environment: Environment = [
        ("ARCGIS_URL", portal.url()),
        ("ARCGIS_CLIENT_ID", CLIENT_ID.to_owned()),
        ("ARCGIS_REFRESH_TOKEN", REFRESH_TOKEN.to_owned()),
        ("BACKUP_DESTINATION", folder.path().display().to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value.into()))
    .collect();
    let config = Config::from_environment(&environment).expect("a configuration");
    let runtime = Runtime::new().expect("a runtime");
    let summary = runtime.block_on(pass::run(&Config { bounds, ..config }));
    let archive = Archive {
        root: folder.path().to_owned(),
    };
    archive.assert_whole();
    for title in ["Notes", "Other"] {
        assert_eq!(archive.entry(title)["state"], "stored", "{title}");
    }
    let entry = archive.entry("Plan");
    assert_eq!(entry["state"], "missing");
    let reason = entry["error"]["message"].as_str().expect("a reason");
    (summary, reason.to_owned())
}

#[test]
fn an_item_that_is_in_trouble_for_too_long_is_given_up_and_the_others_go_on() {
    let bounds = Bounds {
        trouble: Duration::from_millis(800),
        ..Bounds::default()
    };
    let (summary, reason) = within(bounds, "related", FaultKind::Html(502));
    assert_eq!(summary.exit, Exit::Partial.code());
    assert!(reason.contains("given up"), "{reason}");
    assert!(reason.contains("502"), "what the trouble was: {reason}");
}

#[test]
fn an_answer_that_never_comes_is_waited_for_so_long_and_no_longer() {
    let bounds = Bounds {
        silence: Duration::from_millis(400),
        trouble: Duration::from_millis(800),
        ..Bounds::default()
    };
    let (_, reason) = within(bounds, "resources", FaultKind::Hang);
    assert!(reason.contains("given up"), "{reason}");
}

#[test]
fn a_file_that_drips_is_broken_off() {
    let bounds = Bounds {
        slowness: Duration::from_millis(200),
        ..Bounds::default()
    };
    let (_, reason) = within(bounds, "data", FaultKind::Drip);
    assert!(reason.contains("drips"), "{reason}");
}

#[test]
fn pauses_that_never_end_cost_one_item() {
    let bounds = Bounds {
        pauses: Duration::from_secs(2),
        ..Bounds::default()
    };
    let (_, reason) = within(bounds, "related", FaultKind::Throttle429InBody(1));
    assert!(reason.contains("pauses of more than 2 seconds"), "{reason}");
}
