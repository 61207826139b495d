//! What is to be kept is listed to its end, whatever the scope, or the pass ends without a snapshot.

mod selection;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::portal::{Catalogue, FakePortal, Fault, FaultKind, Item, Reply, USER};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// Web maps in the root and in `Maps`, all but the first to be skipped: a long listing that is soon stored.
fn maps(count: usize) -> Catalogue {
    let mut world = worlds::large_listing(count);
    for item in world.items.iter_mut().skip(1) {
        item.tags = vec!["no-backup".to_owned()];
    }
    world
}

fn ids(items: &[Value]) -> Vec<String> {
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    items.iter().map(id).collect()
}

/// The snapshot names what the world holds, each item once.
#[track_caller]
fn assert_all_listed(job: &Job, portal: &FakePortal) {
    let snapshot = job.archive().snapshot();
    let listed = ids(snapshot["items"].as_array().expect("items"));
    let held: BTreeSet<String> =
        portal.edit(|world| world.items.iter().map(|item| item.id.clone()).collect());
    assert_eq!(listed.len(), held.len());
    assert_eq!(BTreeSet::from_iter(listed), held);
}

/// Changes every page of a listing.
fn page(route: &str, change: fn(&mut Value)) -> Fault {
    let altered = move |reply: Reply| {
        let mut page = serde_json::from_slice(&reply.body).expect("a page");
        change(&mut page);
        Reply::json(&page)
    };
    Fault::on(route, FaultKind::alter(move |_, reply| altered(reply))).forever()
}

fn titles(job: &Job) -> Vec<Value> {
    let snapshot = job.archive().snapshot();
    let items = snapshot["items"].as_array().expect("items");
    let mut titles: Vec<Value> = items.iter().map(|item| item["title"].clone()).collect();
    titles.sort_by_key(ToString::to_string);
    titles
}

#[track_caller]
fn assert_nothing_committed(job: &Job, run: &Run, code: i32) {
    run.ended(code);
    assert!(job.archive().stamps().is_empty());
    assert!(job.archive().names("items").is_empty());
}

#[test]
fn mine_lists_the_root_and_every_folder_past_a_page_and_asks_no_search() {
    let mut world = maps(460); // 345 in the root, 115 in the folder
    world.add_folder(USER, "Empty");
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal);
    job.run().ended(0);
    assert_all_listed(&job, &portal);
    assert_eq!(portal.count("search"), 0);
    assert_eq!(portal.count("user_content"), 4 + 2 + 1);
}

#[test]
fn mine_leaves_out_what_others_own() {
    let mut world = maps(3);
    let mut other = Item::new("Web Map", "Of a colleague");
    other.owner = "colleague".to_owned();
    world.add_item(other);
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal);
    job.run().ended(0);
    assert_eq!(titles(&job), ["Map 0", "Map 1", "Map 2"]);
}

/// 250 items of three owners.
fn organisation() -> Catalogue {
    let mut world = maps(250);
    let owners = [USER, "colleague", "Old.Hand@city"].map(str::to_owned);
    for (item, owner) in world.items.iter_mut().zip(owners.iter().cycle()) {
        item.owner.clone_from(owner);
        item.folder = None;
    }
    world
}

#[test]
fn org_lists_everybodys_items_with_an_administrators_right() {
    let portal = FakePortal::start_blocking(organisation());
    let job = Job::against(&portal).with("BACKUP_SCOPE", "org");
    job.run().ended(0);
    assert_all_listed(&job, &portal);
    assert_eq!(
        (portal.count("org_content"), portal.count("search")),
        (3, 0)
    );
}

#[test]
fn org_searches_without_an_administrators_right() {
    let mut world = organisation();
    world.settings.administrator = false;
    let portal = FakePortal::start_blocking(world);
    let job = Job::against(&portal).with("BACKUP_SCOPE", "org");
    job.run().ended(0);
    assert_all_listed(&job, &portal);
    assert_eq!(portal.count("search"), 3);
}

#[test]
fn a_query_finds_more_than_can_be_paged() {
    let portal = FakePortal::start_blocking(maps(10_050));
    let job = Job::against(&portal)
        .with("BACKUP_SCOPE", "query")
        .with("BACKUP_QUERY", "type:\"Web Map\" OR title:nowhere");
    job.run().ended(0);
    assert_all_listed(&job, &portal);
}

#[test]
fn a_query_takes_only_what_it_finds() {
    let portal = FakePortal::start_blocking(worlds::city());
    let job = Job::against(&portal)
        .with("BACKUP_SCOPE", "query")
        .with("BACKUP_QUERY", "title:Parks");
    job.run().ended(0);
    assert_eq!(titles(&job), ["Parks", "Parks"]);
}

#[test]
fn an_item_that_a_page_repeats_is_listed_once() {
    let portal = FakePortal::start_blocking(maps(150));
    portal.add_fault(Fault::on("user_content", FaultKind::DoubledItem).forever());
    let job = Job::against(&portal);
    job.run().ended(0);
    assert_all_listed(&job, &portal);
}

#[test]
fn a_short_page_with_more_behind_it_is_not_the_end() {
    let portal = FakePortal::start_blocking(maps(150));
    portal.add_fault(Fault::on("user_content", FaultKind::ListingShort).forever());
    let job = Job::against(&portal);
    job.run().ended(0);
    assert_all_listed(&job, &portal);
}

#[test]
fn items_that_come_or_go_while_they_are_listed_hide_no_other() {
    let go = FaultKind::edit(|world| drop(world.items.remove(1)));
    let come = FaultKind::edit(|world| drop(world.add_item(Item::new("Web Map", "New"))));
    for edit in [go, come] {
        let portal = FakePortal::start_blocking(maps(150));
        portal.add_fault(Fault::on("user_content", edit).skip(1)); // between two pages of the root
        let job = Job::against(&portal);
        job.run().ended(0);
        assert_all_listed(&job, &portal);
    }
}

#[test]
fn a_listing_that_ends_below_its_total_ends_the_pass() {
    for (scope, route) in [
        ("mine", "user_content"),
        ("org", "org_content"),
        ("query", "search"),
    ] {
        let portal = FakePortal::start_blocking(maps(150));
        portal.add_fault(page(route, |page| page["nextStart"] = json!(-1)));
        let mut job = Job::against(&portal).with("BACKUP_SCOPE", scope);
        if scope == "query" {
            job.set("BACKUP_QUERY", "type:\"Web Map\"");
        }
        assert_nothing_committed(&job, &job.run(), 12);
    }
}

#[test]
fn a_listing_that_leads_back_or_names_no_items_ends_the_pass() {
    let back = page("user_content", |page| page["nextStart"] = json!(1));
    let bare = page("user_content", |page| {
        *page = json!({"total": 0, "nextStart": -1});
    });
    for fault in [back, bare] {
        let portal = FakePortal::start_blocking(maps(3));
        portal.add_fault(fault);
        let job = Job::against(&portal);
        assert_nothing_committed(&job, &job.run(), 12);
    }
}

#[test]
fn a_folder_that_cannot_be_read_ends_the_pass() {
    let portal = FakePortal::start_blocking(maps(5));
    let folder = portal.edit(|world| world.folder_id("Maps").expect("a folder"));
    let gone =
        json!({"code": 400, "messageCode": "CONT_0001", "message": "Folder does not exist."});
    portal.add_fault(
        Fault::on("user_content", FaultKind::ErrorInBody(gone))
            .only(&folder)
            .forever(),
    );
    let job = Job::against(&portal);
    assert_nothing_committed(&job, &job.run(), 12);
}
