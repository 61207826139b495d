//! Which requests meet a fault, and what then becomes of them.

use std::time::Duration;

use super::super::fault::Turns;

/// What the proxy does with a request that has arrived whole.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers so itself: the server never hears of it.
    Status(u16, Vec<(&'static str, String)>, String),
    /// The server does it, but its answer is lost with the connection.
    LoseReply,
    /// The connection ends; the server never hears of it.
    Reset,
    /// Nobody ever answers.
    Hang,
    /// It reaches the server late.
    Slow(Duration),
    /// It reaches the server when the test lets it go.
    Hold,
}

/// A choice of requests: the first that matches, unless told otherwise.
#[derive(Clone, Debug)]
pub struct Rule {
    method: &'static str,
    part: String,
    turns: Turns,
}

/// A rule with its act.
#[derive(Clone, Debug)]
pub struct Fault {
    rule: Rule,
    act: Act,
}

impl Rule {
    /// Requests of a method, `*` for any, `change` for those that change something, with a text somewhere in their path and query.
    pub fn on(method: &'static str, part: impl Into<String>) -> Self {
        Self {
            method,
            part: part.into(),
            turns: Turns::once(),
        }
    }

    /// Leaves the first few alone.
    #[must_use]
    pub fn skip(mut self, skip: usize) -> Self {
        self.turns = self.turns.after(skip);
        self
    }

    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.turns = self.turns.times(times);
        self
    }

    #[must_use]
    pub fn forever(self) -> Self {
        self.times(usize::MAX)
    }

    pub fn then(self, act: Act) -> Fault {
        Fault { rule: self, act }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let is_meant = match self.method {
            "*" => true,
            "change" => matches!(method, "PUT" | "POST" | "DELETE"),
            one => one == method,
        };
        is_meant && path.contains(&self.part)
    }
}

/// The act of the first fault whose turn it is.
pub fn fate(faults: &mut [Fault], method: &str, path: &str) -> Option<Act> {
    let mut matching = faults
        .iter_mut()
        .filter(|fault| fault.rule.matches(method, path));
    let fault = matching.find_map(|fault| {
        (!fault.rule.turns.passes() && fault.rule.turns.take()).then_some(&fault.act)
    });
    fault.cloned()
}
