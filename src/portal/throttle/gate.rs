//! Whether one more request may go: by what is known of an organisation's quota, and by what is on its way. Waits
//! for nothing itself and reads no clock.

use std::time::Duration;

use tokio::time::Instant;

use super::meter::Meter;
use super::told::Told;

/// A number told longer ago may be wrong by now: people are at work too. An answer is not waited for longer.
pub(super) const FRESH: Duration = Duration::from_secs(5);
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
    meter: Meter,
    full: Option<Full>,
}

/// There was no room.
#[derive(Clone, Copy, Debug)]
struct Full {
    since: Instant,
    last: Instant,
}

impl Gate {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            open_at: now,
            unheard: 0,
            sent_at: now,
            known_at: None,
            meter: Meter::default(),
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
                Verdict::Go
            }
            Verdict::Full(until, _) => {
                self.pause_until(until);
                let since = self.full.map(|full| full.since);
                self.full = Some(Full {
                    since: since.unwrap_or(now),
                    last: now,
                });
                since.map_or(verdict, |_told| Verdict::NotBefore(until))
            }
            _ => verdict,
        }
    }

    fn judge(&self, now: Instant) -> Verdict {
        if now < self.open_at {
            return Verdict::NotBefore(self.open_at);
        }
        if self.full.is_some_and(|full| full.for_too_long(now)) {
            return Verdict::Never;
        }
        let alone = self.unheard == 0;
        match self.meter.quota().filter(|_| self.is_known(now)) {
            // Who knows nothing sends one and listens, but does not wait for ever.
            None if alone || self.is_known(now) || now >= self.sent_at + FRESH => Verdict::Go,
            Some(_) if self.meter.has_room(self.unheard + 1, now) => Verdict::Go,
            Some(quota) if alone => {
                Verdict::Full(self.meter.may_have_room_at(quota, now), quota.share())
            }
            _ => Verdict::WhenHeard,
        }
    }

    /// What a minute has told says nothing of the next one.
    fn is_known(&self, now: Instant) -> bool {
        let known_at = self.known_at;
        known_at.is_some_and(|at| {
            self.meter
                .quota()
                .is_none_or(|quota| now < at + FRESH && now < quota.turns_at)
        })
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
        self.meter.hear(asked_at, told, now);
        if self.meter.has_room(self.unheard + 1, now) {
            self.full = None;
        }
    }

    /// A request came to nothing. Where no quota is known that is all there is to know.
    pub(super) fn unanswered(&mut self, now: Instant) {
        self.unheard = self.unheard.saturating_sub(1);
        if self.meter.quota().is_none() {
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
    fn in_a_full_quota_one_asks_from_time_to_time_and_when_the_minute_turns() {
        for (passed, wait) in [(1, 15), (25, 5)] {
            let (mut gate, begun) = heard(told(9_500.0, None));
            let mut now = begun + seconds(passed);
            if passed > 1 {
                assert_eq!(admitted(&mut gate, now), 1, "what was told is old");
                let told = Told {
                    minute_turns_in: seconds(30 - passed),
                    ..told(9_500.0, None)
                };
                gate.hear(now, Some(told), now);
            }
            let until = now + seconds(wait);
            assert_eq!(gate.ask(now), Verdict::Full(until, 0.95));
            assert_eq!(gate.ask(now), Verdict::NotBefore(until));
            now = until;
            assert_eq!(admitted(&mut gate, now), 1);
            assert_eq!(gate.ask(now), Verdict::WhenHeard);
            gate.hear(now, Some(told(10.0, Some(1.0))), now);
            assert_eq!(admitted(&mut gate, now), 89);
        }
    }

    #[test]
    fn a_stop_is_told_once() {
        let (mut gate, mut now) = heard(told(9_500.0, None));
        assert!(matches!(gate.ask(now), Verdict::Full(..)));
        now += seconds(15);
        assert_eq!(gate.ask(now), Verdict::Go);
        gate.hear(now, Some(told(9_500.0, None)), now);
        assert_eq!(gate.ask(now), Verdict::NotBefore(now + seconds(15)));
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
            assert_ne!(gate.ask(now), Verdict::Go);
            now += seconds(31);
            assert_eq!(gate.ask(now), Verdict::Go, "one asks whether there is room");
            gate.hear(now, Some(told(9_999.0, None)), now);
        }
        assert_ne!(gate.ask(now), Verdict::Go);
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
