//! Catalogues as plain data, so that a failing one can be read and made smaller, and the portal's catalogue of each.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::portal::{
    Catalogue, Data, Editing, Item, Layer, MADE, Row, Service, Shape, USER, hex_id,
};
use crate::support::worlds;

/// Titles that people give, none of them unique.
const TITLES: [&str; 8] = [
    "Parks",
    "parks",
    "../../up: CON ",
    "Straße Nr. 5",
    "   ",
    "日本",
    "\u{202e}gnp.exe \"quoted\"",
    "long long long long long long long long long long long long title",
];
const KINDS: [&str; 5] = ["Web Map", "PDF", "Dashboard", "CSV", "Map Service"];
const OID_FIELDS: [&str; 3] = ["OBJECTID", "objectid", "FID"];

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) documents: Vec<Document>,
    pub(super) services: Vec<Hosted>,
    /// Items to a page of a listing.
    pub(super) listing_page: usize,
    pub(super) gzip: bool,
    pub(super) files_inline: bool,
}

/// Where an item is, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Folder(u8),
    Colleague,
    /// With the tag that excludes.
    Excluded,
}

#[derive(Clone, Debug)]
pub(super) struct Document {
    kind: usize,
    title: usize,
    place: Place,
    resources: usize,
    has_data: bool,
    has_thumbnail: bool,
    has_metadata: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// Layer 0 is a group that holds the others.
    Grouped,
    /// On somebody else's server.
    Referenced,
    /// Shows the first service.
    View,
    /// The caller may not query it.
    Closed,
}

#[derive(Clone, Debug)]
pub(super) struct Hosted {
    title: usize,
    place: Place,
    kind: Kind,
    layers: Vec<Rows>,
}

/// Object ids, by how they begin and go on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ids {
    FromOne,
    FromZero,
    Negative,
    Gaps,
    Far,
    /// Beyond what a double can tell apart.
    Huge,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability that a layer has or not"
)]
pub(super) struct Rows {
    is_table: bool,
    ids: Ids,
    count: u8,
    page: usize,
    standard: bool,
    speaks_geojson: bool,
    tells_dates: bool,
    has_z: bool,
    oid_field: usize,
    attachments: u8,
    lists_attachments: bool,
}

pub(super) fn worlds() -> impl Strategy<Value = World> {
    let documents = vec(documents(), 0..5);
    let services = vec(services(), 0..4);
    let page = prop_oneof![3 => Just(100_usize), 1 => 1..4_usize];
    (documents, services, page, any::<bool>(), any::<bool>()).prop_map(
        |(documents, services, listing_page, gzip, files_inline)| World {
            documents,
            services,
            listing_page,
            gzip,
            files_inline,
        },
    )
}

fn places() -> impl Strategy<Value = Place> {
    prop_oneof![
        4 => Just(Place::Root),
        4 => (0..3_u8).prop_map(Place::Folder),
        1 => Just(Place::Colleague),
        1 => Just(Place::Excluded),
    ]
}

fn documents() -> impl Strategy<Value = Document> {
    let parts = (any::<bool>(), any::<bool>(), any::<bool>(), 0..4_usize);
    (0..KINDS.len(), 0..TITLES.len(), places(), parts).prop_map(|(kind, title, place, parts)| {
        let (has_data, has_thumbnail, has_metadata, resources) = parts;
        Document {
            kind,
            title,
            place,
            resources,
            has_data,
            has_thumbnail,
            has_metadata,
        }
    })
}

fn services() -> impl Strategy<Value = Hosted> {
    let kinds = prop_oneof![
        4 => Just(Kind::Plain),
        2 => Just(Kind::Grouped),
        1 => Just(Kind::Referenced),
        1 => Just(Kind::View),
        1 => Just(Kind::Closed),
    ];
    (0..TITLES.len(), places(), kinds, vec(layers(), 1..4)).prop_map(
        |(title, place, kind, layers)| Hosted {
            title,
            place,
            kind,
            layers,
        },
    )
}

fn layers() -> impl Strategy<Value = Rows> {
    let ids = prop_oneof![
        Just(Ids::FromOne),
        Just(Ids::FromZero),
        Just(Ids::Negative),
        Just(Ids::Gaps),
        Just(Ids::Far),
        Just(Ids::Huge)
    ];
    let mostly = || prop::bool::weighted(0.85);
    let seldom = || prop::bool::weighted(0.15);
    let looks = (seldom(), any::<bool>(), mostly(), mostly(), seldom());
    let counts = (0..60_u8, 3..25_usize, 0..OID_FIELDS.len());
    (ids, looks, counts, 0..5_u8, mostly()).prop_map(|(ids, looks, counts, attachments, lists)| {
        let (is_table, standard, speaks_geojson, tells_dates, has_z) = looks;
        Rows {
            is_table,
            ids,
            count: counts.0,
            page: counts.1,
            standard,
            speaks_geojson,
            tells_dates,
            has_z,
            oid_field: counts.2,
            attachments,
            lists_attachments: lists,
        }
    })
}

impl World {
    pub(super) fn catalogue(&self) -> Catalogue {
        let mut world = worlds::empty();
        world.settings.page_cap = self.listing_page;
        world.settings.gzip = self.gzip;
        world.settings.files_inline = self.files_inline;
        world.settings.export_polls = 0;
        for folder in 0..3 {
            world.add_folder(USER, &format!("Folder {folder}"));
        }
        let mut stays = Item::new("Web Map", "Stays"); // there is always something to keep
        stays.protected = true;
        world.add_item(stays);
        for (number, document) in self.documents.iter().enumerate() {
            let item = document.item(number, &world);
            world.add_item(item);
        }
        for (number, service) in self.services.iter().enumerate() {
            service.join(number, &mut world);
        }
        world
    }
}

/// An item of that kind whose id tells only its number.
fn item(kind: &str, title: usize, number: usize, place: Place, world: &Catalogue) -> Item {
    let mut item = Item::new(kind, TITLES[title]);
    item.id = hex_id(&format!("{kind} {number}"));
    item.created += i64::try_from(number).unwrap_or(0);
    match place {
        Place::Root => {}
        Place::Folder(number) => item.folder = world.folder_id(&format!("Folder {number}")),
        Place::Colleague => "colleague".clone_into(&mut item.owner),
        Place::Excluded => item.tags.push("no-backup".to_owned()),
    }
    item
}

impl Document {
    fn item(&self, number: usize, world: &Catalogue) -> Item {
        let kind = KINDS[self.kind];
        let mut item = item(kind, self.title, number, self.place, world);
        if self.has_data {
            item.data = match kind {
                "PDF" => Data::File {
                    media: "application/pdf",
                    bytes: worlds::pdf(&format!("report {number}")),
                },
                "CSV" => Data::File {
                    media: "text/csv",
                    bytes: format!("a,b\r\n{number},2\r\n").into(),
                },
                _ => Data::Json(format!("{{ \"number\": {number}, \"deep\": [[1.50]] }}")),
            };
        }
        item.thumbnail = self.has_thumbnail.then(|| worlds::png(4, 4, [1, 2, 3]));
        if self.has_metadata {
            item.metadata = Some(format!("<metadata>{number}</metadata>"));
            item.keywords.push("Metadata".to_owned());
        }
        let resource = |of: usize| {
            (
                format!("images/Pic {of}.PNG"),
                format!("picture {of}").into(),
            )
        };
        item.resources = (0..self.resources).map(resource).collect();
        item
    }
}

impl Hosted {
    fn join(&self, number: usize, world: &mut Catalogue) {
        let item = item("Feature Service", self.title, number, self.place, world);
        let first_id = i64::from(self.kind == Kind::Grouped);
        let numbered = (first_id..).zip(&self.layers);
        // Layers' ids are not contiguous.
        let layers = numbered.map(|(id, rows)| rows.layer(if id > 1 { id + 3 } else { id }));
        let mut service = Service::new(&format!("Service_{number}"), layers.collect());
        match self.kind {
            Kind::Plain => {}
            Kind::Grouped => {
                let members = service.layers.iter().map(|layer| layer.id).collect();
                service.groups.push((0, "All".to_owned(), members));
            }
            Kind::Referenced => service.hosted = false,
            Kind::Closed => "Extract".clone_into(&mut service.capabilities),
            Kind::View => service.view_of = (number > 0).then(|| "Service_0".to_owned()),
        }
        world.add_service(item, service);
    }
}

impl Rows {
    fn layer(&self, id: i64) -> Layer {
        let shape = if self.is_table {
            Shape::None
        } else {
            Shape::Point
        };
        let ids = (0..i64::from(self.count)).map(|index| self.ids.nth(index));
        let rows = ids.map(|oid| made(oid, shape)).collect();
        let mut layer = Layer::new(id, &format!("Layer: {id}"), shape)
            .field("NOTE", "String", "Note")
            .field("BIG", "BigInteger", "Big")
            .field("SIZE", "Double", "Size")
            .field("SKETCH", "Blob", "Sketch")
            .field("ODD", "OfTomorrow", "Odd")
            .rows(rows);
        layer.max_record_count = self.page;
        layer.standard_max = self.standard.then_some(self.page * 2);
        layer.attachment_page = 3;
        layer.has_z = self.has_z && !self.is_table;
        OID_FIELDS[self.oid_field].clone_into(&mut layer.oid_field);
        layer.oid_as_integer = self.oid_field == 2;
        if !self.speaks_geojson {
            "JSON".clone_into(&mut layer.formats);
        }
        let dates = Editing {
            last: MADE,
            schema: MADE,
            data: MADE,
        };
        layer.editing = self.tells_dates.then_some(dates);
        for number in 0..i64::from(self.attachments.min(self.count)) {
            let oid = self.ids.nth(number / 2); // two to a row, of the same name
            layer.attach(oid, "Photo/1.jpg", format!("photo {number}"));
        }
        if !self.lists_attachments {
            let abilities = json!({"supportsPagination": true, "supportsOrderBy": true,
                                   "supportsQueryWithResultType": self.standard});
            let member = "advancedQueryCapabilities".to_owned();
            layer.extra.insert(member, abilities);
        }
        layer
    }
}

impl Ids {
    fn nth(self, index: i64) -> i64 {
        match self {
            Self::FromOne => index + 1,
            Self::FromZero => index,
            Self::Negative => index - 20,
            Self::Gaps => index * 7 + index % 3,
            Self::Far => index + i64::from(index > 9) * 1_000_000_000,
            Self::Huge => index + 9_007_199_254_740_990,
        }
    }
}

/// A row with what is often got wrong: null, quotes, line breaks, whole numbers beyond 2^53.
pub(super) fn made(oid: i64, shape: Shape) -> Row {
    let note = match oid.rem_euclid(4) {
        0 => Value::Null,
        1 => json!(format!("plain {oid}")),
        2 => json!(format!("\"quoted\", {oid}\nand ü")),
        _ => json!(""),
    };
    let big = 9_007_199_254_740_993_i64.wrapping_sub(oid);
    let drawn = shape != Shape::None && oid.rem_euclid(5) != 3;
    // Binary fractions come the same out of every parser.
    let offset = f64::from(i32::try_from(oid.rem_euclid(1000)).unwrap_or(0)) / 1024.0;
    let place = json!({"type": "Point", "coordinates": [12.25 + offset, 50.5 - offset, 100.5]});
    worlds::row(
        oid,
        json!({"NOTE": note, "BIG": big, "SIZE": offset + 0.125}),
        drawn.then_some(place),
    )
}
