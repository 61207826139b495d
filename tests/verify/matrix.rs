//! What happens to a file, what verify says of it, and what the next passes make of it.

use super::{Office, findings};
use crate::support::begun::Begun;
use crate::support::portal::{Fault, FaultKind};
use crate::support::run::Archive;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Snapshot,
    Record,
    Rows,
    Attachment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Deleted,
    Cut,
    OneBit,
    AnOlderOne,
}

impl What {
    fn path(self, archive: &Archive) -> String {
        let file = |role: &str| {
            archive.files_of("Office", role)[0]["path"]
                .as_str()
                .expect("a path")
                .to_owned()
        };
        match self {
            Self::Snapshot => format!(
                "snapshots/{}.json",
                archive.stamps().last().expect("a stamp")
            ),
            Self::Record => archive.entry("Office")["record"]
                .as_str()
                .expect("a path")
                .to_owned(),
            Self::Rows => file("rows"),
            Self::Attachment => file("attachment"),
        }
    }

    /// Another file of the same kind, earlier where there is one.
    fn older(self, archive: &Archive) -> String {
        let own = self.path(archive);
        let is_like = |path: &&String| match self {
            Self::Snapshot => path.starts_with("snapshots/"),
            Self::Record => path.starts_with("items/office-") && path.ends_with("record.json"),
            Self::Rows => path.contains("/layers/0-"),
            Self::Attachment => path.contains("/attachments/"),
        };
        let files = archive.files();
        let mut like = files.iter().filter(is_like).filter(|path| **path != own);
        like.next().expect("another").clone()
    }
}

fn damage(archive: &Archive, what: What, how: How) -> String {
    let path = what.path(archive);
    let mut bytes = archive.bytes(&path);
    match how {
        How::Deleted => {
            std::fs::remove_file(archive.root.join(&path)).expect("removed");
            return path;
        }
        How::Cut => bytes.truncate(bytes.len() / 2),
        How::OneBit => {
            // Inside a text, so that it is still JSON.
            let at = bytes
                .windows(4)
                .position(|four| four == b"Note" || four == b"note" || four == b"gis_");
            let at = at.unwrap_or(bytes.len() / 2);
            bytes[at] ^= 0x20;
        }
        How::AnOlderOne => bytes = archive.bytes(&what.older(archive)),
    }
    std::fs::write(archive.root.join(&path), bytes).expect("written");
    path
}

/// What verify says, and whether a pass notices by itself: it looks at lengths, not at contents.
fn expected(what: What, how: How) -> (&'static str, bool) {
    match (what, how) {
        (_, How::Deleted) => ("missing", true),
        (What::Snapshot, How::Cut) => ("not readable", true),
        (What::Snapshot | What::Record, _) => ("altered", true),
        (_, How::Cut | How::AnOlderOne) => ("bytes instead of", true),
        (_, How::OneBit) => ("altered", false),
    }
}

#[test]
fn all_damage_is_told_by_path_and_healed() {
    for what in [What::Snapshot, What::Record, What::Rows, What::Attachment] {
        for how in [How::Deleted, How::Cut, How::OneBit, How::AnOlderOne] {
            let office = Office::three_nights();
            let path = damage(&office.archive(), what, how);
            let (says, is_noticed) = expected(what, how);
            let case = format!("{what:?} {how:?}");
            let told = office.verify(&[]);
            assert_eq!(told.code, 14, "{case}: {}", told.stdout);
            let found = findings(&told);
            assert!(
                found.len() == 1 && found[0].0 == path && found[0].1.contains(says),
                "{case}: {found:?}"
            );
            let before = office.archive().files();
            if !is_noticed {
                office.job.run().ended(0);
                assert_eq!(
                    office.verify(&[]).code,
                    14,
                    "{case}: what a pass cannot see stays told"
                );
                office.verify(&["--repair"]).ended(14);
            }
            let pass = office.job.run();
            pass.ended(0);
            let says_so = pass.stdout.contains("damaged\"") && pass.stdout.contains(&path);
            assert!(says_so || !is_noticed, "{case}: {}", pass.stdout);
            let after = office.verify(&[]);
            assert_eq!(after.code, 0, "{case}: {}", after.stdout);
            assert!(
                before
                    .iter()
                    .all(|path| office.archive().files().contains(path)),
                "{case}: nothing is removed"
            );
            let unchanged = office.job.run();
            unchanged.ended(0);
            assert_eq!(
                unchanged.summary()["stored"],
                0,
                "{case}: and then there is peace"
            );
        }
    }
}

/// The mark of a pass that was killed.
fn with_a_dead_mark() -> (Office, String) {
    let office = Office::three_nights();
    office.edit_layer(0);
    office.portal.reset_log();
    office
        .portal
        .add_fault(Fault::on("query", FaultKind::Hang).forever());
    let begun =
        Begun::of(&office.job).until("rows are asked for", |_| office.portal.count("query") > 0);
    assert_eq!(begun.told("KILL").code, -1);
    office.portal.clear_faults();
    let marks = office.archive().names("passes");
    let mark = marks
        .iter()
        .find(|name| name.contains(".json"))
        .expect("a mark");
    (office, format!("passes/{mark}"))
}

#[test]
fn a_mark_that_cannot_be_read_is_somebodys_until_it_is_silent_and_harms_nothing() {
    for (how, code) in [
        (How::Deleted, 0),
        (How::Cut, 11),
        (How::OneBit, 0),
        (How::AnOlderOne, 0),
    ] {
        let (office, path) = with_a_dead_mark();
        let file = office.archive().root.join(&path);
        let text = office.archive().bytes(&path);
        match how {
            How::Deleted => std::fs::remove_file(&file).expect("removed"),
            How::Cut => std::fs::write(&file, &text[..text.len() / 2]).expect("cut"),
            How::OneBit => {
                let text = String::from_utf8(text).expect("text");
                std::fs::write(&file, text.replacen("agol", "Agol", 1)).expect("written");
            }
            How::AnOlderOne => {
                let text = String::from_utf8(text).expect("text");
                std::fs::write(&file, text.replace("2026", "2025")).expect("written");
            }
        }
        office.verify(&["--all"]).ended(0);
        let run = office.job.run();
        assert_eq!(run.code, code, "{how:?}: {}", run.stdout);
        office.verify(&["--all"]).ended(0);
        if code == 11 {
            let long_ago = std::time::SystemTime::now() - std::time::Duration::from_mins(3);
            let mark = std::fs::File::options()
                .write(true)
                .open(&file)
                .expect("the mark");
            mark.set_modified(long_ago).expect("a clock");
            office.job.run().ended(0);
        }
        assert!(!file.exists(), "{how:?}: and then it is gone");
    }
}
