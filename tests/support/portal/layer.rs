//! Layers and tables: fields, rows (listed, or made up on the fly by the million), attachments.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::catalogue::MADE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A table.
    None,
    Point,
    Line,
    Polygon,
    /// Its meshes never come through `query`.
    MultiPatch,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// `String`, `Integer`, `Double`, `Date` …: what follows `esriFieldType`.
    pub kind: String,
    pub alias: String,
    pub domain: Value,
}

impl Field {
    pub fn new(name: &str, kind: &str, alias: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            alias: alias.to_owned(),
            domain: Value::Null,
        }
    }

    /// Columns that `query` never carries.
    pub fn carried(&self) -> bool {
        !matches!(self.kind.as_str(), "Blob" | "Raster" | "Geometry")
    }
}

/// A row; the geometry is GeoJSON in WGS84, with up to four numbers (x, y, z, m) a position.
#[derive(Clone, Debug)]
pub struct Row {
    pub oid: i64,
    pub values: Map<String, Value>,
    pub geometry: Option<Value>,
}

#[derive(Clone, Debug)]
pub struct Attachment {
    pub id: i64,
    pub name: String,
    pub content_type: String,
    pub bytes: Bytes,
    /// The length that the server tells, when it lies.
    pub told_size: Option<u64>,
}

/// Points made up from their object id.
#[derive(Clone, Copy, Debug)]
pub struct Generated {
    pub count: usize,
    pub first_oid: i64,
    /// An object id is left out after every so many rows; 0 for none.
    pub gap_every: usize,
    /// Bytes of text in each row's `REMARKS`.
    pub filler: usize,
}

#[derive(Clone, Debug)]
pub enum Rows {
    /// In the order of object ids.
    Listed(Vec<Row>),
    Generated(Generated),
}

impl Rows {
    pub fn len(&self) -> usize {
        match self {
            Self::Listed(rows) => rows.len(),
            Self::Generated(made) => made.count,
        }
    }

    pub fn oid(&self, index: usize) -> i64 {
        match self {
            Self::Listed(rows) => rows.get(index).map_or(i64::MAX, |row| row.oid),
            Self::Generated(made) => made.oid(index),
        }
    }

    /// The number of rows whose object id is lower.
    pub fn below(&self, oid: i64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.oid(middle) < oid {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    pub fn position(&self, oid: i64) -> Option<usize> {
        let index = self.below(oid);
        (index < self.len() && self.oid(index) == oid).then_some(index)
    }
}

impl Generated {
    pub fn oid(&self, index: usize) -> i64 {
        let gaps = index.checked_div(self.gap_every).unwrap_or(0);
        self.first_oid + i64::try_from(index + gaps).expect("fewer rows than i64 can count")
    }
}

/// `editingInfo`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Editing {
    pub last: i64,
    pub schema: i64,
    pub data: i64,
}

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "the API has as many")]
pub struct Layer {
    pub id: i64,
    pub name: String,
    pub shape: Shape,
    pub oid_field: String,
    /// An old hosted layer declares its object id as a plain integer.
    pub oid_as_integer: bool,
    pub fields: Vec<Field>,
    pub rows: Arc<Rows>,
    /// 4326 or 3857: what `f=json` gives when `outSR` is absent.
    pub wkid: u32,
    pub has_z: bool,
    pub has_m: bool,
    pub has_attachments: bool,
    pub attachments: Arc<BTreeMap<i64, Vec<Attachment>>>,
    /// Attachments per answer of `queryAttachments`.
    pub attachment_page: usize,
    pub max_record_count: usize,
    /// With `resultType=standard`; `None` when the layer knows no result types.
    pub standard_max: Option<usize>,
    /// As the layer spells them.
    pub formats: String,
    /// Absent on some layers.
    pub editing: Option<Editing>,
    /// A page of more rows answers 504.
    pub fail_above_rows: Option<usize>,
    /// The id of the layer in the view's source, if it differs.
    pub source: Option<i64>,
    /// `relationships`, `drawingInfo` and other members as they are.
    pub extra: Map<String, Value>,
}

impl Layer {
    /// A hosted layer as most are: `OBJECTID`, Web Mercator, pages of 2000.
    pub fn new(id: i64, name: &str, shape: Shape) -> Self {
        Self {
            id,
            name: name.to_owned(),
            shape,
            oid_field: "OBJECTID".to_owned(),
            oid_as_integer: false,
            fields: Vec::new(),
            rows: Arc::new(Rows::Listed(Vec::new())),
            wkid: 3857,
            has_z: false,
            has_m: false,
            has_attachments: false,
            attachments: Arc::default(),
            attachment_page: 2000,
            max_record_count: 2000,
            standard_max: Some(32_000),
            formats: if shape == Shape::MultiPatch {
                "JSON"
            } else {
                "JSON, geoJSON, PBF"
            }
            .to_owned(),
            editing: Some(Editing {
                last: MADE,
                schema: MADE,
                data: MADE,
            }),
            fail_above_rows: None,
            source: None,
            extra: Map::new(),
        }
    }

    #[must_use]
    pub fn field(mut self, name: &str, kind: &str, alias: &str) -> Self {
        self.fields.push(Field::new(name, kind, alias));
        self
    }

    /// Rows in any order; they are kept by object id.
    #[must_use]
    pub fn rows(mut self, mut rows: Vec<Row>) -> Self {
        rows.sort_by_key(|row| row.oid);
        self.rows = Arc::new(Rows::Listed(rows));
        self
    }

    /// Millions of points without keeping one.
    #[must_use]
    pub fn generated(mut self, made: Generated) -> Self {
        self.fields = generated_fields(made);
        self.rows = Arc::new(Rows::Generated(made));
        self
    }

    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn table(&self) -> bool {
        self.shape == Shape::None
    }

    /// A view's layer takes over what is its source's.
    pub fn show(&mut self, from: &Self) {
        self.rows = Arc::clone(&from.rows);
        self.attachments = Arc::clone(&from.attachments);
        self.editing = from.editing;
    }

    /// Attachments of one row.
    pub fn attached(&self, oid: i64) -> &[Attachment] {
        self.attachments.get(&oid).map_or(&[], Vec::as_slice)
    }
}

fn generated_fields(made: Generated) -> Vec<Field> {
    let mut fields = vec![
        Field::new("NAME", "String", "Name"),
        Field::new("KIND", "String", "Kind"),
        Field::new("HEIGHT", "Double", "Height (m)"),
        Field::new("SURVEYED", "Date", "Surveyed on"),
    ];
    if made.filler > 0 {
        fields.push(Field::new("REMARKS", "String", "Remarks"));
    }
    fields
}
