//! Files come by redirect from a store whose answers, names and addresses are not to be trusted.

use super::{by_query, untroubled};
use crate::support::portal::{Data, FakePortal, Fault, FaultKind, Item, Reply};
use crate::support::run::Job;
use crate::support::worlds;

const BYTES: &[u8] = b"%PDF-1.7 a report";

/// One file item without a name of its own.
fn report() -> FakePortal {
    let mut item = Item::new("PDF", "Report");
    item.data = Data::File {
        media: "application/pdf",
        bytes: BYTES.into(),
    };
    let mut world = worlds::empty();
    world.add_item(item);
    FakePortal::start_blocking(world)
}

/// The file of the report, by its name in the version's folder; its bytes are right.
#[track_caller]
fn stored(job: &Job) -> String {
    job.run().ended(0);
    job.archive().assert_whole();
    let file = job.archive().files_of("Report", "data").remove(0);
    let path = file["path"].as_str().expect("a path");
    assert_eq!(job.archive().bytes(path), BYTES);
    path.rsplit('/').next().expect("a name").to_owned()
}

/// The fault strikes once, and the file is there all the same.
#[track_caller]
fn survives(route: &str, kind: FaultKind) {
    let portal = report();
    portal.add_fault(Fault::on(route, kind));
    stored(&by_query(&portal));
}

/// The fault lasts, and the item is missing for this reason.
#[track_caller]
fn fails(portal: &FakePortal, reason: &str) {
    let job = by_query(portal);
    job.run().ended(3);
    let entry = job.archive().entry("Report");
    let message = entry["error"]["message"].as_str().expect("a reason");
    assert!(message.contains(reason), "{message}");
}

#[test]
fn an_address_that_has_ended_is_asked_for_anew() {
    let ended = || {
        Reply::bytes(
            "application/xml",
            "<Error><Code>AccessDenied</Code></Error>",
        )
        .status(403)
    };
    survives("blob", FaultKind::custom(move |_| ended()));
    let portal = report();
    portal.edit(|world| world.settings.signed_url_seconds = 0);
    let heal = FaultKind::edit(|world| world.settings.signed_url_seconds = 300);
    portal.add_fault(Fault::on("data", heal).skip(1));
    stored(&by_query(&portal));
    assert_eq!(portal.count("data"), 2, "a new address each time");
}

#[test]
fn a_file_that_drips_arrives() {
    survives("blob", FaultKind::Drip);
}

#[test]
fn a_chain_of_redirects_is_followed_bare() {
    let portal = report();
    let elsewhere = portal.elsewhere_url();
    let hop = Reply::redirect(format!("{elsewhere}/hop"));
    let first = FaultKind::custom(move |_| hop.clone());
    portal.add_fault(Fault::on("data", first));
    let file = FaultKind::custom(|_| Reply::bytes("application/pdf", BYTES));
    portal.add_fault(Fault::on("elsewhere:*", file));
    stored(&by_query(&portal));
    assert_eq!(
        portal
            .requests()
            .iter()
            .filter(|seen| seen.path == "/hop")
            .count(),
        1
    );
}

#[test]
fn redirects_without_end_fail_the_item() {
    let portal = report();
    let round = FaultKind::custom(|call| Reply::redirect(format!("{}x", call.path)));
    portal.add_fault(Fault::on("data", round.clone()).forever());
    portal.add_fault(Fault::on("unknown", round).forever());
    fails(&portal, "redirects");
    assert!(
        portal.count("unknown") < 10,
        "{} hops",
        portal.count("unknown")
    );
}

#[test]
fn a_redirect_to_an_address_that_is_none_fails_the_item() {
    for target in [
        "http://gis.city.gov/file",
        "ftp://gis.city.gov/file",
        "file:///etc/passwd",
        "http://",
    ] {
        let portal = report();
        let away = FaultKind::custom(move |_| Reply::redirect(target.to_owned()));
        portal.add_fault(Fault::on("data", away).forever());
        fails(&portal, "");
        assert!(portal.count("data") <= 5, "{target}");
    }
}

#[test]
fn the_name_that_the_store_gives_leads_nowhere() {
    for (name, ending) in [
        ("attachment; filename=\"../../../evil.sh\"", "data.sh"),
        ("attachment; filename=\"..\\..\\evil.pdf\"", "data.pdf"),
        (
            "attachment; filename=\"report.pdf/../../../evil\"",
            "data.bin",
        ),
        (
            "attachment; filename=\"a \\\"quoted\\\" name.pdf\"",
            "data.pdf",
        ),
        (
            "attachment; filename=x.tar/..; filename*=UTF-8''..%2F..%2Fevil.pdf",
            "data.pdf",
        ),
        ("attachment; filename=\"report.p/../d\\f\"", "data.bin"),
        ("attachment; filename=\".\"", "data.bin"),
        ("filename=", "data.bin"),
    ] {
        let portal = report();
        let named = FaultKind::alter(move |_, mut reply| {
            reply
                .headers
                .retain(|(header, _)| *header != "content-disposition");
            reply.header("content-disposition", name)
        });
        portal.add_fault(Fault::on("blob", named).forever());
        let job = by_query(&portal);
        let stored = stored(&job);
        assert_eq!(stored, ending, "{name}");
        let around = std::fs::read_dir(job.folder()).expect("a folder").count();
        assert_eq!(around, 1, "only the archive is in the folder");
    }
}

#[test]
fn files_that_the_portal_sends_itself_are_the_same() {
    let portal = FakePortal::start_blocking(worlds::city());
    let by_redirect = untroubled(&portal);
    portal.edit(|world| world.settings.files_inline = true);
    assert_eq!(untroubled(&portal), by_redirect);
}

#[test]
fn documents_under_any_media_type_are_the_same() {
    let portal = FakePortal::start_blocking(worlds::city());
    let as_json = untroubled(&portal);
    portal.edit(|world| world.settings.plain_text_json = true);
    assert_eq!(untroubled(&portal), as_json);
}
