//! An export that is refused, stuck, late, garbled or half-answered costs its item at most.

use serde_json::json;

use super::{asked, by_export, fails, notes, nothing_left, quick, whole};
use crate::support::portal::{Fault, FaultKind, Reply};
use crate::support::worlds;

#[test]
fn a_job_is_waited_for_through_every_word_of_its_status() {
    let portal = notes([]);
    portal.edit(|world| world.settings.export_polls = 2); // processing, partial, completed
    whole(&portal);
    assert_eq!(portal.count("status"), 3);
    for seen in portal.requests_to("status") {
        assert_eq!(
            (seen.method.as_str(), seen.params["jobType"].as_str()),
            ("GET", "export")
        );
        assert!(seen.params["jobId"].contains("::job"), "the id as it came");
    }
}

#[test]
fn a_status_in_other_letters_or_words_ends_nothing() {
    let said = |word: &'static str| {
        FaultKind::custom(move |_| Reply::json(&json!({"status": word, "statusMessage": ""})))
    };
    let in_capitals = FaultKind::alter(|_, mut reply| {
        let text = String::from_utf8_lossy(&reply.body).replace("\"completed\"", "\"Completed\"");
        reply.body = text.into();
        reply
    });
    let portal = notes([Fault::on("status", said("Executing"))]);
    portal.add_fault(Fault::on("status", in_capitals).skip(1));
    whole(&portal);
    assert_eq!(portal.count("status"), 2);
}

#[test]
fn a_failed_job_fails_its_item_with_the_portals_words() {
    let words = [
        "Data store is full",
        r#"{"code":400,"message":"Data store is full"}"#,
    ];
    for word in words {
        let portal = notes([Fault::on("export", FaultKind::ExportFails(word)).forever()]);
        let (stage, message) = fails(&portal);
        assert_eq!(stage, "export");
        assert!(message.contains("Data store is full"), "{message}");
    }
}

#[test]
fn a_stuck_job_fails_its_item_at_the_time_limit() {
    let portal = notes([Fault::on("export", FaultKind::ExportStuck).forever()]);
    let (stage, message) = fails(&portal);
    assert_eq!(stage, "export");
    assert!(message.contains("BACKUP_EXPORT_TIMEOUT"), "{message}");
    assert!(
        portal.count("status") < 10,
        "{} questions",
        portal.count("status")
    );
}

#[test]
fn one_failed_export_does_not_stop_the_others() {
    let portal = quick(worlds::many_services(4));
    let item = portal.edit(|world| world.titled("Points 2").id.clone());
    let refused = Fault::on("export", FaultKind::ExportRefused).only(&item);
    portal.add_fault(refused.forever());
    let summary = by_export(&portal).run().ended(3).summary();
    assert_eq!(
        (&summary["stored"], &summary["missing"]),
        (&json!(3), &json!(1))
    );
    nothing_left(&portal);
}

#[test]
fn a_status_that_cannot_be_asked_for_a_while_restarts_no_job() {
    let portal = notes([Fault::on("status", FaultKind::Status(504, None))]);
    portal.add_fault(Fault::on("status", FaultKind::Html200).skip(1));
    let job = by_export(&portal).with("BACKUP_EXPORT_TIMEOUT", "60s");
    job.run().ended(0);
    nothing_left(&portal);
    assert_eq!(portal.exports_created().len(), 1);
}

#[test]
fn a_completed_file_that_cannot_be_had_yet_is_waited_for() {
    let portal = notes([Fault::on("export", FaultKind::CompletedButNotReady(2))]);
    whole(&portal);
    assert_eq!(
        (portal.count("data"), portal.exports_created().len()),
        (4, 1)
    ); // one for the item's own data
}

#[test]
fn what_is_no_exported_file_is_asked_for_again() {
    for garbled in [
        FaultKind::TextPlainError(500, "Internal error"),
        FaultKind::TextPlainError(400, "Error updating file item."),
        FaultKind::Html200,
        FaultKind::EmptyBody,
        FaultKind::CutBody,
        FaultKind::CutChunked,
        FaultKind::Status(403, None),
    ] {
        whole(&notes([Fault::on("blob", garbled)]));
    }
}

#[test]
fn what_is_never_an_exported_file_is_never_stored() {
    for garbled in [
        FaultKind::TextPlainError(400, "Error updating file item."),
        FaultKind::CutBody,
        FaultKind::custom(|_| Reply::bytes("application/geo+json", "{\"features\":[{}")),
        FaultKind::custom(|_| Reply::bytes("application/geo+json", "not a file of rows at all")),
    ] {
        assert_eq!(
            fails(&notes([Fault::on("blob", garbled).forever()])).0,
            "export"
        );
    }
}

#[test]
fn an_export_that_is_not_begun_fails_its_item() {
    let refused = FaultKind::TextPlainError(403, "You do not have permissions.");
    for not_begun in [FaultKind::ExportRefused, refused] {
        let portal = notes([Fault::on("export", not_begun).forever()]);
        assert_eq!(fails(&portal).0, "export");
        assert!(portal.exports_created().is_empty());
    }
}

#[test]
fn an_export_begun_without_telling_its_id_is_found_and_removed() {
    let portal = notes([Fault::on("export", FaultKind::ExportNoId).forever()]);
    fails(&portal);
    assert!(!portal.exports_created().is_empty());
}

#[test]
fn an_export_whose_answer_is_lost_is_looked_for_and_never_made_twice() {
    let portal = notes([Fault::on("export", FaultKind::TimeoutAfterActing)]);
    whole(&portal);
    assert_eq!(
        (portal.count("export"), portal.exports_created().len()),
        (1, 1)
    );
    assert_eq!(asked(&portal).len(), 1);
}

#[test]
fn an_export_whose_question_is_lost_is_asked_for_again() {
    for lost in [
        FaultKind::Reset,
        FaultKind::Status(503, None),
        FaultKind::Html(502),
    ] {
        let portal = notes([Fault::on("export", lost)]);
        whole(&portal);
        assert_eq!(
            (portal.count("export"), portal.exports_created().len()),
            (2, 1)
        );
    }
}

#[test]
fn a_deletion_that_fails_is_made_good_at_the_end_of_the_pass() {
    let portal = notes([Fault::on("delete", FaultKind::DeleteFails)]);
    let (_job, run) = whole(&portal);
    assert_eq!(run.events("temporary export not removed").len(), 1);
    assert_eq!(run.events("temporary export removed").len(), 1);
}

#[test]
fn what_is_already_gone_counts_as_deleted() {
    let portal = notes([Fault::on("delete", FaultKind::TimeoutAfterActing)]);
    let (_job, run) = whole(&portal);
    assert_eq!(portal.count("delete"), 2, "the answer was lost");
    assert!(run.events("temporary export not removed").is_empty());
}

#[test]
fn what_cannot_be_deleted_is_told_and_costs_no_copy() {
    let portal = notes([Fault::on("delete", FaultKind::DeleteFails).forever()]);
    let job = by_export(&portal);
    let run = job.run();
    run.ended(0);
    assert_eq!(run.events("temporary exports left").len(), 1);
    assert_eq!(portal.exports_left().len(), 1);
    portal.clear_faults();
    portal.edit(|world| {
        let item = world.items.iter_mut().find(|item| item.kind == "GeoJson");
        item.expect("what is left").created -= 7 * 3_600_000;
    });
    job.run().ended(0);
    nothing_left(&portal);
}
