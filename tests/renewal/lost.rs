//! A renewal that fails harms nothing: the run goes on with what it has, and says what a person must do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{EXCHANGE, assert_tidy, both_kinds, exchanges, kept, secret};
use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::worlds;

const NEW: &str = "refresh-secret-2";

fn refusal() -> FaultKind {
    FaultKind::ErrorInBody(json!({"code": 498, "message": "Invalid refresh_token"}))
}

#[test]
fn an_exchange_that_is_refused_is_only_a_warning() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    portal.add_fault(Fault::on("token", refusal()).only(EXCHANGE).forever());
    let (job, path) = kept(&portal, 40, 90);
    let run = job.run();
    let told = run.ended(0).events("refresh token not renewed");
    assert_eq!(told.len(), 1, "{}", run.stdout);
    assert!(
        told[0]["remedy"]
            .as_str()
            .expect("text")
            .contains("agol-backup login")
    );
    assert!(
        told[0]["error"]
            .as_str()
            .expect("text")
            .contains("Invalid refresh_token")
    );
    assert_eq!(run.summary()["token_days_left"], 40);
    assert_eq!(secret(&path), REFRESH_TOKEN);
    assert_tidy(&path);
    assert_eq!(exchanges(&portal), 1, "asked once");
}

#[test]
fn an_answer_that_is_lost_leaves_a_working_token_where_the_old_one_lives_on() {
    for fault in [
        FaultKind::TimeoutAfterActing,
        FaultKind::CutBody,
        FaultKind::Html(502),
    ] {
        let portal = FakePortal::start_blocking(worlds::small_office());
        portal.add_fault(Fault::on("token", fault).only(EXCHANGE));
        let (job, path) = kept(&portal, 40, 90);
        let run = job.run();
        assert_eq!(run.ended(0).events("refresh token not renewed").len(), 1);
        assert_eq!(secret(&path), REFRESH_TOKEN);
        assert_eq!(
            exchanges(&portal),
            1,
            "it may have taken effect: not asked again"
        );
        assert_eq!(job.run().ended(0).events("refresh token renewed").len(), 1);
        assert_tidy(&path);
    }
}

#[test]
fn an_answer_that_is_lost_with_the_old_token_is_told_and_costs_no_backup_tonight() {
    let mut world = worlds::small_office();
    world.settings.rotation_kills_old = true;
    let portal = FakePortal::start_blocking(world);
    portal.add_fault(Fault::on("token", FaultKind::TimeoutAfterActing).only(EXCHANGE));
    let (job, _) = kept(&portal, 40, 90);
    let run = job.run();
    let told = run.ended(0).events("refresh token lost");
    assert!(
        told[0]["remedy"]
            .as_str()
            .expect("text")
            .contains("agol-backup login")
    );
    assert!(
        run.summary()["token_days_left"].as_i64() <= Some(0),
        "{}",
        run.stdout
    );
    job.archive().assert_whole();
    let error = job.run().ended(10).summary()["error"].to_string();
    assert!(error.contains("agol-backup login"), "{error}");
}

#[test]
fn a_new_token_that_does_not_work_gives_its_place_back() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    portal.add_fault(Fault::on("token", refusal()).only(NEW).forever());
    let (job, path) = kept(&portal, 40, 90);
    let run = job.run();
    assert_eq!(run.ended(0).events("refresh token put back").len(), 1);
    assert_eq!(run.summary()["token_days_left"], 40);
    assert_eq!(secret(&path), REFRESH_TOKEN);
    assert_tidy(&path);
}

/// Looks at the files at the moment of a request.
fn seen_at(
    only: &str,
    look: impl Fn() -> bool + Send + Sync + 'static,
) -> (Fault, Arc<AtomicBool>) {
    let good = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&good);
    let look = FaultKind::alter(move |_, reply| {
        seen.store(look(), Ordering::SeqCst);
        reply
    });
    (Fault::on("token", look).only(only), good)
}

#[test]
fn the_old_token_lies_beside_before_the_exchange_and_the_new_one_in_its_place_before_its_use() {
    for (kills, world) in both_kinds() {
        let portal = FakePortal::start_blocking(world);
        let (job, path) = kept(&portal, 40, 90);
        let old = path.with_extension("json.old");
        let (fault, kept_beside) = seen_at(EXCHANGE, {
            let old = old.clone();
            move || old.exists() && secret(&old) == REFRESH_TOKEN
        });
        portal.add_fault(fault);
        let (fault, in_place) = seen_at(NEW, {
            let path = path.clone();
            move || secret(&path) == NEW && secret(&old) == REFRESH_TOKEN
        });
        portal.add_fault(fault);
        job.run().ended(0);
        assert!(kept_beside.load(Ordering::SeqCst), "{kills}");
        assert!(in_place.load(Ordering::SeqCst), "{kills}");
        assert_tidy(&path);
    }
}

#[test]
#[cfg(unix)]
fn a_signal_waits_for_an_exchange_that_is_under_way() {
    let mut world = worlds::small_office();
    world.settings.rotation_kills_old = true;
    let portal = FakePortal::start_blocking(world);
    portal.add_fault(Fault::on("token", FaultKind::Slow(1_500)).only(EXCHANGE));
    let (job, path) = kept(&portal, 40, 90);
    let begun = Begun::of(&job).until("an exchange", |_| exchanges(&portal) > 0);
    let run = begun.told("TERM");
    assert_eq!(run.ended(143).summary()["outcome"], "interrupted");
    assert_eq!(secret(&path), NEW);
    assert!(job.archive().names("passes").is_empty());
    job.run().ended(0);
    assert_tidy(&path);
}
