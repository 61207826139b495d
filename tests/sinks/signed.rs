//! Azure by a signature for one container, as a portal's page gives it: it may not delete in batches.

use serde_json::json;

use crate::support::azurite::{ACCOUNT, Azurite};
use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::run::Job;
use crate::support::worlds;

#[test]
fn a_signature_does_for_everything_with_and_without_its_question_mark() {
    for mark in ["", "?"] {
        let portal = FakePortal::start_blocking(worlds::small_office());
        let container = Azurite::container();
        let job = Job::against(&portal)
            .with(
                "BACKUP_DESTINATION",
                format!("azblob://{}/arcgis", container.name()),
            )
            .with("SINK_ENDPOINT", container.endpoint())
            .with("SINK_ACCOUNT_NAME", ACCOUNT)
            .with(
                "SINK_SAS_TOKEN",
                format!("{mark}{}", container.container_sas()),
            );
        job.run().ended(0);
        job.run().ended(0);
        // A failed item's files are removed as a folder, a going snapshot's one by one.
        let row = worlds::values(json!({"NOTE": "new"}));
        portal.edit(|world| world.add_feature("Office", 0, row, None));
        portal.add_fault(Fault::on("service", FaultKind::Status(400, None)).forever());
        let run = job.with("BACKUP_KEEP_LAST", "1").run();
        run.ended(3);
        assert_eq!(
            run.events("pruned").len() + run.events("unfinished version left").len(),
            1,
            "{}",
            run.stdout
        );
        let files = container.files();
        let snapshots = files
            .keys()
            .filter(|path| path.contains("/snapshots/"))
            .count();
        let marks = files
            .keys()
            .filter(|path| path.contains("/passes/"))
            .count();
        assert_eq!(
            (snapshots, marks),
            (2, 0),
            "the newest, and the newest complete one"
        );
    }
}
