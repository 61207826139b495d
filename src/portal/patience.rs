//! Whether to ask again, and when. The only place that retries: one request here, and whole files through
//! [`Patience::after_cut`], because a body can break long after its answer began.

use std::time::Duration;

use backon::BackoffBuilder;
use tracing::{debug, info};

use super::Portal;
use super::call::{Call, host_of};
use super::error::{Error, Trouble};

/// The memory of one question: how often it failed, and how.
#[derive(Debug)]
pub struct Patience {
    waits: backon::ExponentialBackoff,
    failures: usize,
    pauses: usize,
    renewed: bool,
}

impl Patience {
    /// 1, 2, 4, 8 … 60 seconds, each with up to its length added by chance.
    pub(super) fn new() -> Self {
        let waits = backon::ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_mins(1))
            .with_max_times(10)
            .with_jitter()
            .build();
        Self {
            waits,
            failures: 0,
            pauses: 0,
            renewed: false,
        }
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
            Trouble::Final(error) => Err(error),
            // The token endpoint's own no. Its caller holds the token's lock: it must not be asked for here.
            Trouble::Token { message, .. } if call.anonymous => {
                Err(Error::Refused { code: 498, message })
            }
            Trouble::Token { used, .. } => self.renew(used, call, portal).await,
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
            return Err(Error::Unavailable(format!(
                "{message} (tried {} times)",
                self.failures
            )));
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        info!(
            subject,
            reason = message,
            attempt = self.failures,
            wait_ms,
            "request retried"
        );
        portal.traffic.count_retry();
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// One renewal for a question. A second refusal means that this server does not take our token.
    async fn renew(
        &mut self,
        used: Option<String>,
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
        debug!(subject = call.subject, "access token renewed");
        portal.traffic.count_retry();
        Ok(())
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
        portal.throttle.pause(&call.url, pause);
        info!(
            subject = call.subject,
            reason = "too many requests",
            attempt = self.pauses,
            wait_ms = pause.as_secs() * 1_000,
            "request retried"
        );
        portal.traffic.count_retry();
        if portal.throttle.is_lifted() {
            tokio::time::sleep(portal.throttle.patient(pause)).await;
        }
        Ok(())
    }
}
