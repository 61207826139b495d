//! Asks for the rows of a window, with pages that shrink when the server is overwhelmed and grow to a size
//! that keeps memory small.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::budget::Share;
use super::page::Page;
use super::window::Window;
use crate::config::Format;
use crate::portal::Portal;
use crate::portal::call::{Call, below};
use crate::portal::error::Error;
use crate::portal::layer::Layer;

/// Rows of the first page: enough for most layers, small enough for wide rows.
const FIRST_PAGE: usize = 1_000;
/// Bytes that later pages aim at.
const PAGE_BYTES: usize = 1 << 20;
/// A page longer than this is asked for again in halves; a single row may be as long as any document.
const LONGEST_PAGE: u64 = 16 << 20;
/// Ids per request when rows are asked for by name.
const IDS_PER_PAGE: usize = 200;

/// How the rows of one layer are asked for.
#[derive(Clone)]
pub(super) struct Fetch<'a> {
    portal: &'a Portal,
    layer: &'a Layer,
    pub(super) format: Format,
    /// Rows per page, shared by all windows of the layer.
    size: Arc<AtomicUsize>,
}

/// A page, and what it was the answer to.
pub(super) struct Fetched {
    pub(super) page: Page,
    window: Window,
    asked: usize,
    pub(super) share: Share,
}

impl Fetched {
    /// What of the window is still to be read.
    pub(super) fn rest(&self, thorough: bool) -> Option<Window> {
        let last = self.page.ids.last?;
        let has_more = thorough || self.page.is_cut || self.page.rows >= self.asked;
        if has_more {
            self.window.behind(last)
        } else {
            None
        }
    }
}

impl<'a> Fetch<'a> {
    pub(super) fn new(portal: &'a Portal, layer: &'a Layer, format: Format) -> Self {
        let size = FIRST_PAGE.min(layer.page_limit);
        Self {
            portal,
            layer,
            format,
            size: Arc::new(AtomicUsize::new(size)),
        }
    }

    pub(super) fn side_by_side(&self) -> usize {
        self.portal.pages.width()
    }

    /// The first page of a window; smaller ones until the server can answer.
    pub(super) async fn page(
        &self,
        window: Window,
        share: Option<Share>,
    ) -> Result<Fetched, Error> {
        let share = match share {
            Some(share) => share,
            None => self.portal.pages.share().await?,
        };
        let mut patience = self.portal.patience();
        loop {
            let asked = match &window {
                Window::Ids(ids) => ids.len(),
                Window::Span { .. } => self.size.load(Ordering::Relaxed),
            };
            match self.ask(&window, asked).await {
                Ok(page) => {
                    self.learn_size(&page);
                    return Ok(Fetched {
                        page,
                        window,
                        asked,
                        share,
                    });
                }
                Err(error @ Error::Overloaded(_)) if asked > 1 => {
                    patience.again("rows in smaller pages", error, usize::MAX, self.portal)?;
                    match window {
                        Window::Ids(ids) => return self.halves(ids, share).await,
                        Window::Span { .. } => self.shrink(asked),
                    }
                }
                Err(error) => patience.after_cut("rows", error, self.portal).await?,
            }
        }
    }

    /// Half the page, for every window of the layer; never because of a page that was larger than today's.
    fn shrink(&self, asked: usize) {
        self.size.fetch_min((asked / 2).max(1), Ordering::Relaxed);
    }

    /// After the first page it is known how long rows are.
    fn learn_size(&self, page: &Page) {
        let before = FIRST_PAGE.min(self.layer.page_limit);
        if page.rows < before.min(50) {
            return;
        }
        let row = (page.features.len() / page.rows).max(1);
        let size = (PAGE_BYTES / row).clamp(50, self.layer.page_limit.max(50));
        // Only from the first size: once shrunk, it stays small.
        if self.size.load(Ordering::Relaxed) == before {
            self.size
                .store(size.min(self.layer.page_limit), Ordering::Relaxed);
        }
    }

    /// Named rows in two answers instead of one.
    async fn halves(&self, mut ids: Vec<i64>, share: Share) -> Result<Fetched, Error> {
        let upper = ids.split_off(ids.len() / 2);
        let lower = Box::pin(self.page(Window::Ids(ids), Some(share))).await?;
        let upper = Box::pin(self.page(Window::Ids(upper), Some(lower.share))).await?;
        let mut page = lower.page;
        page.features.extend_from_slice(&upper.page.features);
        page.rows += upper.page.rows;
        page.ids.last = upper.page.ids.last.or(page.ids.last);
        Ok(Fetched {
            page,
            window: upper.window,
            asked: upper.asked,
            share: upper.share,
        })
    }

    async fn ask(&self, window: &Window, asked: usize) -> Result<Page, Error> {
        let field = self.id_field();
        let url = below(&self.layer.url, &["query"]);
        let call = match window {
            Window::Span { .. } => Call::document("rows", url)
                .with("where", window.condition(field))
                .with("orderByFields", format!("{field} ASC"))
                .with("resultRecordCount", asked.to_string()),
            Window::Ids(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                Call::post("rows", url).with("objectIds", ids.join(","))
            }
        };
        let call = self.with_columns(call, window).shrinking(asked > 1);
        let call = if asked > 1 {
            call.no_longer_than(LONGEST_PAGE)
        } else {
            call
        };
        let body = self.portal.document(&call).await?;
        let page = Page::read(&body, field)
            .map_err(|error| Error::Unavailable(format!("not a page of rows: {error}")))?;
        Self::check(&page, window)?;
        Ok(page)
    }

    /// All columns, geometry with its heights and measures. Tables take no geometry parameters.
    fn with_columns(&self, call: Call, window: &Window) -> Call {
        let esri = self.format == Format::EsriJson;
        let mut call = call
            .with("outFields", "*")
            .with("f", if esri { "json" } else { "geojson" });
        if self.layer.offers_standard && matches!(window, Window::Span { .. }) {
            call = call.with("resultType", "standard");
        }
        if self.layer.has_geometry() {
            if self.layer.has_z {
                call = call.with("returnZ", "true");
            }
            if self.layer.has_m && esri {
                call = call.with("returnM", "true");
            }
            if self.layer.true_curves && esri {
                call = call.with("returnTrueCurves", "true");
            }
        }
        call
    }

    /// Every row has its place, once. A page that contradicts this is asked for again.
    fn check(page: &Page, window: &Window) -> Result<(), Error> {
        let misplaced = |id: Option<i64>| id.is_some_and(|id| !window.holds(id));
        let named = matches!(window, Window::Ids(_));
        if (page.ids.disordered && !named) || misplaced(page.ids.first) || misplaced(page.ids.last)
        {
            return Err(Error::Untrue(
                "rows came twice, out of order or without being asked for".to_owned(),
            ));
        }
        match window {
            Window::Ids(ids) if page.rows > ids.len() => Err(Error::Untrue(
                "more rows came than were asked for".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    fn id_field(&self) -> &str {
        self.layer.object_id_field.as_deref().unwrap_or("OBJECTID")
    }

    /// Windows for what lies behind `window`, when that is worth it: much more than a page.
    pub(super) async fn plan(
        &self,
        window: &Window,
        rows: u64,
    ) -> Result<Option<Vec<Window>>, Error> {
        let size = self.size.load(Ordering::Relaxed);
        let Window::Span {
            after: Some(after),
            up_to: None,
        } = window
        else {
            return Ok(None);
        };
        if rows <= u64::try_from(size).unwrap_or(u64::MAX) {
            return Ok(None);
        }
        match self.newest_id().await {
            Ok(Some(newest)) if newest > *after => {
                Ok(Some(Window::cut(*after, newest, rows, size)))
            }
            Ok(_) | Err(Error::Refused { .. } | Error::Overloaded(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything there is now. Rows that are added meanwhile are left to the next pass.
    pub(super) async fn up_to_newest(&self) -> Result<Window, Error> {
        match self.newest_id().await {
            Ok(newest) => Ok(Window::Span {
                after: None,
                up_to: newest,
            }),
            Err(Error::Refused { .. } | Error::Overloaded(_)) => Ok(Window::everything()),
            Err(error) => Err(error),
        }
    }

    async fn newest_id(&self) -> Result<Option<i64>, Error> {
        let field = self.id_field();
        let mut call = Call::get("newest row", below(&self.layer.url, &["query"]))
            .with("where", "1=1")
            .with("outFields", field)
            .with("orderByFields", format!("{field} DESC"))
            .with("resultRecordCount", "1");
        if self.layer.has_geometry() {
            call = call.with("returnGeometry", "false");
        }
        let body = self.portal.document(&call).await?;
        Ok(Page::read(&body, field).ok().and_then(|page| page.ids.last))
    }

    /// The ids themselves, in groups.
    pub(super) async fn by_ids(&self) -> Result<Vec<Window>, Error> {
        let ids = self.portal.row_ids(self.layer).await?;
        let group = IDS_PER_PAGE.min(self.layer.plain_limit).max(1);
        Ok(ids
            .chunks(group)
            .map(|ids| Window::Ids(ids.to_vec()))
            .collect())
    }
}
