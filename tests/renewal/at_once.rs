//! Two runs with one file, for two destinations: one of them renews the token, and neither loses it.

use super::{exchanges, is_new, kept};
use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::run::Job;
use crate::support::worlds;

/// An exchange ends the old token at once: who does not heed the file any more is lost.
fn portal() -> FakePortal {
    let mut world = worlds::small_office();
    world.settings.rotation_kills_old = true;
    FakePortal::start_blocking(world)
}

/// The same job, into another folder.
fn elsewhere(portal: &FakePortal, path: &std::path::Path) -> Job {
    Job::bare()
        .with("ARCGIS_URL", portal.url())
        .with("ARCGIS_REFRESH_TOKEN_FILE", path)
}

#[test]
fn runs_at_the_same_time_renew_it_once() {
    let portal = portal();
    let (one, path) = kept(&portal, 40, 90);
    let other = elsewhere(&portal, &path);
    portal.add_fault(Fault::on("self", FaultKind::Slow(1_000)).times(2));
    portal.add_fault(Fault::on("token", FaultKind::Slow(2_000)).only(super::EXCHANGE));
    let runs = [Begun::of(&one), Begun::of(&other)].map(Begun::end);
    let renewed: usize = runs
        .iter()
        .map(|run| run.ended(0).events("refresh token renewed").len())
        .sum();
    assert_eq!((renewed, exchanges(&portal)), (1, 1));
    for run in runs {
        assert!(
            run.events("refresh token ends soon").is_empty(),
            "{}",
            run.stdout
        );
    }
    assert_eq!(portal.refresh_tokens(), [super::secret(&path)]);
}

#[test]
fn a_run_under_way_finds_the_token_that_another_has_renewed() {
    let portal = portal();
    let (one, path) = kept(&portal, 60, 90);
    portal.add_fault(Fault::on("layers", FaultKind::Slow(4_000)));
    let begun = Begun::of(&one).until("a layer", |_| portal.count("layers") > 0);
    let (other, due) = kept(&portal, 40, 90);
    std::fs::copy(due, &path).expect("the same token, and due");
    other
        .with("ARCGIS_REFRESH_TOKEN_FILE", &path)
        .run()
        .ended(0);
    assert!(!portal.refresh_tokens().contains(&REFRESH_TOKEN.to_owned()));
    portal.expire_tokens();
    let run = begun.end();
    assert!(is_new(&run.ended(0).summary()), "of the token in force");
}
