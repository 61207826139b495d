//! Listings whose end is not where they say, and folders that go while they are listed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{by, troubled};
use crate::support::begun::Begun;
use crate::support::portal::{Call, FakePortal, Fault, FaultKind, Reply};
use crate::support::run::Job;
use crate::support::worlds;

/// Changes where every page of a listing says that the next one begins.
fn next(route: &str, say: fn(start: i64, next: i64) -> i64) -> Fault {
    let altered = move |call: &Call, reply: Reply| {
        let mut page: Value = serde_json::from_slice(&reply.body).expect("a page");
        let start = call.param("start").and_then(|start| start.parse().ok());
        let told = page["nextStart"].as_i64().expect("a number");
        page["nextStart"] = json!(say(start.unwrap_or(1), told));
        Reply::json(&page)
    };
    Fault::on(route, FaultKind::alter(altered)).forever()
}

#[track_caller]
fn assert_all_listed(job: &Job, portal: &FakePortal) {
    let snapshot = job.archive().snapshot();
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    let told: BTreeSet<String> = snapshot["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(id)
        .collect();
    let held = portal.edit(|world| world.items.iter().map(|item| item.id.clone()).collect());
    assert_eq!(told, held);
}

#[test]
fn a_listing_that_points_beyond_its_end_has_one() {
    // Only behind the last item; and always a page further.
    let beyond: [fn(i64, i64) -> i64; 2] = [
        |start, next| if next == -1 && start < 100 { 100 } else { next },
        |start, _| start + 100,
    ];
    for say in beyond {
        for (scope, route) in [
            ("mine", "user_content"),
            ("org", "org_content"),
            ("query", "search"),
        ] {
            let portal = troubled(worlds::large_listing(6), [next(route, say)]);
            let job = by("query", &portal).with("BACKUP_SCOPE", scope);
            let job = match scope {
                "query" => job.with("BACKUP_QUERY", "type:\"Web Map\""),
                _ => job,
            };
            Begun::of(&job).end().ended(0); // it waits for no end that never comes
            assert_all_listed(&job, &portal);
            assert!(portal.count(route) <= 6, "{scope}: {}", portal.count(route));
        }
    }
}

#[test]
fn a_list_of_resources_that_points_beyond_its_end_has_one() {
    let mut world = worlds::large_listing(1);
    world.items[0].resources = vec![("a.txt".to_owned(), "a".into())];
    let portal = troubled(world, [next("resources", |start, _| start + 1000)]);
    let job = by("query", &portal);
    Begun::of(&job).end().ended(0);
    assert_eq!(job.archive().files_of("Map 0", "resource").len(), 1);
    assert_eq!(portal.count("resources"), 2);
}

#[test]
fn a_folder_deleted_while_its_siblings_are_listed_hides_no_item() {
    let portal = troubled(worlds::large_listing(8), []);
    let folder = portal.edit(|world| world.folder_id("Maps").expect("a folder"));
    // Its items go where the portal puts them: into the root, which has been listed.
    let delete = FaultKind::edit(move |world| {
        world.folders.retain(|one| one.id != folder);
        world.items.iter_mut().for_each(|item| item.folder = None);
    });
    portal.add_fault(Fault::on("user_content", delete).skip(1));
    let job = by("query", &portal);
    job.run().ended(0);
    assert_all_listed(&job, &portal);
}
