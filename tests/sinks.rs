//! The four destinations keep the same promises: every test here runs against each of them, chosen by nothing but
//! the variables that a user would set.

mod contract;
mod leaked;
mod onedrive;
mod pruned;
mod requests;
mod settings;
mod signed;
mod unreliable;

use contract::*;
use pruned::*;

use crate::support::store::Store;

/// A test for each promise and each kind of store.
macro_rules! on_every_store {
    ($($promise:ident)*) => {
        $(mod $promise {
            use super::Store;

            #[test]
            fn folder() {
                super::$promise(&Store::folder());
            }

            #[test]
            fn s3() {
                super::$promise(&Store::s3());
            }

            #[test]
            fn azblob() {
                super::$promise(&Store::azure());
            }

            #[test]
            fn onedrive() {
                super::$promise(&Store::onedrive());
            }
        })*
    };
}

on_every_store! {
    what_is_written_is_read
    pieces_that_fill_parts_to_the_byte_and_empty_ones_are_written
    a_name_is_never_written_twice
    what_is_discarded_leaves_nothing
    a_dropped_upload_is_called_off
    a_lost_reply_is_no_failure
    a_pause_that_is_asked_for_is_made
    a_store_without_room_is_an_error_and_leaves_nothing
    a_thousand_small_files
    a_wrong_key_ends_at_once_with_the_stores_own_reason
    passes_store_and_find_their_work_again
    a_killed_pass_harms_nothing
    a_second_pass_at_once_is_locked_out
    of_three_that_begin_at_once_never_two_hold
    a_failed_version_is_removed
    a_prune_leaves_what_is_named_and_nothing_else
}
