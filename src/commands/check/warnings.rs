//! What stops no pass and would be regretted later, each with what to do about it.

use serde::Serialize;

use super::content::{Content, Line};
use super::destination::Place;
use crate::config::{Config, Credentials, Scope};
use crate::pass::{SIGN_IN_ANEW, SKEW_TO_WARN};
use crate::portal::Account;
use crate::summary::DaysLeft;

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct Warning {
    /// For machines; never varies.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) remedy: &'static str,
}

/// What the warnings are made of.
pub(super) struct Facts<'a> {
    pub(super) config: &'a Config,
    pub(super) days_left: DaysLeft,
    pub(super) account: Option<&'a Account>,
    pub(super) content: Option<&'a Content>,
    pub(super) place: &'a Place,
    /// Seconds that this machine's clock is ahead of the portal's.
    pub(super) skew: Option<i64>,
}

impl Facts<'_> {
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let all = [
            self.token(),
            self.clock(),
            self.sight(),
            self.ownership(),
            self.exports(),
            self.gone(),
            self.damage(),
        ];
        let unknown = self.config.unknown_variables.iter().map(|name| Warning {
            code: "unknown_variable",
            message: format!("{name} is no variable of this program, and is ignored"),
            remedy: "compare it with the README's table, or unset it",
        });
        all.into_iter().flatten().chain(unknown).collect()
    }

    fn token(&self) -> Option<Warning> {
        match (self.days_left, &self.config.credentials) {
            (DaysLeft::Days(days), _) if self.days_left.end_soon() => Some(Warning {
                code: "token_ends_soon",
                message: format!("the refresh token {}", super::table::ends(days)),
                remedy: self.renewal(),
            }),
            (DaysLeft::Days(_), _) => None,
            (DaysLeft::Unknown(_), Credentials::ApiKey(_)) => Some(Warning {
                code: "token_end_unknown",
                message: "nobody can tell here when the API key ends".to_owned(),
                remedy: "look it up in the portal, and put the day into your calendar",
            }),
            (DaysLeft::Unknown(_), Credentials::RefreshToken { .. }) => Some(Warning {
                code: "token_end_unknown",
                message: "it is not known when the refresh token ends; it lives 90 days at most"
                    .to_owned(),
                remedy: "sign in with agol-backup login: its file tells the end, and every run the days left",
            }),
        }
    }

    /// The next run renews a token that it can replace. Whether it can is tried by nobody here.
    fn renewal(&self) -> &'static str {
        match &self.config.credentials {
            Credentials::RefreshToken { file: Some(_), .. } => {
                "a run renews it if it may replace the file; if it ends all the same, sign in anew with agol-backup login"
            }
            _ => SIGN_IN_ANEW,
        }
    }

    fn clock(&self) -> Option<Warning> {
        let skew = self.skew.filter(|skew| skew.abs() > SKEW_TO_WARN)?;
        let way = if skew > 0 { "ahead of" } else { "behind" };
        Some(Warning {
            code: "clock_differs",
            message: format!(
                "this machine's clock is {} seconds {way} the portal's",
                skew.abs()
            ),
            remedy: "set this machine's clock",
        })
    }

    /// The scope promises the organisation, and the account sees only a part of it.
    fn sight(&self) -> Option<Warning> {
        let blind = self.account?.sees_everything() == Some(false);
        (blind && self.config.selection.scope == Scope::Org).then(|| Warning {
            code: "sees_not_everything",
            message:
                "BACKUP_SCOPE is org, and the account does not see other people's private items"
                    .to_owned(),
            remedy: "give its role the right to view all content (portal:admin:viewItems)",
        })
    }

    fn ownership(&self) -> Option<Warning> {
        let sees_everything = self.account?.sees_everything() == Some(true);
        let content = self.content?;
        let nothing =
            content.items.is_empty() && content.of_other_types + content.of_other_parts == 0;
        let mine = self.config.selection.scope == Scope::Mine;
        (sees_everything && nothing && mine).then(|| Warning {
            code: "owns_nothing",
            message:
                "the account sees the whole organisation and owns nothing, and BACKUP_SCOPE is mine"
                    .to_owned(),
            remedy: "set BACKUP_SCOPE=org",
        })
    }

    /// Exports are made in the content of the layer's owner.
    fn exports(&self) -> Option<Warning> {
        let (account, content) = (self.account?, self.content?);
        let may_create = account.may_create_items() != Some(false);
        let refused = |line: &&Line| {
            let own = account.username.as_deref() == Some(&line.owner);
            line.exports && !(may_create && (own || account.is_administrator()))
        };
        let count = content.items.iter().filter(refused).count() as u64;
        (count > 0).then(|| Warning {
            code: "exports_refused",
            message: format!("the account may have no right to export {}", super::report::items(count)),
            remedy: "exports need the right to create items, and the layer's owner or an administrator; BACKUP_METHOD=query with geojson or esrijson needs neither",
        })
    }

    fn gone(&self) -> Option<Warning> {
        let gone = self.content?.gone;
        (gone > 0).then(|| Warning {
            code: "not_found_any_more",
            message: format!(
                "{} of the newest snapshot would be in none from now on: not found any more",
                super::report::items(gone)
            ),
            remedy: "if they were not deleted, check BACKUP_SCOPE, BACKUP_QUERY, BACKUP_ITEM_TYPES and the account's rights",
        })
    }

    fn damage(&self) -> Option<Warning> {
        let damaged = self.place.damaged;
        (damaged > 0).then(|| Warning {
            code: "snapshots_damaged",
            message: format!(
                "{damaged} of the snapshots cannot be read, and until then none is removed"
            ),
            remedy: "see agol-backup snapshots; restore the file, or delete it by hand",
        })
    }
}
