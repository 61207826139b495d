//! What every store must do. Large files are larger than one part and not a multiple of one.

use std::collections::BTreeMap;
use std::time::Duration;

use agol_backup::archive::{Archive, Error, Version};
use agol_backup::item::Item;
use agol_backup::snapshot::{Change, File, Stamp, now};
use bytes::Bytes;
use serde_json::json;

use crate::support::aside::wait_for;
use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind};
use crate::support::run::Run;
use crate::support::store::{Store, Trouble};
use crate::support::worlds;

const STAMP: &str = "20261123T020000Z";
pub(super) const SMALL: usize = 3_000;
/// Three parts of S3 and Azure, six fragments of `OneDrive`.
pub(super) const LARGE: usize = 20 * 1024 * 1024 + 77;

pub(super) fn item() -> Item {
    let about = json!({"id": "0123456789abcdef0123456789abcdef", "title": "Parks", "type": "Feature Service",
                       "owner": "gis", "modified": 0, "created": 0});
    serde_json::from_str(&about.to_string()).expect("an item")
}

pub(super) fn version(archive: &Archive) -> Version {
    archive.version(&item(), &Stamp::parse(STAMP).expect("a stamp"), None)
}

fn file(name: &str) -> File {
    let about = json!({"path": name, "role": "data", "bytes": 0, "sha256": ""});
    serde_json::from_value(about).expect("a file")
}

pub(super) fn change() -> Change {
    let about = json!({"modified": 0, "read_at": "2026-11-23T02:00:00Z", "settings": ""});
    serde_json::from_value(about).expect("a change")
}

fn content(length: usize) -> Bytes {
    (0..length)
        .map(|at| u8::try_from(at * 31 % 251).expect("a byte"))
        .collect()
}

/// In pieces, as they come from the portal.
pub(super) async fn write(version: &Version, name: &str, length: usize) -> Result<u64, Error> {
    let content = content(length);
    let mut draft = version.draft(&file(name)).await?;
    let mut from = 0;
    while from < length {
        let piece = content.slice(from..length.min(from + 700_001));
        from += piece.len();
        if let Err(error) = draft.write(piece).await {
            draft.discard().await;
            return Err(error);
        }
    }
    version.finish(draft, file(name)).await
}

fn path(name: &str) -> String {
    format!("items/parks-0123456789abcdef0123456789abcdef/{STAMP}/{name}")
}

#[track_caller]
pub(super) fn assert_has(store: &Store, expected: &[(&str, usize)]) {
    let files = store.files();
    let names: Vec<_> = files.keys().cloned().collect();
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(name, length)| (path(name), content(*length)))
        .collect();
    let expected_names: Vec<_> = expected.keys().cloned().collect();
    assert_eq!(names, expected_names);
    assert!(
        files.iter().all(|(path, bytes)| *expected[path] == **bytes),
        "other bytes"
    );
    assert_eq!(store.pending(), 0, "nothing is left half-written");
}

pub(super) fn what_is_written_is_read(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    let all = [
        ("empty.txt", 0),
        ("small.txt", SMALL),
        ("layers/large.bin", LARGE),
    ];
    wait_for(async {
        archive.probe().await.expect("a probe");
        for (name, length) in all {
            assert_eq!(
                write(&version, name, length).await.expect(name),
                length as u64
            );
        }
    });
    assert_has(store, &all);
    wait_for(async {
        let sealed = version.seal(&item(), change()).await.expect("a record");
        let record = archive
            .record(&sealed.path, &sealed.sha256)
            .await
            .expect("an answer");
        assert_eq!(record.expect("a record").files.len(), 3);
        let other = archive.record(&sealed.path, "0").await.expect("an answer");
        assert!(other.is_err(), "another hash is another record");
        assert!(
            archive
                .newest_snapshot()
                .await
                .expect("an answer")
                .is_none()
        );
    });
}

pub(super) fn pieces_that_fill_parts_to_the_byte_and_empty_ones_are_written(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    let length = 17 << 20;
    let whole = content(length);
    wait_for(async {
        let mut draft = version.draft(&file("even.bin")).await.expect("a draft");
        for from in (0..length).step_by(1 << 16) {
            let piece = whole.slice(from..from + (1 << 16));
            draft.write(Bytes::new()).await.expect("nothing to write");
            draft.write(piece).await.expect("written");
        }
        version
            .finish(draft, file("even.bin"))
            .await
            .expect("finished");
    });
    assert_has(store, &[("even.bin", length)]);
}

pub(super) fn a_name_is_never_written_twice(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    let again = wait_for(async {
        write(&version, "a.txt", SMALL).await.expect("the first");
        write(&version, "a.txt", SMALL + 1).await
    });
    let error = again.expect_err("refused").to_string();
    assert!(
        error.contains("a.txt") && error.contains("there already"),
        "{error}"
    );
    assert_has(store, &[("a.txt", SMALL)]);
}

pub(super) fn what_is_discarded_leaves_nothing(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    wait_for(async {
        for length in [SMALL, LARGE] {
            let mut draft = version.draft(&file("x.bin")).await.expect("a draft");
            draft.write(content(length)).await.expect("written");
            draft.discard().await;
        }
        let hold = archive.hold(now()).await.expect("held");
        hold.release(false).await.expect("released");
    });
    assert_has(store, &[]);
}

pub(super) fn a_dropped_upload_is_called_off(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    wait_for(async {
        let hold = archive.hold(now()).await.expect("held");
        let mut draft = version.draft(&file("x.bin")).await.expect("a draft");
        for _ in 0..3 {
            draft.write(content(LARGE)).await.expect("written");
        }
        drop(draft); // as a signal does
        hold.release(false).await.expect("released");
    });
    assert_has(store, &[]);
}

pub(super) fn a_lost_reply_is_no_failure(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    let all = [("small.txt", SMALL), ("large.bin", LARGE)];
    for (name, length) in all {
        store.trouble(name, length == LARGE, Trouble::LostReply);
        wait_for(write(&version, name, length)).expect(name);
    }
    assert_has(store, &all);
}

pub(super) fn a_pause_that_is_asked_for_is_made(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    let all = [("small.txt", SMALL), ("large.bin", LARGE)];
    for (name, length) in all {
        store.trouble(name, length == LARGE, Trouble::Throttled);
        wait_for(write(&version, name, length)).expect(name);
    }
    assert_has(store, &all);
}

pub(super) fn a_store_without_room_is_an_error_and_leaves_nothing(store: &Store) {
    if !store.is_remote() {
        return super::settings::a_folder_without_room();
    }
    let archive = store.archive();
    let version = version(&archive);
    for (name, length) in [("small.txt", SMALL), ("large.bin", LARGE)] {
        store.trouble(name, length == LARGE, Trouble::Full);
        let error = wait_for(write(&version, name, length))
            .expect_err("no room")
            .to_string();
        assert!(
            error.contains(name) && error.to_lowercase().contains("quota"),
            "{error}"
        );
    }
    assert_has(store, &[]);
}

pub(super) fn a_thousand_small_files(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    let names: Vec<String> = (0..1_000)
        .map(|number| format!("attachments/0/{number}/{number}.bin"))
        .collect();
    // Eight at a time, as a pass does.
    for some in names.chunks(8) {
        let written = wait_for(futures::future::join_all(
            some.iter().map(|name| write(&version, name, 4_000)),
        ));
        assert!(written.iter().all(Result::is_ok), "{written:?}");
    }
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), 4_000)).collect();
    assert_has(store, &all);
    wait_for(version.discard());
    assert_has(store, &[]);
}

pub(super) fn a_wrong_key_ends_at_once_with_the_stores_own_reason(store: &Store) {
    if !store.is_remote() {
        return super::settings::a_folder_that_may_not_be_written();
    }
    let portal = FakePortal::start_blocking(worlds::one_layer(worlds::notes(3)));
    let job = store
        .wrong_key()
        .into_iter()
        .fold(store.job(&portal), |job, (name, value)| {
            job.with(name, value)
        });
    let run = job.run();
    run.ended(13);
    let error = run.summary()["error"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(error.contains("cannot be written"), "{error}");
    let reasons = [
        "SignatureDoesNotMatch",
        "AuthorizationFailure",
        "AADSTS7000215",
    ];
    assert!(
        reasons.iter().any(|reason| error.contains(reason)),
        "{error}"
    );
    assert!(
        portal.requests().is_empty(),
        "nothing is asked of the portal"
    );
    assert!(store.files().is_empty());
}

pub(super) fn passes_store_and_find_their_work_again(store: &Store) {
    let portal = FakePortal::start_blocking(worlds::city());
    let first = store.job(&portal).run();
    first.ended(0);
    let before = store.files();
    assert_whole(&before);
    let second = store.job(&portal).run();
    second.ended(0);
    assert_mostly_unchanged(&second);
    let after = store.files();
    assert!(
        before
            .iter()
            .all(|(path, bytes)| after.get(path) == Some(bytes)),
        "nothing of the first is touched"
    );
    assert_whole(&after);
    assert!(
        !after.keys().any(|path| path.starts_with("passes/")),
        "no marker, no probe"
    );
}

pub(super) fn a_killed_pass_harms_nothing(store: &Store) {
    let portal = FakePortal::start_blocking(worlds::city());
    store.job(&portal).run().ended(0);
    let before = store.files();
    portal.edit(|world| world.touch("Hydrants", 0));
    portal.add_fault(Fault::on("query", FaultKind::Hang).forever());
    let begun =
        Begun::of(&store.job(&portal)).until("rows are asked for", |_| portal.count("query") > 0);
    assert_eq!(begun.told("KILL").code, -1);
    portal.clear_faults();
    let after = store.files();
    assert!(
        before
            .iter()
            .all(|(path, bytes)| after.get(path) == Some(bytes))
    );
    assert_whole(&after);
    store.job(&portal).run().ended(0);
    assert_whole(&store.files());
    assert!(!store.files().keys().any(|path| path.starts_with("passes/")));
    assert_eq!(store.pending(), 0);
}

pub(super) fn a_second_pass_at_once_is_locked_out(store: &Store) {
    let portal = FakePortal::start_blocking(worlds::city());
    portal.add_fault(Fault::on("query", FaultKind::Slow(1_500)));
    let first =
        Begun::of(&store.job(&portal)).until("rows are asked for", |_| portal.count("query") > 0);
    store.job(&portal).run().ended(11);
    first.end().ended(0);
    assert_whole(&store.files());
    // Give the slow answer's thread its end before the portal goes.
    std::thread::sleep(Duration::from_millis(1));
}

pub(super) fn of_three_that_begin_at_once_never_two_hold(store: &Store) {
    let started = now();
    for _ in 0..3 {
        let archives = [store.archive(), store.archive(), store.archive()];
        let all = archives.iter().map(|archive| archive.hold(started));
        let ends = wait_for(futures::future::join_all(all));
        let locked = ends
            .iter()
            .filter(|end| matches!(end, Err(Error::Locked(_))));
        assert!(locked.count() >= 2, "{ends:?}");
        for hold in ends.into_iter().flatten() {
            wait_for(hold.release(true)).expect("released");
        }
        assert_eq!(store.files().len(), 0, "neither marks nor claims are left");
    }
    let hold = wait_for(store.archive().hold(started)).expect("nobody else is here");
    wait_for(hold.release(true)).expect("released");
}

pub(super) fn a_failed_version_is_removed(store: &Store) {
    let portal = FakePortal::start_blocking(worlds::city());
    let refusal = json!({"code": 403, "message": "Not for you."});
    let id = portal.edit(|world| world.titled("Annual report").id.clone());
    let fault = Fault::on("data", FaultKind::ErrorInBody(refusal));
    portal.add_fault(fault.only(&id).forever());
    store.job(&portal).run().ended(3);
    let files = store.files();
    assert!(
        !files.keys().any(|path| path.contains(&id)),
        "{:?}",
        files.keys()
    );
    assert_whole(&files);
}

/// One item of the city does not tell whether it changed.
#[track_caller]
pub(super) fn assert_mostly_unchanged(run: &Run) {
    let count = |member: &str| run.summary()[member].as_u64();
    assert_eq!((count("stored"), count("missing")), (Some(1), Some(0)));
    assert!(count("unchanged") > Some(10), "{}", run.stdout);
}

/// Snapshot → record → file, all of them.
#[track_caller]
fn assert_whole(files: &BTreeMap<String, Vec<u8>>) {
    let copy = tempfile::tempdir().expect("a folder");
    for (path, bytes) in files {
        let path = copy.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    let archive = crate::support::run::Archive {
        root: copy.path().to_owned(),
    };
    assert!(!archive.stamps().is_empty());
    archive.assert_whole();
}
