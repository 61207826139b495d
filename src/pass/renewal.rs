//! The refresh token is exchanged for a new one when less than half of its life is left, so that a job with a file
//! for it needs no person. In this order, each step durable before the next:
//!
//! 1. the file is replaced by itself: what could not be replaced later is not exchanged at all;
//! 2. the token is kept beside it;
//! 3. the portal is asked for the new one, once, and it takes the place of the old one in the file;
//! 4. the new one is used; when it works, the old one is removed.
//!
//! None of it can end the pass: the access token at hand is good for a while, whatever becomes of the other.

use std::io;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::config::{Config, Credentials};
use crate::portal::{Error, OUT_OF_BAND, Portal};
use crate::summary::DaysLeft;
use crate::telemetry;
use crate::token_file::{Token, TokenFile};

/// What a person is told to do about a token that this program cannot renew.
pub(crate) const SIGN_IN_ANEW: &str = "sign in anew with agol-backup login";
/// A token that runs renew lives on, unless they pause for longer than it lives.
const RUN_OFTEN_ENOUGH: &str = "runs renew it before it ends; so that they may pause for longer, sign in with agol-backup login, which asks for 90 days";
const MAKE_WRITABLE: &str = "let this program replace ARCGIS_REFRESH_TOKEN_FILE (mount its folder, not the file), or sign in anew with agol-backup login before the token ends";

/// An exchange ended the old token, and its answer never came.
const BEFORE_THE_NEXT: &str = "the portal has ended the old token, and the new one never arrived: sign in anew with agol-backup login before the next run";

/// The token that is used, and its file.
struct Renewal<'a> {
    portal: &'a Portal,
    file: &'a TokenFile,
    now: Timestamp,
}

/// Renews the refresh token where that is due and possible, and warns a person when it ends soon all the same.
pub(super) async fn renew(config: &Config, portal: &Portal, now: Timestamp) {
    let Credentials::RefreshToken { file, .. } = &config.credentials else {
        return;
    };
    let kept = match file {
        Some(file) => Renewal { portal, file, now }.run().await,
        None => Err(SIGN_IN_ANEW),
    };
    let left = DaysLeft::until(portal.credentials_end().await, now);
    if let DaysLeft::Days(days) = left
        && left.end_soon()
    {
        let remedy = kept.err().unwrap_or(RUN_OFTEN_ENOUGH);
        warn!(token_days_left = days, remedy, "refresh token ends soon");
    }
}

impl Renewal<'_> {
    /// Whether the token is kept alive, by this pass or a later one; else what a person can do about it. That a file
    /// cannot be replaced matters only when the token ends: it may be meant so.
    async fn run(&self) -> Result<(), &'static str> {
        let turn = self.file.take_turn().map_err(|_read_only| MAKE_WRITABLE)?;
        // Without a turn, another run is at it. Without a token, one was.
        if turn.is_none() {
            return Ok(());
        }
        let Some(token) = self.settle().await else {
            return Ok(());
        };
        self.file.rehearse().map_err(|_read_only| MAKE_WRITABLE)?;
        if token.is_due(self.now) {
            self.exchange(&token).await?;
        }
        Ok(())
    }

    /// Leaves the file with the token that is used, and nothing beside it: what worked needs no predecessor. `None`
    /// when the file has got another one meanwhile.
    async fn settle(&self) -> Option<Token> {
        let used = self.portal.refresh_token().await?;
        if self.file.holds(&used.secret) {
            self.tidied(self.file.tidy());
            return Some(used);
        }
        match self.file.put_back(&used.secret) {
            Ok(false) => return None,
            Ok(true) => warn!(
                reason = "a renewal did not come to its end: the portal refuses the token that was in the file",
                "refresh token put back"
            ),
            Err(error) => self.tidied(Err(error)),
        }
        Some(used)
    }

    async fn exchange(&self, old: &Token) -> Result<(), &'static str> {
        if let Err(error) = self.file.keep_old() {
            return Err(self.not_written(&error));
        }
        let redirect_uri = old.redirect_uri.as_deref().unwrap_or(OUT_OF_BAND);
        let new = match self.portal.exchange(redirect_uri).await {
            Ok(new) => new,
            Err(error) => return self.not_exchanged(old, &error).await,
        };
        if let Err(error) = self.file.write(&new) {
            // Good for this pass, and for no other.
            let expires_at = old.expires_at;
            self.portal.take(Token { expires_at, ..new }).await;
            return Err(self.not_written(&error));
        }
        self.portal.take(new).await;
        if let Err(error) = self.portal.prove().await {
            warn!(error = %error, remedy = SIGN_IN_ANEW, "refresh token not proved");
            return Err(SIGN_IN_ANEW);
        }
        let used = self.settle().await;
        if used.is_some_and(|used| old.is(&used.secret)) {
            return Err(SIGN_IN_ANEW);
        }
        let left = DaysLeft::until(self.portal.credentials_end().await, self.now);
        info!(
            token_days_left = telemetry::days_left(&left),
            "refresh token renewed"
        );
        Ok(())
    }

    /// A refusal leaves everything as it was. When the answer was lost, the old token may have ended all the same.
    async fn not_exchanged(&self, old: &Token, error: &Error) -> Result<(), &'static str> {
        let lost = !error.is_refusal()
            && self
                .portal
                .prove()
                .await
                .is_err_and(|error| error.is_of_the_account());
        if lost {
            let expires_at = Some(self.now);
            self.portal
                .take(Token {
                    expires_at,
                    ..old.clone()
                })
                .await;
            warn!(error = %error, remedy = BEFORE_THE_NEXT, "refresh token lost");
            return Err(BEFORE_THE_NEXT);
        }
        warn!(error = %error, remedy = SIGN_IN_ANEW, "refresh token not renewed");
        self.tidied(self.file.tidy());
        Err(SIGN_IN_ANEW)
    }

    fn not_written(&self, error: &io::Error) -> &'static str {
        let path = self.file.path().display();
        warn!(path = %path, error = %error, remedy = MAKE_WRITABLE, "refresh token not renewed");
        MAKE_WRITABLE
    }

    fn tidied(&self, done: io::Result<()>) {
        if let Err(error) = done {
            let path = self.file.path().display();
            warn!(path = %path, error = %error, remedy = MAKE_WRITABLE, "token file not tidied");
        }
    }
}
