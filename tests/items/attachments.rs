//! Files attached to rows: each once, with its bytes and the name that it had.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Kept, named};
use crate::support::portal::{FakePortal, Layer};
use crate::support::run::Job;
use crate::support::worlds;

/// What is attached to the rows of a layer, as the portal holds it.
fn attached(portal: &FakePortal, service: &str) -> Vec<(String, Vec<u8>)> {
    let layer = portal.edit(|world| world.layer_mut(service, 0).clone());
    let files = layer.attachments.values().flatten();
    let mut files: Vec<_> = files
        .map(|file| (file.name.clone(), file.bytes.to_vec()))
        .collect();
    files.sort();
    files
}

#[test]
fn attachments_are_kept_with_their_bytes_and_names() {
    let kept = Kept::of(worlds::city());
    let expected = attached(&kept.portal, "Hydrants");
    assert_eq!(expected.len(), 7);
    assert_eq!(named(&kept.archive(), "Hydrants", "attachment"), expected);
    let files = kept.archive().files_of("Hydrants", "attachment");
    let twins = files.iter().filter(|file| file["object_id"] == 7);
    let paths: BTreeSet<_> = twins.map(|file| file["path"].to_string()).collect();
    assert_eq!(paths.len(), 2, "the same name twice on one row");
    for file in &files {
        let (oid, id) = (&file["object_id"], &file["attachment_id"]);
        let place = format!("/attachments/0/{oid}/{id}-");
        assert!(
            file["path"].as_str().expect("a path").contains(&place),
            "{file}"
        );
    }
}

#[test]
fn attachments_are_found_past_a_page_and_row_by_row() {
    let many = |layer: &mut Layer| {
        for oid in 1..=9 {
            layer.attach(
                oid,
                "photo.jpg",
                worlds::jpeg(0, 10 * usize::try_from(oid).unwrap_or(0)),
            );
        }
        layer.attachment_page = 4;
    };
    for lists in [true, false] {
        let mut layer = worlds::notes(9).with(many);
        if !lists {
            let abilities = json!({"supportsPagination": true, "supportsOrderBy": true});
            layer
                .extra
                .insert("advancedQueryCapabilities".to_owned(), abilities);
        }
        let kept = Kept::of(worlds::one_layer(layer));
        let expected = attached(&kept.portal, "Notes");
        assert_eq!(
            named(&kept.archive(), "Notes", "attachment"),
            expected,
            "listed at once: {lists}"
        );
        assert_eq!(kept.portal.count("query_attachments") > 0, lists);
    }
}

#[test]
fn attachments_can_be_left_out() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal).with("BACKUP_ATTACHMENTS", "false");
    job.run().ended(0);
    assert!(job.archive().files_of("Hydrants", "attachment").is_empty());
    assert_eq!(
        portal.count("attachment") + portal.count("query_attachments"),
        0
    );
}
