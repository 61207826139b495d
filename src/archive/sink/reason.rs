//! What an error says: the store's own words, without the address that was asked, which can be a key.

use opendal::Error as StoreError;
use serde_json::Value;

use super::super::Error;

/// The store failed at a path.
pub(super) fn failed(path: &str, error: &StoreError) -> Error {
    Error::Store(format!("{path}: {}", of(error)))
}

pub(super) fn at(path: impl std::fmt::Display, error: &dyn std::error::Error) -> Error {
    Error::Store(format!("{path}: {error}"))
}

/// The reason at the bottom, such as "No space left on device", says more than `OpenDAL`'s own words; else what
/// the store answered.
pub(super) fn of(error: &StoreError) -> String {
    let mut bottom: &dyn std::error::Error = error;
    while let Some(source) = bottom.source() {
        bottom = source;
    }
    let text = if std::error::Error::source(error).is_some() {
        bottom.to_string()
    } else {
        in_json(error.message())
            .or_else(|| in_debug(error.message()))
            .unwrap_or_else(|| error.message().to_owned())
    };
    let text = without_addresses(text.trim());
    if text.is_empty() {
        return error.kind().to_string();
    }
    text
}

/// Microsoft Graph: `{"error": {"code", "message"}}`.
fn in_json(message: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(message).ok()?;
    let error = answer.get("error")?;
    let told = |member: &str| {
        error
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (code, text) = (told("code"), told("message"));
    (!code.is_empty()).then(|| format!("{code}: {text}"))
}

/// S3 and Azure: `OpenDAL` prints its own structure, `S3Error { code: "NoSuchBucket", message: "…", … }`.
fn in_debug(message: &str) -> Option<String> {
    let told = |member: &str| {
        let (_, rest) = message.split_once(&format!(" {member}: \""))?;
        // A quote inside is escaped, as Rust prints text.
        let end = rest.char_indices().find(|(at, c)| {
            *c == '"' && !rest.get(..*at).is_some_and(|text| text.ends_with('\\'))
        })?;
        rest.get(..end.0)
    };
    let (code, text) = (told("code")?, told("message").unwrap_or_default());
    let first = text.split("\\n").next().unwrap_or_default();
    Some(if first.is_empty() {
        code.to_owned()
    } else {
        format!("{code}: {first}")
    })
}

/// An upload's address is a key to it, and a signed one to more.
fn without_addresses(text: &str) -> String {
    let is_address = |word: &str| word.contains("://");
    let host = |word: &str| {
        let (before, rest) = word.split_once("://").unwrap_or(("", word));
        let scheme = before
            .rsplit(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        let host: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
            .collect();
        format!("{scheme}://{}", host.trim_end_matches(':'))
    };
    let words = text.split_whitespace().map(|word| {
        if is_address(word) {
            host(word)
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use opendal::ErrorKind;

    fn said(message: &str) -> String {
        of(&StoreError::new(ErrorKind::Unexpected, message))
    }

    #[test]
    fn the_stores_own_words_are_found() {
        let s3 = r#"S3Error { code: "NoSuchBucket", message: "The \"x\" bucket is not there", resource: "", request_id: "1" }"#;
        assert_eq!(said(s3), r#"NoSuchBucket: The \"x\" bucket is not there"#);
        let azure = r#"AzblobError { code: "AuthenticationFailed", message: "Server failed.\nRequestId:1", query_parameter_name: "" }"#;
        assert_eq!(said(azure), "AuthenticationFailed: Server failed.");
        let graph = r#"{"error": {"code": "quotaLimitReached", "message": "Insufficient space"}}"#;
        assert_eq!(said(graph), "quotaLimitReached: Insufficient space");
        assert_eq!(said(""), "Unexpected");
    }

    #[test]
    fn an_address_is_told_by_its_host_only() {
        assert_eq!(
            said(
                "PUT https://x.sharepoint.com/up/secret?tempauth=abc, failed (http://127.0.0.1:80/a)"
            ),
            "PUT https://x.sharepoint.com failed http://127.0.0.1:80"
        );
    }
}
