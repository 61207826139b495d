//! A layer or table: what of its definition matters for reading it. Lenient by member: a field type or a
//! number in quotes that nobody knows yet must not lose a layer.

use serde::Deserialize;
use url::Url;

use super::call::below;
use crate::config::Format;
use crate::members::Members;

/// One layer or table.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability that a layer has or not"
)]
pub struct Layer {
    pub(super) url: Url,
    /// Neither contiguous nor from zero; layers and tables share the numbers.
    pub id: u32,
    /// Free text.
    pub name: String,
    /// Whether rows can be expected.
    pub kind: LayerKind,
    /// The field that orders and pages the rows; any name, any case.
    pub(super) object_id_field: Option<String>,
    /// Rows per answer.
    pub(super) page_limit: usize,
    /// The same without `resultType`.
    pub(super) plain_limit: usize,
    /// The larger pages of `resultType=standard` are offered.
    pub(super) offers_standard: bool,
    pub(super) speaks_geojson: bool,
    pub(super) has_z: bool,
    pub(super) has_m: bool,
    pub(super) true_curves: bool,
    /// Rows can have files attached.
    pub has_attachments: bool,
    /// Attachments of many rows can be listed at once.
    pub(super) lists_attachments: bool,
    pub(super) counts_attachments: bool,
    /// The caller may query it.
    pub can_query: bool,
    /// Columns whose values no query carries: raster and blob.
    pub uncarried_fields: Vec<String>,
    /// When it was edited.
    pub dates: Dates,
}

/// What a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// Rows with geometry.
    Features,
    /// Rows without.
    Table,
    /// Rows whose geometry is a mesh that no query carries.
    Multipatch,
    /// Holds other layers, no rows.
    Group,
    /// Something that has no rows to query, such as an annotation's or raster's helper.
    Other,
}

/// `editingInfo`: any date may be absent, and 0 means as little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    last: Option<i64>,
    data: Option<i64>,
    schema: Option<i64>,
}

impl Dates {
    /// Moves with every edit of rows or schema; `None` when the service does not tell.
    pub fn newest(self) -> Option<i64> {
        [self.last, self.data, self.schema]
            .into_iter()
            .flatten()
            .filter(|date| *date > 0)
            .max()
    }
}

impl Layer {
    /// Rows can be asked for.
    pub fn has_rows(&self) -> bool {
        !matches!(self.kind, LayerKind::Group | LayerKind::Other)
    }

    /// The server writes the format itself.
    pub fn can_be_read_as(&self, format: Format) -> bool {
        format != Format::GeoJson || self.speaks_geojson
    }

    pub(super) fn has_geometry(&self) -> bool {
        matches!(self.kind, LayerKind::Features | LayerKind::Multipatch)
    }
}

/// The layers and tables of a service. One without a number cannot be asked for, and is not left out in silence.
pub(super) fn read_layers(document: &[u8], service: &Url) -> serde_json::Result<Vec<Layer>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow, default)]
        layers: Option<Vec<Members<'a>>>,
        #[serde(borrow, default)]
        tables: Option<Vec<Members<'a>>>,
    }
    let answer: Answer<'_> = serde_json::from_slice(document)?;
    let (layers, tables) = (
        answer.layers.iter().flatten(),
        answer.tables.iter().flatten(),
    );
    let layers = layers.map(|layer| (layer, false));
    let tables = tables.map(|table| (table, true));
    layers
        .chain(tables)
        .map(|(layer, is_table)| {
            let number = layer.integer("id").and_then(|id| u32::try_from(id).ok());
            let nameless = || serde::de::Error::custom("a layer without a number");
            Ok(read_layer(
                number.ok_or_else(nameless)?,
                layer,
                is_table,
                service,
            ))
        })
        .collect()
}

fn read_layer(id: u32, layer: &Members<'_>, is_table: bool, service: &Url) -> Layer {
    let text = |key: &str| layer.get_or_default::<String>(key);
    let truth = |key: &str| layer.get_or_default::<bool>(key);
    let abilities: Members<'_> = layer.get_or_default("advancedQueryCapabilities");
    let advanced = |key: &str| abilities.get_or_default::<bool>(key);
    let lists = |key: &str, word: &str| {
        text(key)
            .split(',')
            .any(|listed| listed.trim().eq_ignore_ascii_case(word))
    };
    let plain_limit = limit(layer, "maxRecordCount").unwrap_or(1_000);
    let standard_limit = limit(layer, "standardMaxRecordCount")
        .filter(|limit| *limit > plain_limit && advanced("supportsQueryWithResultType"));
    let fields: Vec<Members<'_>> = layer.get_or_default("fields");
    Layer {
        url: below(service, &[&id.to_string()]),
        id,
        name: text("name"),
        kind: kind(&text("type"), &text("geometryType"), is_table),
        object_id_field: object_id_field(layer, &fields),
        page_limit: standard_limit.unwrap_or(plain_limit),
        plain_limit,
        offers_standard: standard_limit.is_some(),
        speaks_geojson: lists("supportedQueryFormats", "geojson"),
        has_z: truth("hasZ"),
        has_m: truth("hasM"),
        true_curves: advanced("supportsTrueCurve"),
        has_attachments: truth("hasAttachments"),
        lists_attachments: advanced("supportsQueryAttachments"),
        counts_attachments: advanced("supportsQueryAttachmentsCountOnly"),
        can_query: text("capabilities").is_empty() || lists("capabilities", "query"),
        uncarried_fields: fields.iter().filter_map(uncarried).collect(),
        dates: dates(layer),
    }
}

fn limit(layer: &Members<'_>, key: &str) -> Option<usize> {
    let limit = usize::try_from(layer.integer(key)?).ok()?;
    (limit > 0).then_some(limit)
}

fn kind(kind: &str, geometry: &str, is_table: bool) -> LayerKind {
    match (kind, geometry) {
        ("Group Layer", _) => LayerKind::Group,
        (_, "esriGeometryMultiPatch") => LayerKind::Multipatch,
        ("Table", _) => LayerKind::Table,
        (_, "") if is_table => LayerKind::Table,
        ("Feature Layer" | "", _)
        | (
            _,
            "esriGeometryPoint"
            | "esriGeometryMultipoint"
            | "esriGeometryPolyline"
            | "esriGeometryPolygon",
        ) => LayerKind::Features,
        _ => LayerKind::Other,
    }
}

/// What the layer names; else the field of the type. Old layers name a field that is declared an integer.
fn object_id_field(layer: &Members<'_>, fields: &[Members<'_>]) -> Option<String> {
    let named = layer.get::<String>("objectIdField");
    named.filter(|name| !name.is_empty()).or_else(|| {
        let is_id =
            |field: &&Members<'_>| field.get_or_default::<String>("type") == "esriFieldTypeOID";
        fields.iter().find(is_id)?.get("name")
    })
}

fn uncarried(field: &Members<'_>) -> Option<String> {
    let kind: String = field.get("type")?;
    matches!(kind.as_str(), "esriFieldTypeBlob" | "esriFieldTypeRaster")
        .then(|| field.get("name"))?
}

pub(super) fn dates(layer: &Members<'_>) -> Dates {
    let info: Members<'_> = layer.get_or_default("editingInfo");
    Dates {
        last: info.integer("lastEditDate"),
        data: info.integer("dataLastEditDate"),
        schema: info.integer("schemaLastEditDate"),
    }
}
