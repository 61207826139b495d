//! How much of an organisation's quota its people use, so that it can be left to them.

use std::time::Duration;

use tokio::time::Instant;

/// A rate that was seen for less is no rate yet.
const SHORTEST: f64 = 5.0;
/// Of what was seen longer ago than this, in seconds, half is forgotten.
const REMEMBERED: f64 = 60.0;

/// What others use: what the meter rises by beyond our own costs.
#[derive(Debug, Default)]
pub(super) struct People {
    units: f64,
    seconds: f64,
    watch: Option<Watch>,
}

/// A stretch of one minute that the meter has told without a break.
#[derive(Clone, Copy, Debug)]
struct Watch {
    from: (Instant, f64),
    to: (Instant, f64),
    ours: f64,
}

impl People {
    /// Where our own costs are not told, nobody can tell theirs.
    pub(super) fn hear(&mut self, told: (Instant, f64), cost: Option<f64>, begins_anew: bool) {
        let Some(cost) = cost else {
            *self = Self::default();
            return;
        };
        match &mut self.watch {
            Some(watch) if !begins_anew => {
                watch.ours += cost;
                watch.to = told;
            }
            _ => self.begin(told),
        }
    }

    fn begin(&mut self, told: (Instant, f64)) {
        let (units, seconds) = self.seen();
        let kept = if seconds > REMEMBERED { 0.5 } else { 1.0 };
        (self.units, self.seconds) = (units * kept, seconds * kept);
        self.watch = Some(Watch {
            from: told,
            to: told,
            ours: 0.0,
        });
    }

    fn seen(&self) -> (f64, f64) {
        let (units, span) = self.watch.map_or((0.0, Duration::ZERO), |watch| {
            let units = watch.to.1 - watch.from.1 - watch.ours;
            (units, watch.to.0 - watch.from.0)
        });
        (
            self.units + units.max(0.0),
            self.seconds + span.as_secs_f64(),
        )
    }

    pub(super) fn per_second(&self) -> f64 {
        let (units, seconds) = self.seen();
        units / seconds.max(SHORTEST)
    }
}
