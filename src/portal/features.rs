//! The query engine: the rows of one layer, in the order of their object ids, as one document.
//!
//! Rows are asked for in windows of object ids (`oid > a AND oid <= b`), several in flight, written in
//! order. A page's end is decided by ids, never by offsets: rows that come and go meanwhile cannot shift it.
//! A window ends where the server has no more: a page that is neither full nor marked as cut. Whether that
//! was the truth is told by the row count afterwards; a second reading is `thorough`: it believes only an
//! empty page, up to the newest id that there was when it began, so that a growing layer has an end.

mod budget;
mod fetch;
pub(super) mod page;
mod window;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Portal;
use super::error::Error;
use super::layer::Layer;
use crate::config::Format;

pub(super) use budget::PageBudget;
use fetch::{Fetch, Fetched};
use page::SEPARATOR;
use window::Window;

/// Rows of a layer whose server does not count them, or counts none.
const MOST_UNCOUNTED: u64 = 100_000_000;
/// Rows beyond twice the count: small layers may grow by more than they had.
const MORE_THAN_COUNTED: u64 = 100_000;

/// The rows of a layer on their way.
pub struct Rows<'a> {
    fetch: Fetch<'a>,
    /// What is still to be read behind the last page that was handed out.
    rest: Option<Window>,
    ahead: Option<BoxStream<'a, Result<Fetched, Error>>>,
    plans_left: usize,
    expected: u64,
    thorough: bool,
    place: Place,
    /// What comes next without another question.
    ready: Option<Bytes>,
    count: u64,
    /// Keeps its share of the budget until the next piece is asked for.
    held: Option<budget::Share>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Middle,
    End,
}

impl Portal {
    /// Begins to read a layer. `expected` is the server's own count; it only steers how windows are cut.
    pub fn rows<'a>(
        &'a self,
        layer: &'a Layer,
        format: Format,
        expected: Option<u64>,
        thorough: bool,
    ) -> Rows<'a> {
        Rows {
            fetch: Fetch::new(self, layer, format),
            rest: Some(Window::everything()),
            ahead: None,
            plans_left: 3,
            expected: expected.unwrap_or(0),
            thorough,
            place: Place::Start,
            ready: None,
            count: 0,
            held: None,
        }
    }
}

impl Rows<'_> {
    /// Rows handed out so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The next piece of the document; `None` after its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(piece) = self.ready.take() {
            return Ok(Some(piece));
        }
        if self.place == Place::End {
            return Ok(None);
        }
        let fetched = self.next_page().await?;
        let begins = std::mem::replace(&mut self.place, Place::Middle) == Place::Start;
        match fetched {
            Some(fetched) if begins => Ok(Some(self.begin(fetched))),
            Some(fetched) => Ok(Some(self.piece(fetched))),
            None if begins => Ok(Some(header(self.fetch.format, &[]))),
            None => Ok(Some(self.end())),
        }
    }

    /// The document up to its first row; the rows of the first page follow.
    fn begin(&mut self, fetched: Fetched) -> Bytes {
        let header = header(self.fetch.format, &fetched.page.envelope);
        let mut rows = self.piece(fetched);
        rows.advance(SEPARATOR.len().min(rows.len()));
        self.ready = Some(rows).filter(|rows| !rows.is_empty());
        header
    }

    fn piece(&mut self, fetched: Fetched) -> Bytes {
        self.count += fetched.page.rows as u64;
        self.held = Some(fetched.share);
        fetched.page.features.into()
    }

    fn end(&mut self) -> Bytes {
        self.place = Place::End;
        self.held = None;
        Bytes::from_static(b"\n]}\n")
    }

    /// The next page with rows; the very first page also without.
    async fn next_page(&mut self) -> Result<Option<Fetched>, Error> {
        loop {
            let fetched = match self.rest.take() {
                Some(window) => self.fetch_rest(window).await?,
                None => match &mut self.ahead {
                    Some(ahead) => ahead.next().await.transpose()?,
                    None => None,
                },
            };
            let Some(fetched) = fetched else {
                return Ok(None);
            };
            self.rest = fetched.rest(self.thorough);
            self.believe(fetched.page.rows)?;
            if fetched.page.rows > 0 || self.place == Place::Start {
                return Ok(Some(fetched));
            }
        }
    }

    /// A layer may grow while it is read. One that goes on far beyond what it counts has no end.
    fn believe(&self, rows: usize) -> Result<(), Error> {
        let most = match self.expected {
            0 => MOST_UNCOUNTED,
            counted => counted.saturating_mul(2).saturating_add(MORE_THAN_COUNTED),
        };
        let read = self.count.saturating_add(rows as u64);
        if read <= most {
            return Ok(());
        }
        Err(Error::Untrue(format!(
            "the server gives more rows than there can be: {read} came, {} were counted",
            self.expected
        )))
    }

    /// Goes on behind a page that was not the last of its window: in new windows side by side when much is
    /// left and nothing else is under way, else page by page.
    async fn fetch_rest(&mut self, window: Window) -> Result<Option<Fetched>, Error> {
        let first = self.place == Place::Start;
        let window = if first && self.thorough {
            self.fetch.up_to_newest().await?
        } else {
            window
        };
        if !first && self.may_plan() {
            let left = self.expected.saturating_sub(self.count);
            if let Some(windows) = self.fetch.plan(&window, left).await? {
                self.plans_left -= 1;
                return self.read_ahead(windows).await;
            }
        }
        let share = self.held.take();
        match self.fetch.page(window, share).await {
            // Some layers refuse conditions or an order on their ids; then the ids themselves are asked for.
            Err(Error::Refused { .. } | Error::Overloaded(_) | Error::Unavailable(_)) if first => {
                let windows = self.fetch.by_ids().await?;
                self.read_ahead(windows).await
            }
            page => page.map(Some),
        }
    }

    async fn read_ahead(&mut self, windows: Vec<Window>) -> Result<Option<Fetched>, Error> {
        self.held = None;
        let fetch = self.fetch.clone();
        let width = fetch.side_by_side();
        let pages = futures::stream::iter(windows).map(move |window| {
            let fetch = fetch.clone();
            async move { fetch.page(window, None).await }
        });
        let mut ahead = pages.buffered(width).boxed();
        let next = ahead.next().await.transpose()?;
        self.ahead = Some(ahead);
        Ok(next)
    }

    fn may_plan(&self) -> bool {
        let idle = self
            .ahead
            .as_ref()
            .is_none_or(|ahead| ahead.size_hint().1 == Some(0));
        idle && self.plans_left > 0
    }
}

/// The document up to its first row. Esri's feature set keeps what the server says beside the rows.
fn header(format: Format, envelope: &[(String, Box<RawValue>)]) -> Bytes {
    if format == Format::GeoJson {
        return Bytes::from_static(b"{\"type\":\"FeatureCollection\",\"features\":[\n");
    }
    let mut header = String::from("{");
    for (key, value) in envelope {
        let key = Value::from(key.as_str()).to_string();
        header.extend([key.as_str(), ":", value.get(), ","]);
    }
    header.push_str("\"features\":[\n");
    header.into()
}
