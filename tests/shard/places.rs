//! In every kind of store a part is one folder more, and nothing of it lies elsewhere.

use crate::support::portal::FakePortal;
use crate::support::store::Store;
use crate::support::worlds;

#[test]
fn a_part_lies_in_a_folder_of_its_own_whatever_the_store() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    for store in [Store::folder(), Store::s3(), Store::onedrive()] {
        let mut stored = 0;
        for part in ["1", "2"] {
            let job = store.job(&portal).with("BACKUP_SHARD", format!("{part}/2"));
            stored += job.run().ended(0).summary()["stored"]
                .as_u64()
                .expect("a count");
            job.run_with(&["verify"]).ended(0);
        }
        assert_eq!(stored, 2);
        let files = store.files();
        let below = |part: &str| files.keys().filter(|path| path.starts_with(part)).count();
        let parts = [below("shard-1-of-2/"), below("shard-2-of-2/")];
        assert_eq!(
            parts.iter().sum::<usize>(),
            files.len(),
            "{:?}",
            files.keys()
        );
        for part in ["1", "2"] {
            let snapshots = below(&format!("shard-{part}-of-2/snapshots/"));
            assert_eq!(snapshots, 1, "{:?}", files.keys());
        }
    }
}
