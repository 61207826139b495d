//! Whether one more request may go: what is known of an organisation's quota, and what is on its way. Nobody
//! tells what a request will cost before it is sent, so each is reckoned with the largest cost seen. Waits
//! for nothing itself and reads no clock.

use std::time::Duration;

use tokio::time::Instant;

use super::told::Told;

/// We never go beyond this share of the organisation's request units per minute: the rest is its people's.
const LIMIT: f64 = 0.9;
/// A request is reckoned with this share of the quota at least. So neither a question costlier than all
/// before it, nor what people ask between two answers, takes us beyond the limit.
const RESERVE: f64 = 0.01;
/// A number told longer ago may be wrong by now: people are at work too. An answer is not waited for longer.
pub(super) const FRESH: Duration = Duration::from_secs(5);
/// And with this one at most: a sudden rise is somebody else's.
const LARGEST: f64 = 0.1;
/// When others have used up the quota for so long, it is not waited for any more.
const ENDURANCE: Duration = Duration::from_hours(1);
/// And then asked for anew only after so long.
const RESIGNED: Duration = Duration::from_mins(3);

/// Whether a request may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Go,
    NotBefore(Instant),
    /// The same, and this is the first to hear it: so much of the quota is used.
    Full(Instant, f64),
    /// An answer that is on its way will tell.
    WhenHeard,
    /// Others have used up the quota for too long.
    Never,
}

#[derive(Debug)]
pub(super) struct Gate {
    open_at: Instant,
    /// Requests whose answers have not begun.
    unheard: u32,
    sent_at: Instant,
    /// The last answer; `None` before the first, and after a pause.
    known_at: Option<Instant>,
    /// `None` where nothing is metered.
    quota: Option<Quota>,
    largest_cost: f64,
    full: Option<Full>,
}

/// There was no room.
#[derive(Clone, Copy, Debug)]
struct Full {
    since: Instant,
    last: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Quota {
    used: f64,
    max: f64,
    told_at: Instant,
    turns_at: Instant,
}

impl Gate {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            open_at: now,
            unheard: 0,
            sent_at: now,
            known_at: None,
            quota: None,
            largest_cost: 0.0,
            full: None,
        }
    }

    /// Who hears `Go` is counted until [`Gate::hear`] or [`Gate::unanswered`].
    pub(super) fn ask(&mut self, now: Instant) -> Verdict {
        let verdict = self.judge(now);
        match verdict {
            Verdict::Go => {
                self.unheard += 1;
                self.sent_at = now;
            }
            Verdict::Full(until, _) => {
                let since = self.full.map_or(now, |full| full.since);
                self.full = Some(Full { since, last: now });
                self.pause_until(until);
            }
            _ => {}
        }
        verdict
    }

    fn judge(&self, now: Instant) -> Verdict {
        if now < self.open_at {
            return Verdict::NotBefore(self.open_at);
        }
        if self.full.is_some_and(|full| full.for_too_long(now)) {
            return Verdict::Never;
        }
        let alone = self.unheard == 0;
        match self.quota.filter(|_| self.is_known(now)) {
            // Who knows nothing sends one and listens, but does not wait for ever.
            None if alone || self.is_known(now) || now >= self.sent_at + FRESH => Verdict::Go,
            Some(quota) if self.has_room(quota) => Verdict::Go,
            Some(quota) if alone => Verdict::Full(quota.turns_at, quota.used / quota.max),
            _ => Verdict::WhenHeard,
        }
    }

    /// What a minute has told says nothing of the next one.
    fn is_known(&self, now: Instant) -> bool {
        let known_at = self.known_at;
        known_at.is_some_and(|at| {
            self.quota
                .is_none_or(|quota| now < at + FRESH && now < quota.turns_at)
        })
    }

    fn has_room(&self, quota: Quota) -> bool {
        let (least, most) = (quota.max * RESERVE, quota.max * LARGEST);
        let each = self.largest_cost.clamp(least, most);
        quota.used + f64::from(self.unheard + 1) * each <= quota.max * LIMIT
    }

    /// Nobody is let through for a while, and then one alone.
    pub(super) fn pause_until(&mut self, until: Instant) {
        self.open_at = self.open_at.max(until);
        self.known_at = None;
    }

    /// An answer began, to a question that was asked at `asked_at`.
    pub(super) fn hear(&mut self, asked_at: Instant, told: Option<Told>, now: Instant) {
        self.unheard = self.unheard.saturating_sub(1);
        self.known_at = Some(now);
        let last = self.quota.filter(|last| now < last.turns_at);
        let Some(told) = told else {
            self.quota = last;
            self.full = self.full.filter(|_| last.is_some());
            return;
        };
        let risen = last.map_or(0.0, |last| told.used - last.used);
        self.largest_cost = self.largest_cost.max(told.cost.unwrap_or(risen));
        // Asked before the last number was told, it may be the older of the two.
        let older = last.filter(|last| asked_at < last.told_at);
        let quota = Quota {
            used: older.map_or(told.used, |last| last.used.max(told.used)),
            max: told.max,
            told_at: now,
            turns_at: now + told.minute_turns_in,
        };
        self.quota = Some(quota);
        if self.has_room(quota) {
            self.full = None;
        }
    }

    /// A request came to nothing. Where no quota is known that is all there is to know.
    pub(super) fn unanswered(&mut self, now: Instant) {
        self.unheard = self.unheard.saturating_sub(1);
        if self.quota.is_none() {
            self.known_at = Some(now);
        }
    }
}

impl Full {
    fn for_too_long(self, now: Instant) -> bool {
        now > self.since + ENDURANCE && now < self.last + RESIGNED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn told(used: f64, cost: Option<f64>) -> Told {
        Told {
            used,
            max: 10_000.0,
            cost,
            minute_turns_in: seconds(30),
        }
    }

    /// How many go at once.
    fn admitted(gate: &mut Gate, now: Instant) -> usize {
        let goes = |_: &usize| gate.ask(now) == Verdict::Go;
        (0..100).filter(goes).count()
    }

    /// A gate that has heard one answer, and when.
    fn heard(first: impl Into<Option<Told>>) -> (Gate, Instant) {
        let now = Instant::now();
        let mut gate = Gate::new(now);
        assert_eq!(admitted(&mut gate, now), 1, "the first goes alone");
        gate.hear(now, first.into(), now + seconds(1));
        (gate, now + seconds(1))
    }

    #[test]
    fn what_is_on_its_way_is_reckoned_with_the_largest_cost_seen() {
        for (used, cost, go) in [
            (0.0, Some(2.0), 90),
            (8_000.0, Some(2.0), 10),
            (8_000.0, Some(500.0), 2),
            (8_900.0, None, 1),
            (8_901.0, Some(0.0), 0),
        ] {
            let (mut gate, now) = heard(told(used, cost));
            assert_eq!(admitted(&mut gate, now), go, "{used} used, {cost:?} each");
        }
    }

    #[test]
    fn where_no_cost_is_told_it_is_what_the_number_rises_by() {
        let (mut gate, now) = heard(told(1_000.0, None));
        assert_eq!(gate.ask(now), Verdict::Go);
        gate.hear(now, Some(told(3_000.0, None)), now);
        assert_eq!(admitted(&mut gate, now), 6, "a tenth at most is believed");
    }

    #[test]
    fn an_answer_that_overtook_another_is_not_forgotten() {
        let (mut gate, now) = heard(told(0.0, None));
        let [second, third] = [1, 2].map(|later| now + seconds(later));
        assert_eq!(admitted(&mut gate, now), 90);
        gate.hear(now, Some(told(8_900.0, Some(1.0))), second);
        gate.hear(now, Some(told(100.0, Some(1.0))), third);
        assert_eq!(gate.ask(third), Verdict::WhenHeard);
        // Asked afterwards, a lower number is a later one.
        gate.hear(third, Some(told(100.0, Some(1.0))), third);
        assert_eq!(gate.ask(third), Verdict::Go);
    }

    #[test]
    fn a_full_quota_is_waited_for_until_the_minute_turns_and_then_one_goes_alone() {
        let (mut gate, now) = heard(told(9_500.0, None));
        let turn = now + seconds(30);
        assert_eq!(gate.ask(now), Verdict::Full(turn, 0.95));
        assert_eq!(gate.ask(now), Verdict::NotBefore(turn));
        assert_eq!(admitted(&mut gate, turn), 1);
        assert_eq!(gate.ask(turn), Verdict::WhenHeard);
        gate.hear(turn, Some(told(10.0, Some(1.0))), turn);
        assert_eq!(admitted(&mut gate, turn), 89);
    }

    #[test]
    fn what_was_told_long_ago_or_in_an_earlier_minute_is_asked_anew() {
        for later in [6, 31] {
            let (mut gate, now) = heard(told(10.0, None));
            assert_eq!(admitted(&mut gate, now + seconds(later)), 1, "{later}");
        }
    }

    #[test]
    fn a_quota_that_others_use_up_is_waited_for_as_long_as_is_bearable() {
        let (mut gate, begun) = heard(told(9_999.0, None));
        let mut now = begun;
        while now + seconds(31) <= begun + ENDURANCE {
            assert!(matches!(gate.ask(now), Verdict::Full(..)));
            now += seconds(31);
            assert_eq!(gate.ask(now), Verdict::Go, "one asks whether there is room");
            gate.hear(now, Some(told(9_999.0, None)), now);
        }
        assert!(matches!(gate.ask(now), Verdict::Full(..)));
        assert_eq!(gate.ask(now + seconds(62)), Verdict::Never);
        assert_eq!(gate.ask(now + RESIGNED), Verdict::Go, "it may be over");
    }

    #[test]
    fn where_nothing_is_metered_or_nothing_answered_nobody_is_held_up() {
        let (mut gate, now) = heard(None);
        assert_eq!(admitted(&mut gate, now + ENDURANCE), 100);
        let mut silent = Gate::new(now);
        assert_eq!(admitted(&mut silent, now), 1);
        silent.unanswered(now);
        assert_eq!(admitted(&mut silent, now), 100);
    }

    #[test]
    fn a_limit_that_changes_holds_at_once() {
        let (mut gate, now) = heard(told(1_000.0, None));
        assert_eq!(gate.ask(now), Verdict::Go);
        let smaller = Told {
            max: 1_100.0,
            ..told(1_000.0, None)
        };
        gate.hear(now, Some(smaller), now);
        assert!(matches!(gate.ask(now), Verdict::Full(..)));
    }
}
