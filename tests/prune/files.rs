//! Which files go: those that no snapshot reaches, when they are older than a day.

use super::Office;

fn versions(office: &Office, title: &str) -> Vec<String> {
    let files = office.archive().files();
    let mut versions: Vec<String> = files
        .iter()
        .filter(|path| path.starts_with(&format!("items/{title}-")))
        .filter_map(|path| path.split('/').nth(2))
        .map(ToOwned::to_owned)
        .collect();
    versions.dedup();
    versions
}

#[test]
fn a_file_stays_as_long_as_a_later_version_names_it() {
    let mut office = Office::small();
    office.night();
    office.edit_layer(1);
    office.night();
    let old = versions(&office, "office")[0].clone();
    office.prune("BACKUP_KEEP_LAST", 1).ended(0);
    office.archive().assert_whole();
    let left = of_version(&office, &old);
    let has = |name: &str| left.iter().any(|path| path.contains(name));
    assert!(has("/layers/0-"), "still named: {left:?}");
    assert!(!has("/layers/1-"), "named by nobody: {left:?}");
    assert!(!has("record.json"), "{left:?}");
    // The other layer moves on too.
    office.archive().age(2);
    office.edit_layer(0);
    office.night();
    let old = versions(&office, "office")[0].clone();
    office.edit_layer(1);
    office.job.run().ended(0);
    office.archive().assert_whole();
    let left = of_version(&office, &old);
    let goes = left.iter().find(|path| path.contains("/layers/"));
    assert_eq!(
        goes, None,
        "properties that never changed are all that is named"
    );
    assert!(!left.is_empty());
}

fn of_version(office: &Office, stamp: &str) -> Vec<String> {
    let files = office.archive().files().into_iter();
    files
        .filter(|path| path.starts_with("items/office-") && path.contains(stamp))
        .collect()
}

#[test]
fn what_is_not_a_day_old_is_left_alone() {
    let mut office = Office::small();
    office.job.run().ended(0);
    office.edit_layer(0);
    let run = office.prune("BACKUP_KEEP_LAST", 1);
    run.ended(0);
    assert_eq!(
        office.archive().stamps().len(),
        1,
        "the snapshot goes at once"
    );
    assert_eq!(
        versions(&office, "office").len(),
        2,
        "its files a day later"
    );
    assert_eq!(run.events("pruned")[0]["files"], 0);
    office.archive().age(2);
    let run = office.job.run();
    run.ended(0);
    assert_eq!(run.events("pruned")[0]["snapshots"], 1);
    office.archive().assert_whole();
}

#[test]
fn an_item_that_is_gone_from_the_portal_stays_until_its_last_snapshot_goes() {
    let mut office = Office::small();
    office.night();
    let id = office
        .portal
        .edit(|world| world.titled("Handbook").id.clone());
    office.portal.edit(|world| world.remove_item(&id));
    let of_it = |office: &Office| {
        office
            .archive()
            .files()
            .iter()
            .any(|path| path.contains(&id))
    };
    office.prune("BACKUP_KEEP_LAST", 2).ended(0);
    assert!(of_it(&office), "a snapshot still names it");
    office.archive().age(2);
    office.prune("BACKUP_KEEP_LAST", 1).ended(0);
    assert!(!of_it(&office));
    assert!(
        !office
            .archive()
            .names("items")
            .iter()
            .any(|name| name.contains(&id)),
        "nor its folder"
    );
    office.archive().assert_whole();
}

#[test]
fn files_of_an_earlier_title_stay_while_they_are_named() {
    let mut office = Office::small();
    office.night();
    office.portal.edit(|world| {
        let id = world.titled("Office").id.clone();
        world.edit_item(&id, |item| item.title = "Bureau".to_owned());
    });
    office.night();
    assert!(
        office
            .archive()
            .files_of("Bureau", "rows")
            .iter()
            .all(|file| {
                file["path"]
                    .as_str()
                    .expect("a path")
                    .starts_with("items/office-")
            }),
        "the rows did not change"
    );
    office.prune("BACKUP_KEEP_LAST", 1).ended(0);
    office.archive().assert_whole();
}

#[test]
fn what_a_dead_pass_left_goes_after_a_day_and_foreign_files_never() {
    let mut office = Office::small();
    office.night();
    let archive = office.archive();
    let item = archive.names("items")[0].clone();
    let put = |path: &str| {
        let path = archive.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, "x").expect("written");
    };
    let now = agol_backup::snapshot::now();
    let stamp =
        |hours| agol_backup::snapshot::Stamp::of(now - std::time::Duration::from_hours(hours));
    let old = format!("items/{item}/{}/layers/0-x.geojson", stamp(30));
    let young = format!("items/{item}/{}/layers/0-x.geojson", stamp(20));
    let foreign = [
        "items/readme.txt",
        "items/holiday/20200101T000000Z/x.jpg",
        // Ends in digits of an id, and in as many characters as one has.
        "items/holiday-2020/20200101T000000Z/x.jpg",
        "items/holiday-everybodyatthelakeandtheirphotos/20200101T000000Z/x.jpg",
        "notes.txt",
    ];
    let in_item = format!("items/{item}/mine/20200101T000000Z/x.txt");
    for path in foreign
        .iter()
        .chain([&old.as_str(), &young.as_str(), &in_item.as_str()])
    {
        put(path);
    }
    office.prune("BACKUP_KEEP_DAILY", 7).ended(0);
    let left = office.archive().files();
    assert!(
        !left.contains(&old),
        "nobody names it, and it is older than a day"
    );
    assert!(left.contains(&young) && left.contains(&in_item));
    assert!(
        foreign
            .iter()
            .all(|path| left.contains(&(*path).to_owned())),
        "{left:?}"
    );
    office.archive().assert_whole();
}

#[test]
fn what_a_record_names_elsewhere_is_not_its_to_remove() {
    let mut office = Office::small();
    office.night();
    let archive = office.archive();
    let handbook = archive.files_of("Handbook", "data")[0]["path"].clone();
    let snapshot = archive
        .files()
        .into_iter()
        .find(|path| path.starts_with("snapshots/"));
    let item = archive
        .names("items")
        .into_iter()
        .find(|name| name.starts_with("office-"));
    let file =
        |path: &str| serde_json::json!({"path": path, "role": "data", "bytes": 1, "sha256": ""});
    let files = [
        handbook.as_str().expect("a path"),
        &snapshot.expect("one"),
        "notes.txt",
        "../other.txt",
    ]
    .map(file);
    let record = serde_json::json!({"format": 1, "id": "0", "title": "", "type": "", "owner": "", "taken_at": agol_backup::snapshot::now(), "files": files, "notes": []});
    let dead = archive
        .root
        .join(format!("items/{}/20250101T000000Z", item.expect("one")));
    std::fs::create_dir_all(&dead).expect("made");
    std::fs::write(dead.join("record.json"), record.to_string()).expect("written");
    for path in ["notes.txt", "../other.txt"] {
        std::fs::write(archive.root.join(path), "mine").expect("written");
    }
    office.prune("BACKUP_KEEP_LAST", 9).ended(0);
    assert!(!dead.exists());
    archive.assert_whole();
    assert_eq!(archive.stamps().len(), 2);
    assert!(archive.root.join("notes.txt").exists() && archive.root.join("../other.txt").exists());
}

#[test]
fn an_id_in_another_spelling_is_the_same_item() {
    let mut office = Office::small();
    office.night();
    let archive = office.archive();
    let id = office
        .portal
        .edit(|world| world.titled("Office").id.clone());
    office.portal.edit(|world| world.remove_item(&id));
    let path = format!("snapshots/{}.json", archive.stamps()[0]);
    let text = String::from_utf8(archive.bytes(&path)).expect("text");
    archive.rewrite(
        &path,
        &text.replace(
            &format!("\"id\": \"{id}\""),
            &format!("\"id\": \"{}\"", id.to_uppercase()),
        ),
    );
    office.prune("BACKUP_KEEP_LAST", 9).ended(0);
    archive.assert_whole();
}
