//! What stops no pass and would be regretted later is warned of, with what to do; a good set-up has no warning.

use serde_json::json;

use super::{codes, told};
use crate::support::portal::{API_KEY, Catalogue, FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::run::Job;
use crate::support::worlds;

/// A job whose token says when it ends.
fn ending(portal: &FakePortal, in_days: i64) -> Job {
    let end = agol_backup::snapshot::now() + jiff::SignedDuration::from_hours(24 * in_days + 1);
    let token = json!({"refresh_token": REFRESH_TOKEN, "expires_at": end.to_string()});
    Job::against(portal).with("ARCGIS_REFRESH_TOKEN", token.to_string())
}

/// Nothing is to be warned of but what the test provokes.
fn good(world: Catalogue) -> (FakePortal, Job) {
    let portal = FakePortal::start_blocking(world);
    let job = ending(&portal, 60);
    (portal, job)
}

#[track_caller]
fn assert_warned(job: &Job, code: i32, expected: &[&str]) {
    let report = told(job, code);
    assert_eq!(codes(&report), expected, "{:#}", report["warnings"]);
    let table = job.run_with(&["check"]).stdout;
    assert_eq!(table.contains("Warnings"), !expected.is_empty(), "{table}");
}

#[test]
fn a_good_setup_has_no_warning() {
    let (_portal, job) = good(worlds::city());
    assert_warned(&job, 0, &[]);
    assert_eq!(told(&job, 0)["portal"]["token_days_left"], 60);
}

#[test]
fn a_token_that_ends_soon_or_nobody_knows_when() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let soon = ending(&portal, 3);
    assert_warned(&soon, 0, &["token_ends_soon"]);
    assert!(soon.run_with(&["check"]).stdout.contains("ends in 3 days"));
    assert_warned(&ending(&portal, 14), 0, &[]);
    assert_warned(&Job::against(&portal), 0, &["token_end_unknown"]);
    let key = Job::bare()
        .with("ARCGIS_URL", portal.url())
        .with("ARCGIS_API_KEY", API_KEY);
    assert_warned(&key.with("BACKUP_SCOPE", "org"), 0, &["token_end_unknown"]);
}

#[test]
fn an_administrator_who_owns_nothing_and_asks_for_what_is_his() {
    let (_portal, job) = good(worlds::empty());
    assert_warned(&job, 4, &["owns_nothing"]);
    let job = job.with("BACKUP_SCOPE", "org");
    assert_warned(&job, 4, &[]);
}

#[test]
fn an_account_that_does_not_see_what_the_scope_promises() {
    let mut world = worlds::small_office();
    world.settings.administrator = false;
    let (_portal, job) = good(world);
    assert_warned(&job, 0, &[]);
    assert_warned(
        &job.with("BACKUP_SCOPE", "org"),
        0,
        &["sees_not_everything"],
    );
}

#[test]
fn exports_that_the_account_may_not_make() {
    let mut world = worlds::small_office();
    world.settings.administrator = false;
    let (portal, job) = good(world);
    let job = job
        .with("BACKUP_FORMATS", "csv")
        .with("BACKUP_SCOPE", "query")
        .with("BACKUP_QUERY", "type:\"Feature Service\"");
    assert_warned(&job, 0, &[]);
    let take = |reply: crate::support::portal::Reply| {
        let text = String::from_utf8(reply.body.to_vec()).expect("text");
        crate::support::portal::Reply::json_text(text.replace("portal:user:createItem", "none"))
    };
    portal.add_fault(Fault::on("self", FaultKind::alter(move |_, reply| take(reply))).forever());
    assert_warned(&job, 0, &["exports_refused"]);
    portal.clear_faults();
    portal.edit(|world| {
        let id = world.titled("Office").id.clone();
        world.edit_item(&id, |item| {
            "colleague".clone_into(&mut item.owner);
            "org".clone_into(&mut item.access);
        });
    });
    assert_warned(&job, 0, &["exports_refused"]);
    assert_warned(&job.with("BACKUP_FORMATS", "geojson"), 0, &[]);
}

#[test]
fn items_that_are_not_found_any_more() {
    let (_portal, job) = good(worlds::small_office());
    job.run().ended(0);
    assert_warned(&job, 0, &[]);
    let narrow = job.with("BACKUP_ITEM_TYPES", "Web Map");
    assert_warned(&narrow, 0, &["not_found_any_more"]);
}

#[test]
fn a_clock_that_differs() {
    let (portal, job) = good(worlds::small_office());
    let long_ago = "Mon, 01 Jan 2024 00:00:00 GMT";
    let alter = FaultKind::alter(move |_, reply| reply.header("date", long_ago));
    portal.add_fault(Fault::on("token", alter).forever());
    assert_warned(&job, 0, &["clock_differs"]);
}

#[test]
fn a_damaged_snapshot_and_a_name_that_is_not_ours() {
    let (_portal, job) = good(worlds::small_office());
    job.run().ended(0);
    let stamp = job.archive().stamps()[0].clone();
    std::fs::write(
        job.destination().join(format!("snapshots/{stamp}.json")),
        "{",
    )
    .expect("cut");
    let job = job
        .with("BACKUP_KEEP_LAST", "1")
        .with("BACKUP_SERVICE_HOST", "10.0.0.1");
    assert_warned(&job, 0, &["snapshots_damaged", "unknown_variable"]);
}
