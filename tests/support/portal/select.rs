//! Which rows a query means: a small `where` language over the object id, and lists of ids.

use std::collections::BTreeSet;
use std::ops::Range;

use super::call::Call;
use super::layer::{Layer, Rows};
use super::reply::Reply;

/// The chosen rows' places, in the order of object ids.
pub enum Chosen {
    Span(Range<usize>),
    Listed(Vec<usize>),
}

impl Chosen {
    pub fn len(&self) -> usize {
        match self {
            Self::Span(span) => span.len(),
            Self::Listed(places) => places.len(),
        }
    }

    pub fn get(&self, index: usize) -> Option<usize> {
        match self {
            Self::Span(span) => span.clone().nth(index),
            Self::Listed(places) => places.get(index).copied(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// Bounds on the object id, both included.
struct Bounds {
    low: i64,
    high: i64,
    among: Option<BTreeSet<i64>>,
}

impl Bounds {
    fn meet(&mut self, ids: BTreeSet<i64>) {
        self.among = Some(match self.among.take() {
            Some(before) => before.intersection(&ids).copied().collect(),
            None => ids,
        });
    }

    fn compare(&mut self, sign: &str, number: i64) -> Option<()> {
        match sign {
            ">" => self.low = self.low.max(number.saturating_add(1)),
            ">=" => self.low = self.low.max(number),
            "<" => self.high = self.high.min(number.saturating_sub(1)),
            "<=" => self.high = self.high.min(number),
            "=" => (self.low, self.high) = (self.low.max(number), self.high.min(number)),
            _ => return None,
        }
        Some(())
    }
}

/// The rows that `where` (under the name given) and `objectIds` choose together.
pub fn choose(layer: &Layer, call: &Call, clause: &str) -> Result<Chosen, Reply> {
    let (text, ids) = (call.param(clause), call.param("objectIds"));
    if text.is_none() && ids.is_none() {
        return Err(Reply::bad_query(&format!(
            "'{clause}' or 'objectIds' must be specified"
        )));
    }
    let mut bounds = Bounds {
        low: i64::MIN,
        high: i64::MAX,
        among: None,
    };
    if let Some(text) = text {
        parse(text, &layer.oid_field, &mut bounds)
            .ok_or_else(|| Reply::bad_query(&format!("'Invalid field or expression: {text}'")))?;
    }
    if let Some(ids) = ids {
        let ids: Option<BTreeSet<i64>> = ids.split(',').map(|id| id.trim().parse().ok()).collect();
        bounds.meet(ids.ok_or_else(|| Reply::bad_query("'objectIds' is invalid"))?);
    }
    Ok(chosen(&layer.rows, &bounds))
}

fn chosen(rows: &Rows, bounds: &Bounds) -> Chosen {
    if let Some(ids) = &bounds.among {
        let inside = ids
            .iter()
            .filter(|id| (bounds.low..=bounds.high).contains(id));
        return Chosen::Listed(inside.filter_map(|id| rows.position(*id)).collect());
    }
    let from = rows.below(bounds.low);
    let to = bounds
        .high
        .checked_add(1)
        .map_or(rows.len(), |end| rows.below(end));
    Chosen::Span(from..to.max(from))
}

fn parse(text: &str, oid: &str, bounds: &mut Bounds) -> Option<()> {
    let words = words(text);
    let mut rest: &[String] = &words;
    loop {
        rest = term(rest, oid, bounds)?;
        match rest.split_first() {
            None => return Some(()),
            Some((and, after)) if and.eq_ignore_ascii_case("and") => rest = after,
            Some(_) => return None,
        }
    }
}

/// One comparison; parentheses around comparisons are passed over.
fn term<'a>(words: &'a [String], oid: &str, bounds: &mut Bounds) -> Option<&'a [String]> {
    let opened = words.iter().take_while(|word| *word == "(").count();
    let mut rest = match words.get(opened..)? {
        [one, equal, other, rest @ ..] if one == "1" && equal == "=" && other == "1" => rest,
        [field, word, bracket, rest @ ..] if is(field, oid) && is(word, "in") && bracket == "(" => {
            among(rest, bounds)?
        }
        [field, word, low, and, high, rest @ ..]
            if is(field, oid) && is(word, "between") && is(and, "and") =>
        {
            bounds.compare(">=", low.parse().ok()?)?;
            bounds.compare("<=", high.parse().ok()?)?;
            rest
        }
        [field, sign, number, rest @ ..] if is(field, oid) => {
            bounds.compare(sign, number.parse().ok()?)?;
            rest
        }
        _ => return None,
    };
    while let Some((word, after)) = rest.split_first().filter(|(word, _)| *word == ")") {
        debug_assert_eq!(word, ")");
        rest = after;
    }
    Some(rest)
}

fn is(word: &str, wanted: &str) -> bool {
    word.eq_ignore_ascii_case(wanted)
}

/// The list of an `IN`, up to its bracket.
fn among<'a>(words: &'a [String], bounds: &mut Bounds) -> Option<&'a [String]> {
    let end = words.iter().position(|word| word == ")")?;
    let ids = words
        .get(..end)?
        .iter()
        .filter(|word| *word != ",")
        .map(|word| word.parse().ok());
    bounds.meet(ids.collect::<Option<_>>()?);
    words.get(end + 1..)
}

/// Names, numbers, and signs as words of their own.
fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let kind = |sign: char| match sign {
        '<' | '>' | '=' => 1,
        '(' | ')' | ',' => 2,
        _ => 0,
    };
    let mut last = None;
    for sign in text.chars().filter(|sign| *sign != '"') {
        let this = (!sign.is_whitespace()).then(|| kind(sign));
        match (this, found.last_mut()) {
            (Some(kind), Some(word)) if this == last && kind != 2 => word.push(sign),
            (Some(_), _) => found.push(sign.to_string()),
            (None, _) => {}
        }
        last = this;
    }
    found
}
