//! Files that are somewhere else, and files that the portal names and does not give.

use super::{by, troubled};
use crate::support::portal::{Fault, FaultKind, Reply};
use crate::support::worlds;

#[test]
fn an_attachment_that_is_elsewhere_is_fetched_bare() {
    let mut layer = worlds::notes(3);
    layer.attach(2, "photo.jpg", worlds::jpeg(1, 4000));
    let portal = troubled(worlds::one_layer(layer), []);
    let elsewhere = format!("{}/photo", portal.elsewhere_url());
    let away = FaultKind::custom(move |_| Reply::redirect(elsewhere.clone()));
    portal.add_fault(Fault::on("attachment", away).forever());
    let photo = FaultKind::custom(|_| Reply::bytes("image/jpeg", worlds::jpeg(1, 4000)));
    portal.add_fault(Fault::on("elsewhere:*", photo));
    let job = by("query", &portal);
    job.run().ended(0);
    let file = job.archive().files_of("Notes", "attachment").remove(0);
    let bytes = job.archive().bytes(file["path"].as_str().expect("a path"));
    assert_eq!(bytes, worlds::jpeg(1, 4000));
    let seen = portal
        .requests()
        .into_iter()
        .find(|seen| seen.path == "/photo");
    let seen = seen.expect("asked there");
    assert!(!seen.has_token && seen.referer.is_none(), "{seen:?}");
}

#[test]
fn a_file_that_is_named_and_stays_empty_is_noted() {
    for (route, note) in [
        ("data", "data_empty"),
        ("resource", "resource_empty"),
        ("thumbnail", "thumbnail_not_readable"),
        ("metadata", "metadata_not_readable"),
    ] {
        let portal = troubled(worlds::city(), []);
        let title = if route == "metadata" {
            "Annual report"
        } else {
            "City map"
        };
        let id = portal.edit(|world| world.titled(title).id.clone());
        portal.add_fault(Fault::on(route, FaultKind::EmptyBody).only(&id).forever());
        let job = by("query", &portal).with("BACKUP_ITEM_TYPES", "Web Map,PDF");
        job.run().ended(0);
        let mut notes = job.archive().notes(title);
        notes.dedup(); // one for each resource
        assert_eq!(notes, [note], "{route}");
    }
}
