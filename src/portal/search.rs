//! Search past its window: only the first 10,000 hits of a search can be paged, so a larger result is cut
//! into slices by the date of creation until each fits.

use jiff::Timestamp;
use serde::Deserialize;

use super::Portal;
use super::call::{Call, below};
use super::discover::{Found, Listing};
use super::error::Error;

/// The most hits that can be paged:
/// <https://developers.arcgis.com/rest/users-groups-and-items/considerations-and-limitations/>.
const WINDOW: usize = 10_000;

/// No item is older: ArcGIS.com opened in 2008; Enterprise portals came later. Milliseconds.
const OLDEST: i64 = 1_136_073_600_000;

impl Portal {
    /// Everything that a search finds.
    pub(super) async fn search(&self, query: &str) -> Result<Found, Error> {
        let mut found = Found::new();
        // The portal's clock may be ahead of ours; a day is more than any real difference.
        let newest = Timestamp::now().as_millisecond() + 86_400_000;
        let mut slices = vec![None];
        while let Some(slice) = slices.pop() {
            if self.search_slice(query, slice, &mut found).await? {
                continue;
            }
            let (from, to) = slice.unwrap_or((OLDEST, newest));
            let middle = from + (to - from) / 2;
            if middle == from {
                let message =
                    format!("more than {WINDOW} items were created within a millisecond of {from}");
                return Err(Error::Untrue(message));
            }
            slices.extend([Some((middle + 1, to)), Some((from, middle))]);
        }
        Ok(found)
    }

    /// How many items of the organisation the account may see; `None` when the portal does not say.
    pub async fn count_visible(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Answer {
            total: u64,
        }
        let query = format!("orgid:{}", self.account.org_id.as_deref()?);
        let call = Call::get("search", below(&self.rest, &["search"]))
            .with("q", query)
            .with("num", "1");
        let document = self.document(&call).await.ok()?;
        let answer: Answer = serde_json::from_slice(&document).ok()?;
        Some(answer.total)
    }

    /// False when the slice holds more than can be paged.
    async fn search_slice(
        &self,
        query: &str,
        slice: Option<(i64, i64)>,
        found: &mut Found,
    ) -> Result<bool, Error> {
        let query = match slice {
            None => query.to_owned(),
            Some((from, to)) => format!("({query}) AND created:[{from} TO {to}]"),
        };
        let call = Call::get("search", below(&self.rest, &["search"])).with("q", query);
        let listing = self.list(&call, WINDOW, found).await?;
        Ok(matches!(listing, Listing::Whole { .. }))
    }
}
