//! What a prune leaves, on every store.

use agol_backup::archive::{Archive, Hold, Sealed, Version};
use agol_backup::retention::Rules;
use agol_backup::snapshot::{Entry, Snapshot, Stamp, now};
use serde_json::json;

use super::contract::{change, item, write};
use crate::support::aside::wait_for;
use crate::support::store::Store;

fn stamp(name: &str) -> Stamp {
    Stamp::parse(name).expect("a stamp")
}

async fn commit(archive: &Archive, hold: &Hold, stamp: &Stamp, sealed: &Sealed) {
    let item = json!({"id": item().id, "title": "Parks", "type": "Feature Service", "owner": "gis", "state": "stored",
        "change": null, "record": sealed.path, "record_sha256": sealed.sha256, "files": 1, "bytes": 1, "rows": 0, "notes": 0});
    let entry: Entry = serde_json::from_value(item).expect("an entry");
    let snapshot = json!({"format": 1, "stamp": stamp, "program": "test", "started_at": now(), "finished_at": now(),
        "portal": {"url": "https://portal.example", "org_id": null, "username": null}, "complete": true, "items": [entry]});
    let snapshot: Snapshot = serde_json::from_value(snapshot).expect("a snapshot");
    archive.commit(hold, &snapshot).await.expect("committed");
}

async fn sealed(version: Version) -> Sealed {
    version.seal(&item(), change()).await.expect("a record")
}

pub(super) fn a_prune_leaves_what_is_named_and_nothing_else(store: &Store) {
    let archive = store.archive();
    wait_for(async {
        let hold = archive.hold(now()).await.expect("held");
        let first = archive.version(&item(), &stamp("20200101T000000Z"), None);
        for name in [
            "shared.txt",
            "layers/only-here.txt",
            "attachments/0/7/3-x.jpg",
        ] {
            write(&first, name, 3_000).await.expect(name);
        }
        let first = sealed(first).await;
        commit(&archive, &hold, &stamp("20200101T000000Z"), &first).await;
        let second = archive.version(&item(), &stamp("20200102T000000Z"), Some(first.record));
        let shared = second
            .earlier_files()
            .find(|file| file.path.ends_with("shared.txt"))
            .expect("shared")
            .clone();
        second.reuse(&shared);
        write(&second, "new.txt", 100).await.expect("new");
        let second = sealed(second).await;
        commit(&archive, &hold, &stamp("20200102T000000Z"), &second).await;
        let dead = archive.version(&item(), &stamp("20200103T000000Z"), None);
        write(&dead, "layers/half.txt", 100).await.expect("half");
        drop(dead);
        commit(&archive, &hold, &hold.stamp, &second).await;
        let rules = Rules {
            last: std::num::NonZeroU32::new(1),
            ..Rules::default()
        };
        let pruned = archive.prune(&rules, &hold).await.expect("pruned");
        assert_eq!(
            (
                pruned.snapshots,
                pruned.versions,
                pruned.files,
                pruned.bytes
            ),
            (2, 2, 2, 6_000)
        );
        let again = archive.prune(&rules, &hold).await.expect("pruned");
        assert_eq!(
            (again.snapshots, again.files, again.left),
            (0, 0, 0),
            "nothing is left to do"
        );
        hold.release(true).await.expect("released");
    });
    let left: Vec<String> = store.files().into_keys().collect();
    let expected = [
        format!("{}/20200101T000000Z/shared.txt", folder()),
        format!("{}/20200102T000000Z/new.txt", folder()),
        format!("{}/20200102T000000Z/record.json", folder()),
    ];
    assert_eq!(left[..3], expected);
    assert!(
        left.len() == 4 && left[3].starts_with("snapshots/"),
        "{left:?}"
    );
}

fn folder() -> String {
    format!("items/{}", item().folder())
}
