//! Whether to ask again, and when. The only place that retries, whatever it is that is done again: a request, a
//! file that broke off, a page in halves, a listing that moved, a reading that was not confirmed. Each is a line
//! that says why and after how long, and each draws on what its item may lose.

use std::sync::Arc;
use std::time::Duration;

use backon::BackoffBuilder;
use tokio::time::{Instant, sleep};
use tracing::info;

use super::Portal;
use super::allowance::Allowance;
use super::call::{Call, host_of};
use super::error::{Error, Trouble};

/// The memory of one question: how often it failed, and how.
#[derive(Debug)]
pub struct Patience {
    waits: backon::ExponentialBackoff,
    failures: usize,
    /// How often it was asked otherwise, or from the beginning.
    restarts: usize,
    pauses: usize,
    renewed: bool,
    allowance: Arc<Allowance>,
    /// When the attempt under way was sent. Waiting for its turn before that is no trouble.
    sent: Option<Instant>,
}

impl Portal {
    /// For what is asked more than once: after 1, 2, 4, 8 … 60 seconds, each with up to its length added by chance.
    pub fn patience(&self) -> Patience {
        let waits = backon::ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_mins(1))
            .with_max_times(10)
            .with_jitter();
        Patience::with(waits, Allowance::current(self.bounds))
    }

    /// For what is being made meanwhile: from one second to half a minute.
    pub(super) fn patience_until_ready(&self) -> Patience {
        let waits = backon::ExponentialBuilder::default()
            .with_factor(1.5)
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_secs(30))
            .without_max_times();
        Patience::with(waits, Allowance::current(self.bounds))
    }
}

impl Patience {
    fn with(waits: backon::ExponentialBuilder, allowance: Arc<Allowance>) -> Self {
        let waits = waits.build();
        Self {
            waits,
            failures: 0,
            restarts: 0,
            pauses: 0,
            renewed: false,
            allowance,
            sent: None,
        }
    }

    /// An attempt goes out now.
    pub(super) fn sends(&mut self) {
        self.sent = Some(Instant::now());
    }

    /// Returns when it is time to ask again, or with the reason not to.
    pub(super) async fn after(
        &mut self,
        trouble: Trouble,
        call: &Call,
        portal: &Portal,
    ) -> Result<(), Error> {
        match trouble.said_by(|text| portal.tokens.redact(text)) {
            Trouble::Final(Error::Overloaded(message))
                if !call.can_shrink && !call.changes_something =>
            {
                self.wait(&call.subject, message, 3, portal).await
            }
            Trouble::Final(error) => {
                self.fails();
                Err(error)
            }
            // The token endpoint's own no. Its caller holds the token's lock: it must not be asked for here.
            Trouble::Token { message, .. } if call.anonymous => {
                Err(Error::Refused { code: 498, message })
            }
            Trouble::Token { used, message } => self.renew(used, message, call, portal).await,
            Trouble::Throttled { pause } => self.pause(pause, call, portal).await,
            Trouble::Transient { message, .. } if call.changes_something => {
                Err(Error::Unavailable(message))
            }
            Trouble::Transient { message, tries } => {
                self.wait(&call.subject, message, tries, portal).await
            }
        }
    }

    /// The same for a file that broke off while it was read.
    pub async fn after_cut(
        &mut self,
        subject: &str,
        error: Error,
        portal: &Portal,
    ) -> Result<(), Error> {
        match error {
            Error::Unavailable(message) | Error::Untrue(message) | Error::Overloaded(message) => {
                self.wait(subject, message, 3, portal).await
            }
            error => Err(error),
        }
    }

    /// The same for something that is being made, which may take until `give_up`.
    pub(super) async fn until_ready(
        &mut self,
        subject: &str,
        error: Error,
        give_up: Instant,
        portal: &Portal,
    ) -> Result<(), Error> {
        let in_time = |wait: &Duration| Instant::now() + *wait <= give_up;
        match self.waits.next().filter(in_time) {
            Some(wait) if !error.is_of_the_account() => {
                self.failures += 1;
                self.again_after(wait, subject, &error.to_string(), portal)
                    .await
            }
            _ => Err(error),
        }
    }

    /// At once: a smaller question, or the same from its beginning. The error comes back after so many tries.
    pub fn again(
        &mut self,
        subject: &str,
        error: Error,
        tries: usize,
        portal: &Portal,
    ) -> Result<(), Error> {
        self.restarts += 1;
        if self.restarts >= tries {
            return Err(error);
        }
        self.tell(subject, &error.to_string(), Duration::ZERO, portal)
    }

    async fn wait(
        &mut self,
        subject: &str,
        message: String,
        tries: usize,
        portal: &Portal,
    ) -> Result<(), Error> {
        self.failures += 1;
        let wait = if self.failures < tries {
            self.waits.next()
        } else {
            None
        };
        let Some(wait) = wait.map(|wait| portal.throttle.patient(wait)) else {
            self.fails();
            return Err(Error::Unavailable(format!(
                "{message} (tried {} times)",
                self.failures
            )));
        };
        self.again_after(wait, subject, &message, portal).await
    }

    async fn again_after(
        &mut self,
        wait: Duration,
        subject: &str,
        reason: &str,
        portal: &Portal,
    ) -> Result<(), Error> {
        self.tell(subject, reason, wait, portal)?;
        sleep(wait).await;
        Ok(())
    }

    /// One renewal for a question. A second refusal means that this server does not take our token.
    async fn renew(
        &mut self,
        used: Option<String>,
        message: String,
        call: &Call,
        portal: &Portal,
    ) -> Result<(), Error> {
        let renewable = portal.tokens.forget(used.as_deref()).await;
        if used.is_none() {
            let message = format!(
                "{} asks for a sign-in, and our token is not for it",
                host_of(&call.url)
            );
            return Err(Error::Refused { code: 499, message });
        }
        if !renewable {
            return Err(Error::SignIn("the portal refuses the API key: it may have expired; create a new one and set ARCGIS_API_KEY".to_owned()));
        }
        if self.renewed {
            let message = format!("{} refuses a fresh token", host_of(&call.url));
            return Err(Error::Refused { code: 498, message });
        }
        self.renewed = true;
        self.tell(&call.subject, &message, Duration::ZERO, portal)
    }

    /// Throttling is no failure of the question: the whole host waits. Who cleans up does not wait for that.
    async fn pause(&mut self, pause: Duration, call: &Call, portal: &Portal) -> Result<(), Error> {
        self.pauses += 1;
        if self.pauses > 20 {
            return Err(Error::Unavailable(
                "the host asks for a pause again and again".to_owned(),
            ));
        }
        let pause = pause.clamp(Duration::from_secs(1), Duration::from_mins(10));
        self.allowance.pause(pause)?;
        self.sent = None;
        portal.throttle.pause(&call.url, pause);
        told(
            &call.subject,
            "too many requests",
            self.pauses,
            pause,
            portal,
        );
        if portal.throttle.is_lifted() {
            sleep(portal.throttle.patient(pause)).await;
        }
        Ok(())
    }

    /// Says that it is asked again, unless too much was lost already.
    fn tell(
        &mut self,
        subject: &str,
        reason: &str,
        wait: Duration,
        portal: &Portal,
    ) -> Result<(), Error> {
        self.fails();
        let now = Instant::now();
        self.allowance.lose(now, now + wait);
        self.allowance.lasts(reason)?;
        let attempt = self.failures + self.restarts + usize::from(self.renewed);
        told(subject, reason, attempt, wait, portal);
        Ok(())
    }

    /// The attempt under way was in vain.
    fn fails(&mut self) {
        if let Some(sent) = self.sent.take() {
            self.allowance.lose(sent, Instant::now());
        }
    }
}

fn told(subject: &str, reason: &str, attempt: usize, wait: Duration, portal: &Portal) {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    info!(subject, reason, attempt, wait_ms, "request retried");
    portal.traffic.count_retry();
}
