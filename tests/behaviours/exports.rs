//! Exported files that the server does not confirm.

use serde_json::Value;

use super::{by, ids, missing, nothing_left, troubled};
use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::worlds;

fn notes(faults: impl IntoIterator<Item = Fault>) -> FakePortal {
    troubled(worlds::one_layer(worlds::notes(40)), faults)
}

#[test]
fn an_export_whose_rows_nobody_counts_is_noted() {
    let portal = notes([Fault::on("count", FaultKind::CountNull).forever()]);
    let job = by("export", &portal);
    job.run().ended(0);
    nothing_left(&portal);
    assert_eq!(ids(&job, "Notes").len(), 40);
    assert_eq!(job.archive().notes("Notes"), ["rows_not_counted"]);
    let file = job.archive().files_of("Notes", "rows").remove(0);
    assert_eq!(
        (&file["rows"], &file["server_rows"]),
        (&40.into(), &Value::Null)
    );
}

/// The file has its last row twice.
fn doubles_a_row() -> Fault {
    let double = FaultKind::alter(|_, mut reply| {
        let mut file: Value = serde_json::from_slice(&reply.body).expect("GeoJSON");
        let rows = file["features"].as_array_mut().expect("rows");
        rows.extend(rows.last().cloned());
        reply.body = file.to_string().into();
        reply
    });
    Fault::on("blob", double)
}

#[test]
fn a_row_that_an_export_has_twice_is_noticed() {
    let portal = notes([doubles_a_row()]);
    let job = by("export", &portal);
    job.run().ended(0);
    assert_eq!(
        (ids(&job, "Notes").len(), portal.exports_created().len()),
        (40, 2)
    );
    assert_eq!(job.archive().notes("Notes"), [""; 0]);

    let portal = notes([doubles_a_row().forever()]);
    let job = by("export", &portal);
    job.run().ended(0);
    nothing_left(&portal);
    assert_eq!(job.archive().notes("Notes"), ["changed_during_read"]);
}

#[test]
fn an_exported_file_that_is_cut_for_ever_fails_its_item() {
    for cut in [
        FaultKind::CutBody,
        FaultKind::CutChunked,
        FaultKind::CutGzip,
    ] {
        let portal = notes([Fault::on("blob", cut).forever()]);
        let job = by("export", &portal).with("BACKUP_EXPORT_TIMEOUT", "5s");
        job.run().ended(3);
        missing(&job, "Notes");
        nothing_left(&portal);
        let files = job.archive().files();
        let kept = files.iter().filter(|path| path.starts_with("items/"));
        assert_eq!(kept.count(), 0, "nothing half-read is kept: {files:?}");
    }
}
