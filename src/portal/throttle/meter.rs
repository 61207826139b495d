//! What is known of an organisation's quota: how much of it is used, at what rate by its people, and whether there is
//! room for us. Nobody tells what a request will cost before it is sent, so each is reckoned with the largest cost seen.

use std::time::Duration;

use tokio::time::Instant;

use super::people::People;
use super::told::Told;
use super::turn::{MINUTE, Turn};

/// We never go beyond this share of the organisation's request units per minute: the rest is its people's.
const LIMIT: f64 = 0.9;
/// A request is reckoned with this share of the quota at least. So neither a question costlier than all
/// before it, nor what people ask between two answers, takes us beyond the limit.
const RESERVE: f64 = 0.01;
/// And with this one at most: a sudden rise is somebody else's.
const LARGEST: f64 = 0.1;
/// So often it is asked whether people leave more than they seemed to want, and whether the minute has turned.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// So often it is asked anew where the quota is used up, and nobody knows when the minute turns, or whether it slides.
const LOOK_FOR_TURN: Duration = Duration::from_secs(15);

/// Where nothing is metered it has nothing to tell.
#[derive(Debug, Default)]
pub(super) struct Meter {
    quota: Option<Quota>,
    turn: Turn,
    largest_cost: f64,
    people: People,
}

/// What the last answer told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    used: f64,
    max: f64,
    told_at: Instant,
    /// When it begins anew, as far as anybody knows.
    pub(super) turns_at: Instant,
}

impl Quota {
    pub(super) fn share(&self) -> f64 {
        self.used / self.max
    }
}

impl Meter {
    pub(super) fn quota(&self) -> Option<Quota> {
        self.quota
    }

    /// An answer began, to a question that was asked at `asked_at`.
    pub(super) fn hear(&mut self, asked_at: Instant, told: Option<Told>, now: Instant) {
        let last = self.quota.filter(|last| now < last.turns_at);
        let Some(told) = told else {
            self.quota = last;
            return;
        };
        let risen = last.map_or(0.0, |last| told.used - last.used);
        self.largest_cost = self.largest_cost.max(told.cost.unwrap_or(risen));
        // Asked before the last number was told, it may be the older of the two.
        let older = last.filter(|last| asked_at < last.told_at);
        let used = older.map_or(told.used, |last| last.used.max(told.used));
        let begins_anew = self.turned(used, now);
        self.people.hear((now, used), told.cost, begins_anew);
        self.quota = Some(Quota {
            used,
            max: told.max,
            told_at: now,
            turns_at: self.turn.next(told.minute_turns_in, now),
        });
    }

    /// Whether the number has begun anew.
    fn turned(&mut self, used: f64, now: Instant) -> bool {
        let Some(last) = self.quota else {
            return false;
        };
        let fell = used < last.used / 2.0;
        // In a minute that slides small numbers fall too.
        if last.share() > LARGEST {
            self.turn = self.turn.seen(fell, last.told_at, last.turns_at, now);
        }
        fell || (now >= last.turns_at && self.turn.is_known())
    }

    /// Whether so many requests may be on their way. A tenth of the minute is left alone, and besides as much as
    /// people will use of what remains of it, if they go on as they do.
    pub(super) fn has_room(&self, requests: u32, now: Instant) -> bool {
        self.quota
            .is_none_or(|quota| self.fits(quota, requests, self.theirs(quota, now)))
    }

    /// Where there is no room, when to look again. People may use less than they did; but what is used stays so
    /// until the minute turns.
    pub(super) fn may_have_room_at(&self, quota: Quota, now: Instant) -> Instant {
        let look_again_at = if self.fits(quota, 1, 0.0) {
            now + LOOK_AGAIN
        } else if self.turn.is_known() {
            quota.turns_at
        } else {
            now + LOOK_FOR_TURN
        };
        quota.turns_at.min(look_again_at)
    }

    fn fits(&self, quota: Quota, requests: u32, theirs: f64) -> bool {
        let (least, most) = (quota.max * RESERVE, quota.max * LARGEST);
        let each = self.largest_cost.clamp(least, most);
        quota.used + f64::from(requests) * each + theirs <= quota.max * LIMIT
    }

    fn theirs(&self, quota: Quota, now: Instant) -> f64 {
        let rest = if self.turn.is_known() {
            quota.turns_at.saturating_duration_since(now)
        } else {
            MINUTE
        };
        self.people.per_second() * rest.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(used: f64, cost: Option<f64>, turns_in: u64) -> Told {
        Told {
            used,
            max: 10_000.0,
            cost,
            minute_turns_in: Duration::from_secs(turns_in),
        }
    }

    /// How many requests there is room for.
    fn room(meter: &Meter, now: Instant) -> u32 {
        let has_room = |requests: &u32| meter.has_room(*requests, now);
        (1..=100).take_while(has_room).last().unwrap_or(0)
    }

    /// Second after second of minutes that turn when the server's clock says so, or so many seconds later.
    struct Minutes {
        meter: Meter,
        now: Instant,
        passed: u64,
        late: u64,
        used: f64,
    }

    impl Minutes {
        fn new(late: u64) -> Self {
            Self {
                meter: Meter::default(),
                now: Instant::now(),
                passed: 0,
                late,
                used: 0.0,
            }
        }

        /// What we used in each of so many seconds, and what others did.
        fn seconds(&mut self, count: u64, ours: f64, theirs: f64) {
            for _ in 0..count {
                if self.passed % 60 == self.late {
                    self.used = 0.0;
                }
                self.used += ours + theirs;
                let told = told(self.used, Some(ours), 60 - self.passed % 60);
                self.meter.hear(self.now, Some(told), self.now);
                self.passed += 1;
                self.now += Duration::from_secs(1);
            }
        }

        #[track_caller]
        fn assert_room(&self, expected: u32) {
            assert_eq!(room(&self.meter, self.now), expected);
        }

        #[track_caller]
        fn assert_look_again_in(&self, seconds: u64) {
            let quota = self.meter.quota().expect("a quota");
            let wait = self.meter.may_have_room_at(quota, self.now) - self.now;
            assert_eq!(wait.as_secs(), seconds);
        }
    }

    #[test]
    fn people_are_left_what_they_will_use_of_the_minute_and_of_a_whole_one_while_its_turn_is_unknown()
     {
        let mut minutes = Minutes::new(0);
        minutes.seconds(20, 100.0, 50.0);
        // 3,000 are used, and nobody knows that they will want 50 units a second for 40 seconds only.
        minutes.assert_room(30);
        minutes.seconds(60, 10.0, 50.0);
        // 1,200 are used, and they will want 2,000.
        minutes.assert_room(58);
    }

    #[test]
    fn what_people_leave_after_all_is_found_before_the_minute_turns() {
        let mut minutes = Minutes::new(0);
        minutes.seconds(61, 0.0, 160.0);
        minutes.assert_room(0);
        minutes.assert_look_again_in(5);
        minutes.seconds(14, 0.0, 0.0);
        minutes.assert_room(30);
        minutes.seconds(1, 9_000.0, 0.0);
        // There is no more to be had.
        minutes.assert_look_again_in(44);
    }

    #[test]
    fn a_minute_that_turns_at_another_time_is_learned() {
        let mut minutes = Minutes::new(30);
        minutes.seconds(30, 10.0, 50.0);
        minutes.assert_room(42);
        minutes.seconds(20, 10.0, 50.0);
        // 1,200 are used, and 40 seconds are left; by the server's clock it would be 10.
        minutes.assert_room(58);
        minutes.seconds(40, 10.0, 50.0);
        minutes.seconds(20, 10.0, 50.0);
        minutes.assert_room(58);
    }

    #[test]
    fn a_number_that_does_not_fall_when_it_is_to_makes_its_turn_unknown() {
        let mut minutes = Minutes::new(0);
        minutes.seconds(80, 10.0, 50.0);
        minutes.assert_room(58);
        minutes.late = 61; // never
        minutes.seconds(50, 0.0, 50.0);
        // 3,700 are used, and they may want 3,000.
        minutes.assert_room(23);
    }

    #[test]
    fn small_numbers_tell_no_turn() {
        for (used, known) in [(900.0, false), (1_100.0, true)] {
            let mut meter = Meter::default();
            let now = Instant::now();
            meter.hear(now, Some(told(used, Some(1.0), 30)), now);
            meter.hear(now, Some(told(10.0, Some(1.0), 30)), now);
            assert_eq!(meter.turn.is_known(), known, "{used}");
        }
    }

    #[test]
    fn where_no_costs_are_told_only_the_tenth_is_left_alone() {
        let mut meter = Meter::default();
        let now = Instant::now();
        for used in [100.0, 2_000.0] {
            meter.hear(
                now,
                Some(told(used, None, 30)),
                now + Duration::from_secs(10),
            );
        }
        assert_eq!(room(&meter, now), 7, "the largest cost that is believed");
    }
}
