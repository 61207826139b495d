//! The report as data: what `--json` writes and the table shows.

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::content::{Content, Fate, sum};
use super::destination::Place;
use super::warnings::Warning;
use crate::config::{Config, Scope};
use crate::exit::{Exit, Stop};
use crate::portal::Account;
use crate::summary::DaysLeft;

/// Everything that there is to say.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) program: &'static str,
    #[serde(flatten)]
    pub(super) ending: Ending,
    pub(super) portal: Sign,
    /// Missing when the portal's side could not be read.
    pub(super) content: Option<Content>,
    pub(super) destination: Place,
    pub(super) warnings: Vec<Warning>,
}

/// How a pass would end.
#[derive(Serialize)]
pub(super) struct Ending {
    #[serde(serialize_with = "as_number")]
    pub(super) exit: Exit,
    pub(super) outcome: &'static str,
    pub(super) verdict: String,
}

/// Who signs in, where, to look for what.
#[derive(Serialize)]
pub(super) struct Sign {
    pub(super) url: String,
    pub(super) scope: &'static str,
    pub(super) query: Option<String>,
    pub(super) types: Vec<String>,
    pub(super) token_days_left: DaysLeft,
    pub(super) account: Option<Who>,
    pub(super) error: Option<String>,
}

/// The account and its rights.
#[derive(Serialize)]
pub(super) struct Who {
    /// `None` for an application's own key.
    pub(super) username: Option<String>,
    pub(super) org_id: Option<String>,
    pub(super) org_name: Option<String>,
    pub(super) role: Option<String>,
    pub(super) administrator: bool,
    pub(super) sees_everything: Option<bool>,
    pub(super) may_create_items: Option<bool>,
    pub(super) privileges: Option<Vec<String>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn as_number<S: serde::Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(exit.code())
}

impl Ending {
    /// `stop` is what would end a pass before its commit.
    pub(super) fn of(stop: Option<&Stop>, content: Option<&Content>) -> Self {
        let unreadable = content.map_or(0, |content| content.counts.unreadable);
        let exit = match stop {
            Some(stop) => stop.exit(),
            None if unreadable > 0 => Exit::Partial,
            None => Exit::Complete,
        };
        let told = content.map(what_is_read).unwrap_or_default();
        let code = exit.code();
        let verdict = match stop {
            Some(stop) => format!("Not ready, a pass would end with exit code {code}: {stop}."),
            None if unreadable > 0 => format!(
                "Not whole: a pass would {told}; {unreadable} cannot be read, so it would end with exit code {code}."
            ),
            None => format!("Ready: a pass would {told}."),
        };
        Self {
            exit,
            outcome: exit.name(),
            verdict,
        }
    }
}

/// `read 14 items (about 1,488 rows, 230 KiB)`, and what else.
fn what_is_read(content: &Content) -> String {
    let counts = content.counts;
    let read = || content.with(Fate::Read);
    let rows = sum(read().map(|line| line.rows));
    let bytes = sum(read().map(|line| line.bytes));
    let rows = rows.map(|rows| format!("{} rows", HumanCount(rows)));
    // The portal does not know the size of everything.
    let knows_all = read().all(|line| line.bytes.is_some());
    let more = if knows_all { "" } else { " and more" };
    let bytes = bytes.map(|bytes| format!("{}{more}", HumanBytes(bytes)));
    let size: Vec<String> = rows.into_iter().chain(bytes).collect();
    let mut told = format!("read {}", items(counts.read));
    if !size.is_empty() {
        told = format!("{told} (about {})", size.join(", "));
    }
    if counts.unchanged > 0 {
        told = format!("{told}, keep {} unchanged", HumanCount(counts.unchanged));
    }
    if counts.skipped > 0 {
        told = format!("{told}, skip {}", HumanCount(counts.skipped));
    }
    told
}

/// `1 item`, `2 items`.
pub(super) fn items(count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} item{plural}", HumanCount(count))
}

impl Sign {
    pub(super) fn of(
        config: &Config,
        account: Option<&Account>,
        token_days_left: DaysLeft,
        error: Option<String>,
    ) -> Self {
        let (scope, query) = match &config.selection.scope {
            Scope::Mine => ("mine", None),
            Scope::Org => ("org", None),
            Scope::Query(query) => ("query", Some(query.clone())),
        };
        Self {
            url: config.portal.as_str().trim_end_matches('/').to_owned(),
            scope,
            query,
            types: config.selection.types.clone(),
            token_days_left,
            account: account.map(Who::of),
            error,
        }
    }
}

impl Who {
    fn of(account: &Account) -> Self {
        Self {
            username: account.username.clone(),
            org_id: account.org_id.clone(),
            org_name: account.org_name.clone(),
            role: account.role.clone(),
            administrator: account.is_administrator(),
            sees_everything: account.sees_everything(),
            may_create_items: account.may_create_items(),
            privileges: account.privileges.clone(),
        }
    }
}
