//! S3 and Azure behind a network that breaks, and a server that is wrong. `OneDrive` has tests of its own for this.

use super::contract::{LARGE, SMALL, assert_has, version, write};
use crate::support::aside::wait_for;
use crate::support::store::{Store, Trouble};

#[test]
fn s3_is_sent_again_what_broke() {
    a_request_that_broke_is_sent_again(&Store::s3());
}

#[test]
fn azblob_is_sent_again_what_broke() {
    a_request_that_broke_is_sent_again(&Store::azure());
}

#[test]
fn s3_is_not_believed_without_a_look() {
    a_success_that_stored_nothing_is_an_error(&Store::s3());
}

#[test]
fn azblob_is_not_believed_without_a_look() {
    a_success_that_stored_nothing_is_an_error(&Store::azure());
}

fn a_request_that_broke_is_sent_again(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    let all = [("small.txt", SMALL), ("large.bin", LARGE)];
    for (name, length) in all {
        store.trouble(name, length == LARGE, Trouble::Broken);
        wait_for(write(&version, name, length)).expect(name);
    }
    assert_has(store, &all);
}

fn a_success_that_stored_nothing_is_an_error(store: &Store) {
    let archive = store.archive();
    let version = version(&archive);
    store.trouble("small.txt", false, Trouble::Untrue);
    let error = wait_for(write(&version, "small.txt", SMALL)).expect_err("nothing is there");
    let error = error.to_string();
    assert!(
        error.contains("3000 bytes were written, and nothing of it is there"),
        "{error}"
    );
    assert_has(store, &[]);
}
