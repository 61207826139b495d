//! The members of a JSON object, each read on its own when it is asked for. So one that is odd – of another type,
//! twice, a number too large, nested too deep – hides neither the others nor what they belong to.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// An object whose members are still text. Of a name that comes twice the last one counts, as in most parsers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Members<'a>(#[serde(borrow)] HashMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// A member of this type; null, absent and odd ones are none.
    pub(crate) fn get<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        let value = self.0.get(name)?;
        serde_json::from_str(value.get()).ok()
    }

    /// The same, or nothing of its kind.
    pub(crate) fn get_or_default<T: Deserialize<'a> + Default>(&self, name: &str) -> T {
        self.get(name).unwrap_or_default()
    }

    /// A member as it was written.
    fn text_of(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// A whole number, also where it came in quotes.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        let text = self.text_of(name)?;
        let quoted = || self.get::<String>(name);
        text.parse().ok().or_else(|| quoted()?.trim().parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_member_hides_nothing() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let text = format!(
            r#"{{"big":1e400,"deep":{deep},"a":1,"a":2,"n":null,"id":"7","min":-9223372036854775808,"é":"x"}}"#
        );
        let members: Members<'_> = serde_json::from_str(&text).expect("an object");
        assert_eq!(members.get::<i64>("a"), Some(2));
        assert_eq!(members.get::<f64>("big"), None);
        assert_eq!(members.text_of("big"), Some("1e400"));
        assert_eq!(members.get::<serde_json::Value>("deep"), None);
        assert_eq!(members.get_or_default::<String>("n"), "");
        assert_eq!(
            (members.integer("id"), members.integer("min")),
            (Some(7), Some(i64::MIN))
        );
        assert_eq!(members.get::<&str>("\u{e9}"), Some("x"));
    }
}
