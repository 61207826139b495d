//! One question to the portal or a service, as a value that can be asked again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use url::Url;

use super::body::{LONGEST_DOCUMENT, LONGEST_UNTOLD};

/// Built once, sent as often as the retry rules allow.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of the question"
)]
pub(super) struct Call {
    /// What it is about, in logs and errors: addresses may hold secrets.
    pub(super) subject: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) form: Vec<(&'static str, String)>,
    /// A longer document is refused; so is a longer file, when nobody told its length. Bytes.
    pub(super) longest: u64,
    /// Without compression, which hides the length.
    pub(super) as_it_is: bool,
    /// A smaller question can be asked instead of the same one again.
    pub(super) can_shrink: bool,
    /// The file may be a web page; elsewhere a page is a gateway's word for a failure.
    pub(super) may_be_page: bool,
    /// Asked again only when it certainly had no effect.
    pub(super) changes_something: bool,
    /// Never with the token, such as the question who owns a server.
    pub(super) anonymous: bool,
}

impl Call {
    /// A document in JSON.
    pub(super) fn get(subject: impl Into<String>, url: Url) -> Self {
        Self::document(subject, url).with("f", "json")
    }

    /// A file: `f` would change what comes.
    pub(super) fn file(subject: impl Into<String>, url: Url) -> Self {
        Self {
            longest: LONGEST_UNTOLD,
            as_it_is: true,
            ..Self::document(subject, url)
        }
    }

    /// A document in a format that is still to be named.
    pub(super) fn document(subject: impl Into<String>, url: Url) -> Self {
        Self {
            subject: subject.into(),
            method: Method::GET,
            url,
            form: Vec::new(),
            longest: LONGEST_DOCUMENT,
            as_it_is: false,
            can_shrink: false,
            may_be_page: false,
            changes_something: false,
            anonymous: false,
        }
    }

    /// A question too long or too secret for an address.
    pub(super) fn post(subject: impl Into<String>, url: Url) -> Self {
        Self {
            method: Method::POST,
            ..Self::document(subject, url)
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if self.method == Method::POST {
            self.form.push((name, value));
        } else {
            self.url.query_pairs_mut().append_pair(name, &value);
        }
        self
    }

    pub(super) fn no_longer_than(mut self, bytes: u64) -> Self {
        self.longest = bytes;
        self
    }

    /// A file by this name.
    pub(super) fn named(mut self, name: &str) -> Self {
        let ending = crate::item::extension(name);
        self.may_be_page = matches!(ending.as_deref(), Some("htm" | "html" | "xhtml"));
        self
    }

    pub(super) fn shrinking(mut self, can_shrink: bool) -> Self {
        self.can_shrink = can_shrink;
        self
    }

    pub(super) fn changing(mut self) -> Self {
        self.changes_something = true;
        self
    }

    pub(super) fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }
}

/// `host:port`.
pub(super) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// What stays itself in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// Appends path segments, each percent-encoded: user names hold `@`, spaces and backslashes, and a resource's name
/// even line breaks, which an address parser would drop. No segment leads upwards.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut path = base.path().trim_end_matches('/').to_owned();
    for segment in segments {
        if !matches!(*segment, "." | "..") {
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEGMENT));
        }
    }
    let mut url = base.clone();
    url.set_path(&path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_name_stays_one_segment() {
        let base = Url::parse("https://www.arcgis.com/sharing/rest/").expect("a url");
        let url = below(&base, &["content", "users", "a@b.c/../x y"]);
        assert_eq!(
            url.as_str(),
            "https://www.arcgis.com/sharing/rest/content/users/a@b.c%2F..%2Fx%20y"
        );
        let url = below(&base, &["a\tb\n%2e&", "..", "\\", "."]);
        assert_eq!(url.path(), "/sharing/rest/a%09b%0A%252e%26/%5C");
    }

    #[test]
    fn only_documents_come_compressed() {
        let url = Url::parse("https://www.arcgis.com/data").expect("a url");
        assert!(Call::file("data", url.clone()).as_it_is);
        assert!(!Call::get("item", url.clone()).as_it_is);
        assert!(!Call::document("rows", url).as_it_is);
    }
}
