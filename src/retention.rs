//! What to keep of the snapshots there are, as a value. No I/O, no clock: a snapshot counts for the time that
//! its stamp names.
//!
//! The rules are those that restic's users know. `BACKUP_KEEP_LAST=n` keeps the n newest snapshots; `_DAILY`,
//! `_WEEKLY`, `_MONTHLY` and `_YEARLY` keep the newest of each UTC day, ISO week, month and year, for the n most
//! recent of these that have one. What any rule keeps is kept; what none keeps is let go.
//!
//! Only complete snapshots are counted. A partial one stands in for a period that has no complete one, as long as
//! the rule still reaches that far back, and never uses up the place of a complete one: nights that failed
//! push out no good night, nor does the first good night wipe out the nights before it. At most n
//! stand in for each rule, so that an item that always fails does not switch retention off.
//!
//! Whatever the rules: the newest complete snapshot stays, and so does the newest of all.

mod reason;

use std::num::NonZeroU32;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::snapshot::Stamp;

pub use reason::{Period, Reason};

/// How many of each to keep; `None` where a rule is not set. Zero is no rule: who writes it means
/// either "none of these" or "all of these", so the configuration refuses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `BACKUP_KEEP_LAST`: the newest snapshots.
    pub last: Option<NonZeroU32>,
    /// `BACKUP_KEEP_DAILY`: days, in UTC.
    pub daily: Option<NonZeroU32>,
    /// `BACKUP_KEEP_WEEKLY`: ISO weeks, Monday to Sunday.
    pub weekly: Option<NonZeroU32>,
    /// `BACKUP_KEEP_MONTHLY`: months of the calendar.
    pub monthly: Option<NonZeroU32>,
    /// `BACKUP_KEEP_YEARLY`: years of the calendar.
    pub yearly: Option<NonZeroU32>,
}

impl Rules {
    /// No rule is set, so nothing is ever removed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A snapshot, as far as retention looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Unique among the candidates.
    pub stamp: Stamp,
    /// [`crate::snapshot::Snapshot::complete`].
    pub complete: bool,
}

/// What is to become of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whose.
    pub stamp: Stamp,
    /// As it was given.
    pub complete: bool,
    /// Everything that keeps it; empty when it may go.
    pub keep: Vec<Reason>,
}

impl Verdict {
    /// Nothing keeps it.
    pub fn is_removal(&self) -> bool {
        self.keep.is_empty()
    }
}

/// Judges every snapshot, the oldest first, whatever the order they come in.
pub fn retain(snapshots: &[Candidate], rules: &Rules) -> Vec<Verdict> {
    let judge = |candidate: &Candidate| Verdict {
        stamp: candidate.stamp.clone(),
        complete: candidate.complete,
        keep: Vec::new(),
    };
    let mut verdicts: Vec<Verdict> = snapshots.iter().map(judge).collect();
    verdicts.sort_by(|a, b| a.stamp.cmp(&b.stamp));
    if rules.is_empty() {
        for verdict in &mut verdicts {
            verdict.keep.push(Reason::NoRule);
        }
        return verdicts;
    }
    let mut dated = newest_first(&mut verdicts);
    keep_the_newest(&mut dated);
    if let Some(count) = rules.last {
        let reason = |_| Reason::Last(count);
        keep_newest_of_each(&mut dated, count, |_, _| false, reason);
    }
    keep_by_calendar(&mut dated, rules.daily, Period::Day);
    keep_by_calendar(&mut dated, rules.weekly, Period::week);
    keep_by_calendar(&mut dated, rules.monthly, Period::month);
    keep_by_calendar(&mut dated, rules.yearly, Period::year);
    verdicts
}

struct Dated<'a> {
    date: Date,
    verdict: &'a mut Verdict,
}

fn newest_first(verdicts: &mut [Verdict]) -> Vec<Dated<'_>> {
    let mut dated = Vec::new();
    for verdict in verdicts.iter_mut().rev() {
        match verdict.stamp.moment() {
            Some(moment) => dated.push(Dated {
                date: moment.to_zoned(TimeZone::UTC).date(),
                verdict,
            }),
            None => verdict.keep.push(Reason::Undated),
        }
    }
    dated
}

fn keep_the_newest(dated: &mut [Dated<'_>]) {
    if let Some(newest) = dated.first_mut() {
        newest.verdict.keep.push(Reason::Newest);
    }
    if let Some(newest) = dated.iter_mut().find(|one| one.verdict.complete) {
        newest.verdict.keep.push(Reason::NewestComplete);
    }
}

fn keep_by_calendar(
    dated: &mut [Dated<'_>],
    count: Option<NonZeroU32>,
    period: impl Fn(Date) -> Period,
) {
    if let Some(count) = count {
        let same = |a, b| period(a) == period(b);
        let reason = |date| Reason::NewestOf(period(date));
        keep_newest_of_each(dated, count, same, reason);
    }
}

/// One rule. Periods that have a complete snapshot and periods that have none are counted apart; the first
/// count ends the rule.
fn keep_newest_of_each(
    newest_first: &mut [Dated<'_>],
    count: NonZeroU32,
    same_period: impl Fn(Date, Date) -> bool,
    reason: impl Fn(Date) -> Reason,
) {
    let (mut complete, mut partial) = (count.get(), count.get());
    for period in newest_first.chunk_by_mut(|a, b| same_period(a.date, b.date)) {
        let whole = period.iter().position(|one| one.verdict.complete);
        let left = if whole.is_some() {
            &mut complete
        } else {
            &mut partial
        };
        if let (1.., Some(one)) = (*left, period.get_mut(whole.unwrap_or(0))) {
            *left -= 1;
            one.verdict.keep.push(reason(one.date));
        }
        if complete == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line each: stamp to the minute, `?` when partial, and why it is kept; `-` when it goes.
    #[track_caller]
    fn judged(rules: &Rules, table: &str) {
        let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
        let rows: Vec<(String, &str, &str)> = lines
            .map(|line| {
                let (name, rest) = line.split_at(13);
                let (mark, reasons) = rest.split_at(1);
                (format!("{name}00Z"), mark, reasons.trim())
            })
            .collect();
        let candidates: Vec<Candidate> = rows
            .iter()
            .map(|(name, mark, _)| Candidate {
                stamp: Stamp::parse(name).expect(name),
                complete: *mark != "?",
            })
            .collect();
        for (verdict, (name, _, expected)) in retain(&candidates, rules).iter().zip(&rows) {
            let told: Vec<String> = verdict.keep.iter().map(ToString::to_string).collect();
            let told = if verdict.is_removal() {
                "-".to_owned()
            } else {
                told.join(", ")
            };
            assert_eq!(
                (verdict.stamp.as_str(), told.as_str()),
                (name.as_str(), *expected)
            );
        }
    }

    fn keep(last: u32, daily: u32, weekly: u32, monthly: u32, yearly: u32) -> Rules {
        Rules {
            last: NonZeroU32::new(last),
            daily: NonZeroU32::new(daily),
            weekly: NonZeroU32::new(weekly),
            monthly: NonZeroU32::new(monthly),
            yearly: NonZeroU32::new(yearly),
        }
    }

    #[test]
    fn without_a_rule_nothing_goes() {
        judged(
            &Rules::default(),
            "20240101T0200  no rule is set
             20261123T0200? no rule is set",
        );
    }

    #[test]
    fn the_last_ones_are_counted_whenever_they_were() {
        judged(
            &keep(2, 0, 0, 0, 0),
            "20240101T0200  -
             20261123T0200  one of the last 2
             20261123T0300  newest, newest complete, one of the last 2",
        );
    }

    #[test]
    fn each_calendar_rule_keeps_the_newest_of_its_periods_and_skips_empty_ones() {
        judged(
            &keep(0, 3, 2, 2, 2),
            "20230630T0200  -
             20241231T2359  newest of year 2024
             20260901T0200  -
             20261031T2359  newest of month 2026-10
             20261120T0200  -
             20261122T0100  -
             20261122T2359  newest of day 2026-11-22, newest of week 2026-W47
             20261123T0000  newest of day 2026-11-23
             20261125T0200  newest, newest complete, newest of day 2026-11-25, newest of week 2026-W48, newest of month 2026-11, newest of year 2026",
        );
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        judged(
            &keep(0, 0, 2, 0, 0),
            "20241229T0200  newest of week 2024-W52
             20241230T0200  -
             20250105T2359  newest, newest complete, newest of week 2025-W01",
        );
    }

    #[test]
    fn a_partial_snapshot_stands_in_where_no_complete_one_is_and_pushes_none_out() {
        judged(
            &keep(0, 2, 0, 0, 0),
            "20261118T0200? -
             20261119T0200  newest of day 2026-11-19
             20261120T0200? -
             20261121T0200? newest of day 2026-11-21
             20261122T0200? newest of day 2026-11-22
             20261123T0200  newest complete, newest of day 2026-11-23
             20261123T0300? -
             20261123T0400? newest",
        );
    }

    #[test]
    fn an_item_that_always_fails_does_not_switch_retention_off() {
        judged(
            &keep(2, 0, 0, 0, 0),
            "20260101T0200  newest complete, one of the last 2
             20261121T0200? -
             20261122T0200? one of the last 2
             20261123T0200? newest, one of the last 2",
        );
    }

    #[test]
    fn a_name_that_is_no_date_is_kept_and_counts_for_nothing() {
        let stamp = |text: &str| serde_json::from_value(text.into()).expect("a stamp");
        let names = ["20261122T020000Z", "20261123T020000Z", "99999999T999999Z"];
        let candidates = names.map(|name| Candidate {
            stamp: stamp(name),
            complete: true,
        });
        let verdicts = retain(&candidates, &keep(1, 0, 0, 0, 0));
        assert!(verdicts[0].is_removal() && verdicts[1].keep.contains(&Reason::NewestComplete));
        assert_eq!(verdicts[2].keep, [Reason::Undated]);
    }
}
