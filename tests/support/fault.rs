//! A fault lying in wait, whatever server it strikes: which request, and how often.

/// Which of the requests that match have a turn. Without `times` it is the first.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    skip: usize,
    times: usize,
}

impl Turns {
    pub fn once() -> Self {
        Self { skip: 0, times: 1 }
    }

    #[must_use]
    pub fn after(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// `usize::MAX` is for ever.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Whether this request is one of those to be left alone, which are then one fewer.
    pub fn passes(&mut self) -> bool {
        let passes = self.skip > 0;
        self.skip = self.skip.saturating_sub(1);
        passes
    }

    /// Whether this request has a turn, which it has then had.
    pub fn take(&mut self) -> bool {
        let has = self.times > 0;
        if self.times < usize::MAX {
            self.times = self.times.saturating_sub(1);
        }
        has
    }
}

/// What happens, to which requests.
#[derive(Clone, Debug)]
pub struct Fault<K> {
    /// A route's name, or what else a server calls its requests by.
    pub route: String,
    pub kind: K,
    /// Part of the path, or what else a server knows a request by.
    pub only: Option<String>,
    pub turns: Turns,
}

impl<K> Fault<K> {
    pub fn on(route: &str, kind: K) -> Self {
        Self {
            route: route.to_owned(),
            kind,
            only: None,
            turns: Turns::once(),
        }
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

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: usize) -> Self {
        self.turns = self.turns.after(skip);
        self
    }

    #[must_use]
    pub fn only(mut self, part: &str) -> Self {
        self.only = Some(part.to_owned());
        self
    }
}
