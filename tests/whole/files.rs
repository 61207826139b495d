//! Attachments and files: their number and their length are the portal's.

use serde_json::{Value, json};

use super::{assert_failed, portal_with, services};
use crate::support::portal::{Call, Catalogue, Data, Fault, FaultKind, Item, Reply};
use crate::support::worlds;

/// A layer with three attachments.
fn with_photos() -> Catalogue {
    let mut world = services(&["Notes"]);
    for oid in [3, 5, 8] {
        world
            .layer_mut("Notes", 0)
            .attach(oid, "photo.jpg", worlds::jpeg(1, 4000));
    }
    world
}

#[test]
fn an_attachment_that_breaks_once_is_fetched_again() {
    let cut = |row: i64, cut| Fault::on("attachment", cut).only(&format!("/{row}/attachments/"));
    let cuts = vec![cut(3, FaultKind::CutBody), cut(8, FaultKind::CutChunked)];
    let (portal, job) = portal_with(with_photos(), cuts);
    job.run().ended(0);
    job.archive().assert_whole();
    let photos = job.archive().files_of("Notes", "attachment");
    let length = json!(worlds::jpeg(1, 4000).len());
    assert!(photos.len() == 3 && photos.iter().all(|photo| photo["bytes"] == length));
    assert_eq!(portal.count("attachment"), 5);
}

#[test]
fn an_attachment_shorter_than_announced_fails_its_item() {
    let mut world = with_photos();
    let photos = &mut world.layer_mut("Notes", 0).attachments;
    let photo = std::sync::Arc::make_mut(photos)
        .get_mut(&5)
        .expect("a photo");
    photo[0].told_size = Some(1_000_000);
    let (_portal, job) = portal_with(world, vec![]);
    let message = assert_failed(&job, &job.run(), "Notes", "missing", "attachments");
    assert!(message.contains("1000000"), "{message}");
}

#[test]
fn a_list_of_attachments_below_the_servers_count_fails_its_item() {
    let forget = FaultKind::alter(|call: &Call, reply| {
        let mut answer: Value = serde_json::from_slice(&reply.body).expect("a list");
        let groups = answer["attachmentGroups"].as_array_mut().expect("groups");
        groups.retain(|group| call.flag("returnCountOnly") || group["parentObjectId"] != 8);
        Reply::json(&answer)
    });
    let fault = Fault::on("query_attachments", forget).forever();
    let (_portal, job) = portal_with(with_photos(), vec![fault]);
    assert_failed(&job, &job.run(), "Notes", "missing", "attachments");
}

#[test]
fn an_attachment_that_is_an_error_is_not_kept_as_a_file() {
    let broken = FaultKind::ErrorInBody(json!({"code": 400, "message": "Attachment not found."}));
    let (_portal, job) = portal_with(
        with_photos(),
        vec![Fault::on("attachment", broken).forever()],
    );
    assert_failed(&job, &job.run(), "Notes", "missing", "attachments");
}

#[test]
fn a_file_that_breaks_once_is_fetched_again_whole() {
    let breaks = [
        ("One", "blob", FaultKind::CutBody),
        ("Two", "blob", FaultKind::Status(403, None)),
        ("Three", "data", FaultKind::Html200),
        ("Four", "data", FaultKind::TextPlainError(500, "Try again.")),
    ];
    let (mut world, mut faults) = (worlds::empty(), Vec::new());
    for (title, route, fault) in breaks {
        let mut item = Item::new("PDF", title);
        item.name = Some("report.pdf".to_owned());
        item.data = Data::File {
            media: "application/pdf",
            bytes: worlds::pdf("whole"),
        };
        faults.push(Fault::on(route, fault).only(&world.add_item(item)));
    }
    let (_portal, job) = portal_with(world, faults);
    let run = job.run();
    run.ended(0);
    assert_eq!(run.summary()["retries"], 4);
    for title in ["One", "Two", "Three", "Four"] {
        let file = job.archive().files_of(title, "data").remove(0);
        let bytes = job.archive().bytes(file["path"].as_str().expect("a path"));
        assert_eq!(bytes, worlds::pdf("whole"), "{title}");
    }
}
