//! Pings as Healthchecks takes them: <https://healthchecks.io/docs/http_api/>.

use url::Url;
use uuid::Uuid;

use super::post::Post;
use crate::config::SecretUrl;
use crate::summary::Summary;

/// Where a pass reports, under one name for its beginning and its end.
pub(super) struct Ping {
    address: Url,
    run: Uuid,
}

impl Ping {
    pub(super) fn new(address: &SecretUrl) -> Self {
        Self {
            address: address.expose().clone(),
            run: Uuid::new_v4(),
        }
    }

    pub(super) fn beginning(&self) -> Url {
        self.at("start")
    }

    /// The exit code is the last part of the address, the summary the body.
    pub(super) fn end(&self, summary: &Summary) -> Post {
        let body = serde_json::to_vec(summary).unwrap_or_default();
        Post::new(self.at(&summary.exit.to_string()), Some(body))
    }

    /// A query that is there, such as `create=1`, stays.
    fn at(&self, what: &str) -> Url {
        let mut address = self.address.clone();
        // Refused only by addresses without a host, which the configuration lets nobody have.
        if let Ok(mut parts) = address.path_segments_mut() {
            parts.pop_if_empty().push(what);
        }
        let run = self.run.to_string();
        address.query_pairs_mut().append_pair("rid", &run);
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_keeps_what_it_has() {
        for (text, start) in [
            (
                "https://hc-ping.com/key/slug?create=1",
                "https://hc-ping.com/key/slug/start?create=1&rid=",
            ),
            (
                "https://hc.city.gov/ping/uuid/",
                "https://hc.city.gov/ping/uuid/start?rid=",
            ),
        ] {
            let ping = Ping {
                address: Url::parse(text).expect("an address"),
                run: Uuid::nil(),
            };
            let expected = format!("{start}00000000-0000-0000-0000-000000000000");
            assert_eq!(ping.beginning().as_str(), expected);
        }
    }
}
