//! The organisation's request units: what each kind of request costs, and who has used how many in this minute.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::reply::Reply;

/// The organisation's request units per minute.
#[derive(Clone, Copy, Debug)]
pub struct Units {
    /// By others, in every minute.
    pub usage: u64,
    pub max: u64,
    /// The cost of a simple request; rows cost five times as much. Beyond `max` the answer is 429 in a 200.
    pub each: u64,
    /// A minute of a test may be shorter.
    pub minute: Duration,
}

impl Units {
    /// That many, of which others have used so many; ours cost nothing.
    pub fn used(usage: u64, max: u64) -> Self {
        Self {
            usage,
            max,
            each: 0,
            minute: Duration::from_mins(1),
        }
    }

    pub fn cost_of(&self, route: &str) -> u64 {
        match route {
            "query" => 5 * self.each,
            "count" | "ids" | "statistics" => 2 * self.each,
            _ => self.each,
        }
    }
}

/// Counts them.
#[derive(Debug, Default)]
pub struct Meter {
    begun: Option<Instant>,
    spent: u64,
}

/// What a request is told.
#[derive(Clone, Copy, Debug)]
pub struct Bill {
    cost: u64,
    usage: u64,
    max: u64,
    turns_in: u64,
    pub refused: bool,
}

impl Meter {
    /// A request that is refused costs nothing.
    pub fn spend(&mut self, units: Units, cost: u64) -> Bill {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if begun.elapsed() >= units.minute {
            *self = Self::default();
            return self.spend(units, cost);
        }
        let refused = cost > 0 && units.usage + self.spent + cost > units.max;
        if !refused {
            self.spent += cost;
        }
        let left = units.minute.saturating_sub(begun.elapsed());
        Bill {
            cost,
            usage: units.usage + self.spent,
            max: units.max,
            turns_in: left.as_secs() + 1,
            refused,
        }
    }
}

impl Bill {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub fn share(&self) -> f64 {
        self.usage as f64 / self.max as f64
    }

    /// The clock of the answer shows as many seconds before a full minute as are left.
    pub fn dress(&self, reply: Reply) -> Reply {
        let minute = Timestamp::now().as_second() / 60 * 60;
        let left = i64::try_from(self.turns_in.min(60)).expect("few");
        let clock = Timestamp::from_second(minute + 60 - left).expect("a date");
        let clock = DateTimePrinter::new().timestamp_to_rfc9110_string(&clock);
        let reply = if self.refused {
            Reply::too_many(self.turns_in)
        } else {
            reply
        };
        let quota = format!("usage={};max={}", self.usage, self.max);
        reply
            .header("x-esri-org-request-units-per-min", quota)
            .header("x-esri-query-request-units", self.cost.to_string())
            .header("date", clock.expect("a date"))
    }
}
