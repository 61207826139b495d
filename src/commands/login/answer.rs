//! What a sign-in led to: who, where, for how long, and what to set.

use jiff::Timestamp;
use serde::Serialize;

use crate::PROGRAM;
use crate::config::Login as Settings;
use crate::exit::Exit;
use crate::portal::Account;
use crate::token_file::{LONGEST_LIFE, Token};

/// As `--json` tells it.
#[derive(Serialize)]
pub(super) struct Answer {
    program: &'static str,
    exit: u8,
    outcome: &'static str,
    portal: String,
    username: Option<String>,
    org_id: Option<String>,
    org_name: Option<String>,
    role: Option<String>,
    client_id: String,
    token_file: String,
    /// `None` where the portal does not tell.
    expires_at: Option<Timestamp>,
    /// Whole days, rounded, as they were granted.
    lives_days: Option<i64>,
    asked_days: i64,
    /// What to do before a run: with these names set, and those not.
    set: Vec<(&'static str, String)>,
    unset: Vec<&'static str>,
}

impl Answer {
    pub(super) fn of(
        settings: &Settings,
        account: &Account,
        token: &Token,
        now: Timestamp,
    ) -> Self {
        let portal = settings.portal.as_str().trim_end_matches('/').to_owned();
        let token_file = settings.file.path().display().to_string();
        let life = token.expires_at.map(|end| end.duration_since(now));
        let mut set = vec![("ARCGIS_REFRESH_TOKEN_FILE", token_file.clone())];
        if portal != "https://www.arcgis.com" {
            set.insert(0, ("ARCGIS_URL", portal.clone()));
        }
        Self {
            program: PROGRAM,
            exit: Exit::Complete.code(),
            outcome: Exit::Complete.name(),
            portal,
            username: account.username.clone(),
            org_id: account.org_id.clone(),
            org_name: account.org_name.clone(),
            role: account.role.clone(),
            client_id: settings.client_id.clone(),
            token_file,
            expires_at: token.expires_at,
            // The portal grants a second less than it means.
            lives_days: life.map(|life| (life.as_hours() + 12) / 24),
            asked_days: LONGEST_LIFE.as_hours() / 24,
            set,
            unset: settings.in_the_way.clone(),
        }
    }

    pub(super) fn told(&self, json: bool) -> anyhow::Result<String> {
        if json {
            return Ok(serde_json::to_string(self)? + "\n");
        }
        Ok(format!(
            "\nSigned in as {} at {}.\nThe token is in {}, which only you can read.\n{}\n\n\
             For the runs, set these, and ask what a run would do:\n\n{}",
            self.who(),
            self.portal,
            self.token_file,
            self.life(),
            self.commands()
        ))
    }

    fn who(&self) -> String {
        let name = self
            .username
            .as_deref()
            .unwrap_or("an account without a name");
        let role = self.role.as_ref().map(|role| format!(" ({role})"));
        let org = self.org_name.as_ref().or(self.org_id.as_ref());
        let org = org.map(|org| format!(" of {org}"));
        format!(
            "{name}{}{}",
            role.unwrap_or_default(),
            org.unwrap_or_default()
        )
    }

    fn life(&self) -> String {
        let (Some(end), Some(days)) = (self.expires_at, self.lives_days) else {
            return format!(
                "The portal does not tell when it ends; {} days are the longest. A run that may replace the file\n\
                 renews it by itself.",
                self.asked_days
            );
        };
        let shorter = if days < self.asked_days {
            format!(
                " Your organisation allows no more; {} were asked for.",
                self.asked_days
            )
        } else {
            String::new()
        };
        format!(
            "It ends in {}, on {}.{shorter}\nA run that may replace the file renews it by itself when less than half of that is left.",
            counted(days),
            end.strftime("%Y-%m-%d")
        )
    }

    fn commands(&self) -> String {
        let set = self.set.iter().map(|(name, value)| set(name, value));
        let unset = self.unset.iter().map(|name| unset(name));
        let check = "agol-backup check".to_owned();
        let lines: Vec<String> = unset.chain(set).chain([check]).collect();
        format!("  {}\n", lines.join("\n  "))
    }
}

fn counted(days: i64) -> String {
    match days {
        ..1 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(unix)]
fn set(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@+".contains(c);
    if value.chars().all(plain) {
        format!("export {name}={value}")
    } else {
        format!("export {name}='{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(unix)]
fn unset(name: &str) -> String {
    format!("unset {name}")
}

/// In `PowerShell`.
#[cfg(not(unix))]
fn set(name: &str, value: &str) -> String {
    format!("$env:{name} = '{}'", value.replace('\'', "''"))
}

#[cfg(not(unix))]
fn unset(name: &str) -> String {
    format!("Remove-Item Env:{name}")
}
