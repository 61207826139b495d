//! The report for people: who and where, what by type, what is left out, warnings, and the verdict at the end.

use std::fmt::Write;

use indicatif::{HumanBytes, HumanCount};

use super::content::{Content, Fate, Line, OfType, sum};
use super::destination::Place;
use super::report::{Report, Sign, Who, items};
use crate::summary::DaysLeft;

/// Items named one by one; the others are only counted.
const NAMED: usize = 10;

pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    let mut facts = portal(&report.portal);
    if let Some(content) = &report.content {
        facts.push(("found", found(&report.portal, content)));
        facts.extend(content.error.iter().map(problem));
    }
    facts.extend(destination(&report.destination));
    for (name, fact) in facts {
        line(&mut text, format_args!("{name:<12}  {}", plain(&fact)));
    }
    if let Some(content) = &report.content {
        types(&mut text, content);
        ways(&mut text, content);
        named(&mut text, "Skipped", content.with(Fate::Skipped), |line| {
            line.why.clone()
        });
        named(
            &mut text,
            "Cannot be read",
            content.with(Fate::Unreadable),
            |line| line.why.clone(),
        );
        let lacking = content.items.iter().filter(|line| !line.without.is_empty());
        named(&mut text, "Stored without", lacking, |line| {
            Some(line.without.join("; "))
        });
    }
    if !report.warnings.is_empty() {
        line(&mut text, format_args!("\nWarnings"));
    }
    for warning in &report.warnings {
        line(&mut text, format_args!("  ! {}", plain(&warning.message)));
        line(&mut text, format_args!("    {}", warning.remedy));
    }
    line(
        &mut text,
        format_args!("\n{}", plain(&report.ending.verdict)),
    );
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = writeln!(text, "{line}");
    debug_assert!(written.is_ok());
}

fn portal(sign: &Sign) -> Vec<(&'static str, String)> {
    let mut facts = vec![("portal", sign.url.clone())];
    if let Some(who) = &sign.account {
        facts.push(("account", account(who)));
        facts.push(("rights", rights(who)));
    }
    facts.extend(sign.error.iter().map(problem));
    facts.push(("token", token(sign.token_days_left)));
    facts
}

fn problem(error: &String) -> (&'static str, String) {
    ("", format!("PROBLEM: {error}"))
}

fn account(who: &Who) -> String {
    let name = who
        .username
        .as_deref()
        .unwrap_or("an application's own key");
    let role = who.role.as_ref().map(|role| format!(" ({role})"));
    let org = match (&who.org_name, &who.org_id) {
        (Some(name), Some(id)) => format!(" of {name} ({id})"),
        (None, Some(id)) => format!(" of organisation {id}"),
        _ => String::new(),
    };
    format!("{name}{}{org}", role.unwrap_or_default())
}

fn rights(who: &Who) -> String {
    let sees = match who.sees_everything {
        Some(true) => "sees every item of the organisation",
        Some(false) => "sees its own items and what is shared with it",
        None => "the portal does not tell what it sees",
    };
    let exports = match who.may_create_items {
        Some(true) => "; may create items, as exports need",
        Some(false) => "; may not create items, so no exports",
        None => "",
    };
    format!("{sees}{exports}")
}

fn token(left: DaysLeft) -> String {
    match left {
        DaysLeft::Days(days) => ends(days),
        DaysLeft::Unknown(_) => "its end is unknown".to_owned(),
    }
}

/// When the token ends.
pub(super) fn ends(days: i64) -> String {
    match days {
        1 => "ends in 1 day".to_owned(),
        past if past < 0 => "has ended, as its file tells".to_owned(),
        days => format!("ends in {days} days"),
    }
}

fn found(sign: &Sign, content: &Content) -> String {
    let by = match &sign.query {
        Some(query) => format!("BACKUP_QUERY={query}"),
        None => format!("BACKUP_SCOPE={}", sign.scope),
    };
    let mut told = format!("{} by {by}", items(content.items.len() as u64));
    if content.of_other_parts > 0 {
        let others = HumanCount(content.of_other_parts);
        told = format!("{told}, {others} more of other parts");
    }
    if !sign.types.is_empty() {
        let others = HumanCount(content.of_other_types);
        told = format!(
            "{told}, {others} more of other types than {}",
            sign.types.join(", ")
        );
    }
    if let Some(visible) = content.visible {
        told = format!(
            "{told}; the account sees {} in the organisation",
            HumanCount(visible)
        );
    }
    let left = content.leftovers.len();
    if left > 0 {
        told =
            format!("{told}; and {left} temporary exports of earlier passes, which are no content");
    }
    told
}

fn destination(place: &Place) -> Vec<(&'static str, String)> {
    let well = "can be written, read, listed and deleted from; no other pass is at work";
    let state = place.error.as_ref().map_or(("", well.to_owned()), problem);
    let mut facts = vec![("destination", place.address.clone()), state];
    if let Some(snapshots) = place.snapshots {
        let there = match &place.newest {
            Some(newest) => format!("{snapshots}, the newest {newest}"),
            None if snapshots == 0 => "none yet".to_owned(),
            None => format!("{snapshots}, none can be read"),
        };
        facts.push(("snapshots", format!("{there}; {}", retention(place))));
    }
    facts
}

fn retention(place: &Place) -> String {
    if !place.prunes {
        return "no retention rule is set, so nothing is ever removed".to_owned();
    }
    match place.goes {
        0 => "by the rules a pass now would remove none".to_owned(),
        goes => format!("by the rules a pass now would remove {goes}"),
    }
}

fn types(text: &mut String, content: &Content) {
    if content.types.is_empty() {
        return;
    }
    let longest = content
        .types
        .iter()
        .map(|of_type| of_type.kind.chars().count());
    let width = longest.max().unwrap_or(0).max("type".len());
    line(
        text,
        format_args!(
            "\n{:<width$}  {:>7}  {:>12}  {:>11}",
            "type", "items", "rows", "size"
        ),
    );
    for of_type in &content.types {
        row(text, width, of_type);
    }
    let total = OfType {
        kind: "total".to_owned(),
        items: content.types.iter().map(|of_type| of_type.items).sum(),
        rows: sum(content.types.iter().map(|of_type| of_type.rows)),
        bytes: sum(content.types.iter().map(|of_type| of_type.bytes)),
    };
    row(text, width, &total);
}

fn row(text: &mut String, width: usize, of_type: &OfType) {
    let rows = of_type.rows.map(|rows| HumanCount(rows).to_string());
    let bytes = of_type.bytes.map(|bytes| HumanBytes(bytes).to_string());
    let told = format!(
        "{:<width$}  {:>7}  {:>12}  {:>11}",
        plain(&of_type.kind),
        HumanCount(of_type.items).to_string(),
        rows.as_deref().unwrap_or("-"),
        bytes.as_deref().unwrap_or("-"),
    );
    line(text, format_args!("{}", told.trim_end()));
}

fn ways(text: &mut String, content: &Content) {
    if content.read_as.is_empty() {
        return;
    }
    line(text, format_args!("\nRows are read"));
    for (way, count) in &content.read_as {
        line(text, format_args!("  of {} as {way}", items(*count)));
    }
}

fn named<'a>(
    text: &mut String,
    head: &str,
    lines: impl Iterator<Item = &'a Line>,
    why: impl Fn(&Line) -> Option<String>,
) {
    let lines: Vec<&Line> = lines.collect();
    if lines.is_empty() {
        return;
    }
    line(text, format_args!("\n{head}"));
    for one in lines.iter().take(NAMED) {
        let why = why(one).unwrap_or_default();
        let told = format!("{} ({}): {why}", one.title, one.kind);
        line(text, format_args!("  {}", plain(&told)));
    }
    if lines.len() > NAMED {
        line(
            text,
            format_args!("  and {} more, which --json names", lines.len() - NAMED),
        );
    }
}

/// Titles and errors are other people's words: they may not move the cursor or turn the line around.
fn plain(words: &str) -> String {
    let moves =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    words.replace(moves, " ")
}
