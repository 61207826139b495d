//! `search`: a useful part of the query language, over an index that lags when told to.

use super::call::Call;
use super::catalogue::{Item, ORG, now};
use super::content::{self, Page};
use super::reply::{Answer, Reply};
use super::state::State;

pub fn search(state: &State, call: &Call) -> Answer {
    let text = call
        .param("q")
        .ok_or_else(|| Reply::error(400, "'q' must be specified."))?;
    let query =
        Query::parse(text).ok_or_else(|| Reply::error(400, "Unable to parse the query."))?;
    let settings = &state.catalogue.settings;
    let page = Page::asked(call, settings.page_cap)?;
    if page.last() > settings.search_window && call.param("start") != Some("-1") {
        return Err(Reply::error(
            400,
            "The search results exceed the window that can be paged.",
        ));
    }
    let moment = now();
    let visible = |item: &&Item| {
        let fresh = state.journal.exports.contains(&item.id)
            && moment - item.created < settings.search_lag_ms;
        !fresh && query.holds(item)
    };
    let mut hits: Vec<&Item> = state.catalogue.items.iter().filter(visible).collect();
    content::sort(&mut hits, call);
    let mut answer = page.cut(&hits, "results", call, |item| found(item, state));
    answer["query"] = text.into();
    Ok(Reply::json(&answer))
}

/// A hit lacks members that the item itself has.
fn found(item: &Item, state: &State) -> serde_json::Value {
    let mut record = content::as_json(item, &state.places);
    if let Some(members) = record.as_object_mut() {
        members.remove("protected");
        members.remove("ownerFolder");
    }
    record
}

#[derive(Debug, PartialEq)]
enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Not(Box<Query>),
    Term(String, String),
    Range(String, i64, i64),
}

impl Query {
    fn parse(text: &str) -> Option<Self> {
        let tokens = tokens(text);
        let mut rest = tokens.as_slice();
        let query = any(&mut rest)?;
        rest.is_empty().then_some(query)
    }

    fn holds(&self, item: &Item) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(item)),
            Self::Not(part) => !part.holds(item),
            Self::Term(field, value) => term(item, field, value),
            Self::Range(field, from, to) => {
                let moment = if field == "modified" {
                    item.modified
                } else {
                    item.created
                };
                (*from..=*to).contains(&moment)
            }
        }
    }
}

/// As loose as the index: `type` finds every type that contains the words, `owner` is exact.
fn term(item: &Item, field: &str, value: &str) -> bool {
    let value_low = value.to_lowercase();
    let within = |text: &str| text.to_lowercase().contains(&value_low);
    match field {
        "owner" => item.owner == value,
        "orgid" | "accountid" => value == ORG,
        "id" => item.id == value,
        "access" => item.access == value,
        "type" => within(&item.kind),
        "title" => within(&item.title),
        "tags" => item.tags.iter().any(|tag| tag.eq_ignore_ascii_case(value)),
        "typekeywords" => item
            .keywords
            .iter()
            .any(|word| word.eq_ignore_ascii_case(value)),
        "" => value == "*" || within(&item.title) || item.tags.iter().any(|tag| within(tag)),
        _ => false,
    }
}

/// Words, with quotes kept together and parentheses apart.
fn tokens(text: &str) -> Vec<String> {
    let (mut found, mut word, mut quoted, mut bracketed) =
        (Vec::new(), String::new(), false, false);
    for sign in text.chars() {
        match sign {
            '"' => quoted = !quoted,
            '[' if !quoted => bracketed = true,
            ']' if !quoted => bracketed = false,
            _ => {}
        }
        let inside = quoted || bracketed;
        if !inside && (sign.is_whitespace() || matches!(sign, '(' | ')')) {
            found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            found.extend((!sign.is_whitespace()).then(|| sign.to_string()));
        } else {
            word.push(sign);
        }
    }
    found.extend((!word.is_empty()).then_some(word));
    found
}

fn any(rest: &mut &[String]) -> Option<Query> {
    let mut parts = vec![all(rest)?];
    while rest.first().is_some_and(|word| word == "OR") {
        *rest = rest.get(1..)?;
        parts.push(all(rest)?);
    }
    if parts.len() == 1 {
        parts.pop()
    } else {
        Some(Query::Any(parts))
    }
}

fn all(rest: &mut &[String]) -> Option<Query> {
    let mut parts = vec![one(rest)?];
    while let Some(word) = rest.first() {
        match word.as_str() {
            "OR" | ")" => break,
            "AND" => *rest = rest.get(1..)?,
            _ => {}
        }
        parts.push(one(rest)?);
    }
    if parts.len() == 1 {
        parts.pop()
    } else {
        Some(Query::All(parts))
    }
}

fn one(rest: &mut &[String]) -> Option<Query> {
    let (word, after) = rest.split_first()?;
    *rest = after;
    match word.as_str() {
        "NOT" | "-" => one(rest).map(|query| Query::Not(Box::new(query))),
        "(" => {
            let query = any(rest)?;
            let (close, after) = rest.split_first()?;
            *rest = after;
            (close == ")").then_some(query)
        }
        // `type:(...)` is written with the field as a word of its own
        word if word.ends_with(':') && rest.first().is_some_and(|next| next == "(") => {
            one(rest).map(|query| under(word, query))
        }
        word => match word.strip_prefix('-') {
            Some(word) => single(word).map(|query| Query::Not(Box::new(query))),
            None => single(word.strip_prefix('+').unwrap_or(word)),
        },
    }
}

/// Gives the field to every bare word of a group.
fn under(field: &str, query: Query) -> Query {
    let name = field.trim_end_matches(':').to_lowercase();
    match query {
        Query::All(parts) => Query::All(parts.into_iter().map(|part| under(field, part)).collect()),
        Query::Any(parts) => Query::Any(parts.into_iter().map(|part| under(field, part)).collect()),
        Query::Not(part) => Query::Not(Box::new(under(field, *part))),
        Query::Term(own, value) if own.is_empty() => Query::Term(name, value),
        other => other,
    }
}

fn single(word: &str) -> Option<Query> {
    let split = if word.starts_with('"') {
        None
    } else {
        word.split_once(':')
    };
    let (field, value) = split.unwrap_or(("", word));
    let field = field.to_lowercase();
    if let Some(range) = value
        .strip_prefix('[')
        .and_then(|range| range.strip_suffix(']'))
    {
        let (from, to) = range.split_once(" TO ")?;
        return Some(Query::Range(
            field,
            from.trim().parse().ok()?,
            to.trim().parse().ok()?,
        ));
    }
    Some(Query::Term(field, value.trim_matches('"').to_owned()))
}
