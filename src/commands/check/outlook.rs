//! What a look at one service promises: its rows, which engine reads them, and what will not be readable. It
//! follows the pass, which asks the same questions again before it reads.

use std::collections::BTreeSet;

use futures::future::join_all;

use crate::config::{Format, Reading};
use crate::decide::Observed;
use crate::item::Item;
use crate::pass::{Engines, observed};
use crate::portal::{Error, Layer, Portal};

/// Of a service, or of one of its layers.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    /// What decide compares.
    pub(super) observed: Option<Observed>,
    /// Rows that the server counts now.
    pub(super) rows: Option<u64>,
    /// Format and engine, in words.
    pub(super) read_as: BTreeSet<String>,
    /// An export item has to be made, not only where query is refused.
    pub(super) exports: bool,
    /// What a copy will be without, and why.
    pub(super) without: Vec<String>,
    /// Why a pass could not read it.
    pub(super) trouble: Option<String>,
}

/// Asks a service; an error is the account's.
pub(super) async fn ask(portal: &Portal, item: &Item, reading: &Reading) -> Result<Outlook, Error> {
    let mut outlook = Outlook::default();
    let service = match portal.service(item).await {
        Ok(service) => service,
        Err(error) if error.is_of_the_account() => return Err(error),
        // Somebody else's server: the item itself is stored all the same.
        Err(error) if error.is_refusal() && !item.is_hosted() => {
            outlook.without.push(format!("its rows: {error}"));
            return Ok(outlook);
        }
        Err(error) => {
            outlook.trouble = Some(error.to_string());
            return Ok(outlook);
        }
    };
    let layers = service.layers.iter().filter(|layer| layer.has_rows());
    let layers = join_all(layers.map(|layer| ask_layer(portal, item, layer, reading)));
    for layer in layers.await {
        outlook.join(layer?);
    }
    outlook.plan_containers(item, reading);
    match portal.service_definition(&service).await {
        Ok(_) => {}
        Err(error) if error.is_of_the_account() => return Err(error),
        Err(error) => outlook.trouble = Some(error.to_string()),
    }
    outlook.observed = Some(observed(&service));
    Ok(outlook)
}

async fn ask_layer(
    portal: &Portal,
    item: &Item,
    layer: &Layer,
    reading: &Reading,
) -> Result<Outlook, Error> {
    let mut outlook = Outlook::default();
    let formats = reading.formats.iter();
    for format in formats.filter(|format| !format.is_container()) {
        outlook.plan(item, layer, *format, reading);
    }
    if !layer.can_query {
        return Ok(outlook);
    }
    match portal.count_rows(layer).await {
        Ok(rows) => outlook.rows = rows,
        Err(error) if error.is_of_the_account() => return Err(error),
        // Nothing depends on the count.
        Err(_) if outlook.read_as.is_empty() => {}
        Err(error) if error.is_refusal() && !item.is_hosted() => {
            outlook.read_as.clear();
            let rows = format!("rows of layer {}: {error}", layer.id);
            outlook.without.push(rows);
        }
        Err(error) => outlook.trouble = Some(format!("layer {}: {error}", layer.id)),
    }
    Ok(outlook)
}

impl Outlook {
    fn plan(&mut self, item: &Item, layer: &Layer, format: Format, reading: &Reading) {
        let engines = Engines::of(reading.method, item, layer, format);
        let how = match (engines.query, engines.export) {
            (true, true) => "by query, else by export",
            (true, false) => "by query",
            (false, true) => "by export",
            (false, false) => {
                self.without.push(format!(
                    "rows of layer {} as {}: they may not be queried, or not be had in this format",
                    layer.id,
                    format.name()
                ));
                return;
            }
        };
        self.exports |= !engines.query;
        self.read_as.insert(format!("{} {how}", format.name()));
    }

    fn plan_containers(&mut self, item: &Item, reading: &Reading) {
        let formats = reading.formats.iter();
        for format in formats.filter(|format| format.is_container()) {
            let name = format.name();
            if item.is_hosted() {
                self.exports = true;
                self.read_as.insert(format!("{name} by export"));
            } else {
                let why = "only services hosted by the organisation can be exported";
                self.without.push(format!("its {name}: {why}"));
            }
        }
    }

    fn join(&mut self, layer: Self) {
        self.rows = match (self.rows, layer.rows) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0) + b.unwrap_or(0)),
        };
        self.read_as.extend(layer.read_as);
        self.exports |= layer.exports;
        self.without.extend(layer.without);
        self.trouble = self.trouble.take().or(layer.trouble);
    }
}
