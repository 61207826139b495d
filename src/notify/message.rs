//! What a webhook is sent: words for people, and every number for machines.

use serde_json::{Value, json};
use url::Url;

use crate::config::Config;
use crate::exit::Exit;
use crate::summary::{DaysLeft, Failed, History, Summary};

/// Failed items named one by one; the others are only counted.
const NAMED: usize = 5;
/// Of one line for people.
const LONGEST: usize = 500;

/// Whose rules the body has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiver {
    /// Gives `<`, `>` and `&` a meaning in `text`, and refuses `attachments` that are not its own.
    Slack,
    /// A flow of Power Automate, which posts the cards in `attachments`.
    Teams,
    /// Mattermost and the like, which show `text`, and programs.
    Other,
}

impl Receiver {
    /// No body is taken by both Slack and Teams, so the address decides.
    fn at(address: &Url) -> Self {
        let host = address.host_str().unwrap_or_default();
        let is_at = |domains: &[&str]| {
            let below = |domain: &&str| {
                let rest = host.strip_suffix(*domain);
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            domains.iter().any(below)
        };
        if is_at(&["slack.com", "slack-gov.com"]) {
            Self::Slack
        } else if is_at(&[
            "logic.azure.com",
            "logic.azure.us",
            "powerplatform.com",
            "powerplatform.us",
            "webhook.office.com",
        ]) {
            Self::Teams
        } else {
            Self::Other
        }
    }
}

/// The body for that address.
pub(super) fn of(address: &Url, config: &Config, history: &History) -> Value {
    let summary = &history.summary;
    let lines = lines(config, history);
    let receiver = Receiver::at(address);
    let text = match receiver {
        Receiver::Slack => escaped(&lines.join("\n")),
        Receiver::Teams | Receiver::Other => lines.join("\n"),
    };
    let mut numbers = json!(summary);
    if let Value::Object(members) = &mut numbers {
        members.insert("portal".to_owned(), json!(portal(config)));
        let destination = config.keeping.destination.to_string();
        members.insert("destination".to_owned(), json!(destination));
    }
    let mut body = json!({"text": text, "agol_backup": numbers});
    if receiver == Receiver::Teams
        && let Value::Object(members) = &mut body
    {
        members.insert("type".to_owned(), json!("message"));
        members.insert("attachments".to_owned(), json!([card(&lines)]));
    }
    body
}

/// <https://docs.slack.dev/messaging/formatting-message-text/#escaping>: a title must not become a mention.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Text runs, because a text block would take titles for Markdown.
fn card(lines: &[String]) -> Value {
    let block = |(nth, line): (usize, &String)| {
        let weight = if nth == 0 { "Bolder" } else { "Default" };
        json!({
            "type": "RichTextBlock",
            "inlines": [{"type": "TextRun", "text": line, "weight": weight}],
        })
    };
    let blocks: Vec<Value> = lines.iter().enumerate().map(block).collect();
    json!({
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": blocks,
        },
    })
}

fn portal(config: &Config) -> &str {
    config.portal.as_str().trim_end_matches('/')
}

/// What happened where; what failed; what to do.
fn lines(config: &Config, history: &History) -> Vec<String> {
    let summary = &history.summary;
    let exit = Exit::of_code(summary.exit);
    let mut lines = vec![format!(
        "agol-backup of {} to {}: {} (exit code {})",
        portal(config),
        config.keeping.destination,
        summary.outcome,
        summary.exit
    )];
    lines.extend(summary.error.clone());
    if matches!(exit, Some(Exit::Complete | Exit::Partial)) {
        lines.push(counts(summary));
    }
    lines.extend(history.failed.iter().take(NAMED).map(failure));
    let more = history.failed.len().saturating_sub(NAMED);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let remedy = exit.map_or("", |exit| remedy(exit, !history.failed.is_empty()));
    lines.extend((!remedy.is_empty()).then(|| remedy.to_owned()));
    if let DaysLeft::Days(days) = summary.token_days_left {
        let ends_soon = summary.token_days_left.end_soon() && exit != Some(Exit::SignIn);
        let remedy = if ends_soon {
            " Unless runs renew it, sign in again: agol-backup login"
        } else {
            ""
        };
        lines.push(format!("The refresh token has {days} days left.{remedy}"));
    }
    lines.iter().map(|line| shortened(line)).collect()
}

fn counts(summary: &Summary) -> String {
    let Summary {
        stored,
        unchanged,
        skipped,
        kept,
        missing,
        rows,
        ..
    } = summary;
    let failed = kept + missing;
    let older = match kept {
        0 => String::new(),
        kept => format!(" (an older copy of {kept} is kept)"),
    };
    format!(
        "Items: {stored} stored, {unchanged} unchanged, {skipped} skipped, {failed} failed{older}. Rows read: {rows}."
    )
}

fn failure(item: &Failed) -> String {
    let error = item.error.as_ref();
    let why = error.map(|error| format!(": {}: {}", error.stage, error.message));
    format!(
        "- {} ({}){}",
        item.title,
        item.kind,
        why.unwrap_or_default()
    )
}

fn remedy(exit: Exit, items_failed: bool) -> &'static str {
    match exit {
        Exit::Partial if items_failed => {
            "The next run tries the failed items again. If they fail every time, the lines `item failed` of the log say why."
        }
        Exit::Internal => "This is a defect of the program; the log has its place.",
        Exit::Locked => "If no other run is at work there, start it again after two minutes.",
        Exit::Portal | Exit::Sink => {
            "What was stored before is untouched. `agol-backup check` shows what is wrong."
        }
        Exit::Interrupted | Exit::Terminated => {
            "What was stored before is untouched. The next run goes on with what this one had finished."
        }
        // Their reason says it.
        Exit::Complete
        | Exit::Partial
        | Exit::Empty
        | Exit::SignIn
        | Exit::Config
        | Exit::Damaged => "",
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_tells_whose_rules_hold() {
        for (address, receiver) in [
            ("https://hooks.slack.com/services/T/B/x", Receiver::Slack),
            (
                "https://hooks.slack-gov.com/services/T/B/x",
                Receiver::Slack,
            ),
            (
                "https://prod-1.westeurope.logic.azure.com:443/workflows/x",
                Receiver::Teams,
            ),
            (
                "https://x.environment.api.powerplatform.com/powerautomate/x",
                Receiver::Teams,
            ),
            (
                "https://city.webhook.office.com/webhookb2/x",
                Receiver::Teams,
            ),
            ("https://chat.city.gov/hooks/x", Receiver::Other),
            ("https://notslack.com/x", Receiver::Other),
            ("http://127.0.0.1:1/logic.azure.com", Receiver::Other),
        ] {
            let url = Url::parse(address).expect("an address");
            assert_eq!(Receiver::at(&url), receiver, "{address}");
        }
    }
}
