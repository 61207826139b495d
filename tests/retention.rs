//! Retention never eats a good copy: what the rules promise, for snapshots and rules that nobody thought of.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use agol_backup::retention::{Candidate, Period, Reason, Rules, Verdict, retain};
use agol_backup::snapshot::Stamp;
use jiff::Timestamp;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_complete_snapshot_and_the_newest_of_all_stay((there, rules) in worlds()) {
        let verdicts = retain(&there, &rules);
        prop_assert!(verdicts.last().is_none_or(|newest| !newest.is_removal()));
        let complete = verdicts.iter().rfind(|verdict| verdict.complete);
        prop_assert!(complete.is_none_or(|newest| !newest.is_removal()));
    }

    #[test]
    fn every_snapshot_is_judged_once_the_oldest_first((there, rules) in worlds()) {
        let judged = retain(&there, &rules);
        let told: Vec<_> = judged.iter().map(|verdict| (verdict.stamp.clone(), verdict.complete)).collect();
        let mut given: Vec<_> = there.iter().map(|one| (one.stamp.clone(), one.complete)).collect();
        given.sort();
        prop_assert_eq!(told, given);
    }

    #[test]
    fn without_a_rule_nothing_is_removed(there in snapshots()) {
        let verdicts = retain(&there, &Rules::default());
        prop_assert!(verdicts.iter().all(|verdict| verdict.keep == [Reason::NoRule]));
    }

    #[test]
    fn what_was_kept_once_is_kept_for_the_same_reasons_the_next_time((there, rules) in worlds()) {
        let kept: Vec<Verdict> = retain(&there, &rules).into_iter().filter(|verdict| !verdict.is_removal()).collect();
        let left: Vec<Candidate> = kept.iter().map(candidate).collect();
        prop_assert_eq!(retain(&left, &rules), kept);
    }

    #[test]
    fn a_larger_number_never_removes_more((there, rules) in worlds(), which in 0..5_usize, more in 1..5_u32) {
        let mut counts = numbers(&rules);
        counts[which] = counts[which].max(1);
        let before = kept(&there, &as_rules(counts));
        counts[which] += more;
        prop_assert!(before.is_subset(&kept(&there, &as_rules(counts))));
    }

    #[test]
    fn one_more_rule_beside_another_never_removes_more(
        (there, rules) in worlds(),
        which in 0..5_usize,
        count in 1..5_u32,
    ) {
        let mut counts = numbers(&rules);
        counts[which] = 0;
        let before = as_rules(counts);
        prop_assume!(!before.is_empty());
        counts[which] = count;
        prop_assert!(kept(&there, &before).is_subset(&kept(&there, &as_rules(counts))));
    }

    #[test]
    fn a_partial_snapshot_never_changes_which_complete_ones_are_kept((there, rules) in worlds()) {
        let complete: Vec<Candidate> = there.iter().filter(|one| one.complete).cloned().collect();
        let alone = kept(&complete, &rules);
        let in_company: BTreeSet<Stamp> = kept(&there, &rules)
            .into_iter()
            .filter(|stamp| complete.iter().any(|one| one.stamp == *stamp))
            .collect();
        prop_assert_eq!(in_company, alone);
    }

    #[test]
    fn the_first_complete_pass_wipes_out_no_night_before_it(there in snapshots(), count in 2..6_u32) {
        let partial: Vec<Candidate> = there.into_iter().map(|one| Candidate { complete: false, ..one }).collect();
        let rules = as_rules([count, 0, 0, 0, 0]);
        let before = kept(&partial, &rules);
        let mut after = partial;
        after.push(Candidate { stamp: Stamp::parse("20300101T000000Z").expect("a stamp"), complete: true });
        prop_assert!(before.is_subset(&kept(&after, &rules)));
    }

    #[test]
    fn keep_last_alone_keeps_exactly_so_many_complete_ones(there in snapshots(), count in 1..9_u32) {
        let verdicts = retain(&there, &as_rules([count, 0, 0, 0, 0]));
        let kept = verdicts.iter().filter(|verdict| verdict.complete && !verdict.is_removal()).count();
        let complete = there.iter().filter(|one| one.complete).count();
        prop_assert_eq!(kept, complete.min(count as usize));
    }

    #[test]
    fn no_rule_keeps_more_than_its_number_of_complete_ones_nor_of_partial_ones((there, rules) in worlds()) {
        let verdicts = retain(&there, &rules);
        for (rule, count) in numbers(&rules).into_iter().enumerate() {
            for complete in [true, false] {
                let by_rule = verdicts.iter().filter(|verdict| verdict.complete == complete);
                let found = by_rule.filter(|verdict| verdict.keep.iter().any(|reason| rule_of(*reason) == Some(rule)));
                prop_assert!(found.count() <= count as usize);
            }
        }
    }

    #[test]
    fn a_calendar_rule_keeps_the_newest_complete_one_of_its_period((there, rules) in worlds()) {
        let verdicts = retain(&there, &rules);
        for verdict in &verdicts {
            for rule in verdict.keep.iter().copied().filter_map(rule_of).filter(|rule| *rule > 0) {
                let period = &name_of_period(rule, &verdict.stamp);
                let later = there.iter().filter(|one| one.complete && one.stamp > verdict.stamp);
                prop_assert!(later.clone().all(|one| name_of_period(rule, &one.stamp) != *period));
            }
        }
    }

    #[test]
    fn the_order_in_which_a_store_lists_them_is_irrelevant((there, rules) in worlds(), turn in 0..50_usize) {
        let mut otherwise: Vec<Candidate> = there.iter().rev().cloned().collect();
        let turn = turn % otherwise.len().max(1);
        otherwise.rotate_left(turn);
        prop_assert_eq!(retain(&otherwise, &rules), retain(&there, &rules));
    }

    #[test]
    fn each_reason_is_what_counting_by_hand_says((there, rules) in worlds()) {
        prop_assume!(!rules.is_empty());
        for verdict in retain(&there, &rules) {
            let told: BTreeSet<usize> = verdict.keep.iter().copied().filter_map(rule_of).collect();
            let by_hand = (0..5).filter(|rule| counted(&there, &candidate(&verdict), *rule, numbers(&rules)[*rule]));
            prop_assert_eq!(told, by_hand.collect::<BTreeSet<usize>>(), "{}", verdict.stamp);
        }
    }
}

/// The rule as its author would explain it: how many came later that use up a place.
fn counted(there: &[Candidate], one: &Candidate, rule: usize, count: u32) -> bool {
    let period = name_of_period(rule, &one.stamp);
    let named = |other: &Candidate| name_of_period(rule, &other.stamp);
    let with_complete: BTreeSet<String> = there
        .iter()
        .filter(|other| other.complete)
        .map(named)
        .collect();
    let without: BTreeSet<String> = there
        .iter()
        .map(named)
        .filter(|name| !with_complete.contains(name))
        .collect();
    let outdone = there.iter().any(|other| {
        let better = other.complete && !one.complete;
        let newer = other.complete == one.complete && other.stamp > one.stamp;
        named(other) == period && (better || newer)
    });
    let later = |names: &BTreeSet<String>| names.iter().filter(|name| **name > period).count();
    let room = |names| later(names) < count as usize;
    !outdone && room(&with_complete) && (one.complete || room(&without))
}

/// Names that sort as time does. Weeks are counted from a Monday, without a calendar.
fn name_of_period(rule: usize, stamp: &Stamp) -> String {
    let digits = |count: usize| stamp.as_str()[..count].to_owned();
    match rule {
        0 => stamp.to_string(),
        1 => digits(8),
        2 => {
            let day = stamp.moment().expect("a date").as_second() / 86_400;
            format!("{:08}", (day + 3) / 7) // 1970-01-01 was a Thursday
        }
        3 => digits(6),
        _ => digits(4),
    }
}

fn rule_of(reason: Reason) -> Option<usize> {
    match reason {
        Reason::Last(_) => Some(0),
        Reason::NewestOf(Period::Day(_)) => Some(1),
        Reason::NewestOf(Period::Week(..)) => Some(2),
        Reason::NewestOf(Period::Month(..)) => Some(3),
        Reason::NewestOf(Period::Year(_)) => Some(4),
        Reason::NoRule | Reason::Undated | Reason::Newest | Reason::NewestComplete => None,
    }
}

fn candidate(verdict: &Verdict) -> Candidate {
    Candidate {
        stamp: verdict.stamp.clone(),
        complete: verdict.complete,
    }
}

fn kept(there: &[Candidate], rules: &Rules) -> BTreeSet<Stamp> {
    let kept = retain(there, rules)
        .into_iter()
        .filter(|verdict| !verdict.is_removal());
    kept.map(|verdict| verdict.stamp).collect()
}

/// Zero where a rule is not set.
fn as_rules([last, daily, weekly, monthly, yearly]: [u32; 5]) -> Rules {
    Rules {
        last: NonZeroU32::new(last),
        daily: NonZeroU32::new(daily),
        weekly: NonZeroU32::new(weekly),
        monthly: NonZeroU32::new(monthly),
        yearly: NonZeroU32::new(yearly),
    }
}

fn numbers(rules: &Rules) -> [u32; 5] {
    [
        rules.last,
        rules.daily,
        rules.weekly,
        rules.monthly,
        rules.yearly,
    ]
    .map(|count| count.map_or(0, NonZeroU32::get))
}

fn worlds() -> impl Strategy<Value = (Vec<Candidate>, Rules)> {
    let number = || prop_oneof![2 => Just(0_u32), 3 => 1..7_u32];
    let rules = [number(), number(), number(), number(), number()].prop_map(as_rules);
    (snapshots(), rules)
}

/// Over six years, over some weeks, and several within a day or an hour; in any order.
fn snapshots() -> impl Strategy<Value = Vec<Candidate>> {
    const BEGIN: i64 = 1_577_750_400; // 2019-12-31, a Tuesday, in the ISO year 2020
    let spread = prop_oneof![Just(6 * 366_i64), Just(40), Just(4)];
    spread.prop_flat_map(|days| {
        let second = prop_oneof![0..86_400_i64, 3_600..3_605_i64, Just(0), Just(86_399)];
        let one = (0..days, second).prop_map(|(day, second)| BEGIN + day * 86_400 + second);
        let chance = prop_oneof![Just(0.0), Just(0.3), Just(0.7), Just(1.0)];
        chance.prop_flat_map(move |chance| {
            let complete = prop::bool::weighted(chance);
            let there = prop::collection::btree_map(one.clone(), complete, 0..40);
            there.prop_map(as_candidates).prop_shuffle()
        })
    })
}

fn as_candidates(there: std::collections::BTreeMap<i64, bool>) -> Vec<Candidate> {
    let one = |(second, complete)| Candidate {
        stamp: Stamp::of(Timestamp::from_second(second).expect("a moment")),
        complete,
    };
    there.into_iter().map(one).collect()
}
