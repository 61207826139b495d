//! What finding the newest snapshot and pruning cost: `ARCHITECTURE.md` has the same numbers.

use agol_backup::archive::{Archive, Hold};
use agol_backup::item::Item;
use agol_backup::retention::Rules;
use agol_backup::snapshot::{Snapshot, Stamp, now};
use serde_json::{Value, json};

use super::contract::{change, write};
use crate::support::aside::wait_for;
use crate::support::store::Store;

fn items(count: usize) -> Vec<Item> {
    let about = |number| json!({"id": format!("{number:032x}"), "title": "Parks", "type": "Web Map", "owner": "gis", "modified": 0});
    (0..count)
        .map(|number| serde_json::from_str(&about(number).to_string()).expect("an item"))
        .collect()
}

/// That many snapshots of that many items, the last one the holder's own.
async fn fill(archive: &Archive, snapshots: usize, count: usize) -> Hold {
    let first = Stamp::parse("20200101T000000Z").expect("a stamp");
    let mut entries: Vec<Value> = Vec::new();
    for item in items(count) {
        let version = archive.version(&item, &first, None);
        write(&version, "layers/a.txt", 100).await.expect("a file");
        let sealed = version.seal(&item, change()).await.expect("a record");
        entries.push(json!({"id": item.id, "title": "Parks", "type": "Web Map", "owner": "gis", "state": "unchanged", "change": null,
            "record": sealed.path, "record_sha256": sealed.sha256, "files": 1, "bytes": 100, "rows": 0, "notes": 0}));
    }
    let hold = archive.hold(now()).await.expect("held");
    let earlier = (1..snapshots).map(|day| format!("202001{day:02}T000000Z"));
    for stamp in earlier.chain([hold.stamp.to_string()]) {
        let snapshot = json!({"format": 1, "stamp": stamp, "program": "test", "started_at": now(), "finished_at": now(),
            "portal": {"url": "https://portal.example", "org_id": null, "username": null}, "complete": true, "items": entries});
        let snapshot: Snapshot = serde_json::from_value(snapshot).expect("a snapshot");
        archive.commit(&hold, &snapshot).await.expect("committed");
        let account = json!({"failed": []});
        archive
            .remember(&snapshot.stamp, &account)
            .await
            .expect("remembered");
    }
    hold
}

/// For the newest snapshot, and for a prune that finds nothing to remove.
fn cost(store: &Store, snapshots: usize, items: usize) -> (usize, usize) {
    let archive = store.archive();
    let hold = wait_for({
        let archive = archive.clone();
        async move { fill(&archive, snapshots, items).await }
    });
    let asked = || match (store.proxy(), store.graph()) {
        (Some(proxy), _) => proxy.requests().len(),
        (_, Some(graph)) => graph.requests().len(),
        _ => panic!("a store that can be asked"),
    };
    let start = asked();
    let newest = wait_for(archive.newest_snapshot()).expect("an answer");
    assert_eq!(newest.expect("a snapshot").stamp, hold.stamp);
    let between = asked();
    let rules = Rules {
        last: std::num::NonZeroU32::new(100),
        ..Rules::default()
    };
    let pruned = wait_for(archive.prune(&rules, &hold)).expect("pruned");
    assert_eq!(pruned, agol_backup::archive::Pruned::default());
    (between - start, asked() - between)
}

#[test]
fn on_s3_the_newest_snapshot_costs_four_requests_and_a_prune_two_a_snapshot_and_one_an_item() {
    for (snapshots, items) in [(2, 3), (7, 3), (7, 12)] {
        let (newest, prune) = cost(&Store::s3(), snapshots, items);
        assert_eq!(newest, 4);
        assert_eq!(
            prune,
            6 + 2 * snapshots + items,
            "{snapshots} snapshots, {items} items"
        );
    }
}

#[test]
fn on_onedrive_too_and_no_listing_is_deep() {
    for (snapshots, items) in [(2, 3), (7, 3), (7, 12)] {
        let store = Store::onedrive();
        let (newest, prune) = cost(&store, snapshots, items);
        assert!(newest <= 8, "{newest}");
        assert!(
            prune <= 14 + 4 * snapshots + 2 * items,
            "{prune} for {snapshots} snapshots, {items} items"
        );
        let graph = store.graph().expect("the fake Graph");
        let listed = graph
            .requests()
            .into_iter()
            .filter(|seen| seen.route == "children");
        let depth = |path: &str| {
            path.split_once("/items")
                .map_or(0, |(_, rest)| rest.matches('/').count())
        };
        assert!(
            listed.clone().all(|seen| depth(&seen.path) <= 2),
            "{:#?}",
            listed.map(|seen| seen.path).collect::<Vec<_>>()
        );
    }
}
