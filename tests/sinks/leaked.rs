//! Uploads that come to nothing are called off: S3 keeps their parts, shows them to nobody and sends a bill for them.
//! moto, which shares no code with the server of the other tests, says what is left.

use crate::support::begun::Begun;
use crate::support::moto::{Moto, MotoBucket};
use crate::support::portal::{Data, FakePortal, Fault, FaultKind, Item};
use crate::support::proxy::{Act, Passed, Proxy, Rule};
use crate::support::run::Job;
use crate::support::{s3, worlds};

/// Five parts, and half of it more than two.
const FIVE_PARTS: usize = 40 << 20;
/// When five are on their way, more are to come.
const MANY_PARTS: usize = 100 << 20;

/// One large item, and where it goes.
struct World {
    portal: FakePortal,
    bucket: MotoBucket,
    proxy: Proxy,
}

impl World {
    fn new(length: usize) -> Self {
        let mut item = Item::new("PDF", "Aerial photographs");
        item.data = Data::File {
            media: "application/pdf",
            bytes: vec![b'%'; length].into(),
        };
        let mut world = worlds::empty();
        world.add_item(item);
        let bucket = Moto::bucket();
        Self {
            portal: FakePortal::start_blocking(world),
            proxy: Proxy::to(bucket.url()),
            bucket,
        }
    }

    fn job(&self) -> Job {
        let destination = format!("s3://{}/arcgis", self.bucket.name());
        Job::against(&self.portal)
            .with("BACKUP_DESTINATION", destination)
            .with("SINK_ENDPOINT", self.proxy.url())
            .with("SINK_REGION", s3::REGION)
            .with("SINK_ACCESS_KEY_ID", s3::ACCESS_KEY)
            .with("SINK_SECRET_ACCESS_KEY", s3::SECRET_KEY)
    }

    fn requests(&self, method: &str, part: &str) -> usize {
        let wanted = |one: &Passed| one.method == method && one.path.contains(part);
        self.proxy.count(wanted)
    }

    /// Neither parts nor what a whole upload would have become.
    #[track_caller]
    fn assert_nothing_is_left(&self) {
        assert_eq!(
            self.bucket.pending_uploads(),
            0,
            "every upload is called off"
        );
        let files = self.bucket.files();
        let stray = |path: &&String| path.contains("/data.") || path.contains("/passes/");
        assert_eq!(files.keys().find(stray), None);
    }
}

#[test]
fn an_item_whose_download_breaks_off_leaves_no_upload() {
    let world = World::new(FIVE_PARTS);
    let cut = Fault::on("blob", FaultKind::CutBody);
    world.portal.add_fault(cut.forever());
    world.job().run().ended(3);
    assert_eq!(world.requests("POST", "?uploads"), 3, "each try began one");
    world.assert_nothing_is_left();
}

#[test]
fn sigterm_leaves_no_upload_whether_parts_are_to_come_or_the_last_is_on_its_way() {
    for length in [MANY_PARTS, FIVE_PARTS] {
        let world = World::new(length);
        let parts = Rule::on("PUT", "partNumber=").skip(1).forever();
        world.proxy.add(parts.then(Act::Hold));
        let begun = Begun::of(&world.job()).until("it stands still", |_| {
            world.requests("PUT", "partNumber=") == 5
        });
        assert_eq!(world.bucket.pending_uploads(), 1, "it is under way");
        begun.told("TERM").ended(143);
        world.assert_nothing_is_left();
    }
}
