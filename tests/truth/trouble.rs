//! What goes wrong during a night, as plain data.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::edits::{Edit, meanwhile};
use super::expected;
use super::moments::Moments;
use crate::support::portal::{Call, Catalogue, Fault, FaultKind, Reply};

#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) what: What,
    route: &'static str,
    /// One item of the catalogue; `None` is whichever comes.
    target: Option<usize>,
    skip: usize,
    pub(super) lasts: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Passing(Passing),
    Lie(Lie),
    No(No),
    Edit(Edit),
}

/// Gone when it is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    Http500,
    Http502,
    Http503,
    Http504,
    Page,
    Text500,
    Empty,
    Reset,
    Acted,
    Throttled,
    Expired,
    Cut,
    CutChunked,
    CutGzip,
}

/// An answer that is not what the portal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    ShortPage,
    RepeatPage,
    DoubleRow,
    LoseRow,
    DropLastPage,
    NoFlag,
    NoCount,
    LoseExportedRow,
    LoseAttachment,
    DoubledItem,
    ShortListing,
    ListingEnds,
    ZipInstead,
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    Forbidden,
    NotFound,
    NotStarted,
    Nameless,
    Failed,
    Stuck,
    NotDeleted,
}

const OF_THE_PASS: [&str; 6] = [
    "token",
    "self",
    "rest_info",
    "user_content",
    "org_content",
    "search",
];
const OF_AN_ITEM: [&str; 7] = [
    "user_item",
    "related",
    "resources",
    "data",
    "blob",
    "resource",
    "thumbnail",
];
const OF_A_SERVICE: [&str; 8] = [
    "service",
    "layers",
    "layer",
    "sources",
    "count",
    "query",
    "query_attachments",
    "attachment",
];
const OF_AN_EXPORT: [&str; 3] = ["export", "status", "delete"];

pub(super) fn troubles() -> impl Strategy<Value = Trouble> {
    let target = prop::option::weighted(0.7, 0..9_usize);
    let skip = prop_oneof![2 => Just(0_usize), 1 => 0..6_usize];
    let lasts = prop::bool::weighted(0.3);
    (whats(), target, skip, lasts).prop_map(|((what, route), target, skip, lasts)| Trouble {
        what,
        route,
        target: target.filter(|_| is_of_an_item(route)),
        skip,
        lasts: lasts && what.may_last(route),
    })
}

fn whats() -> impl Strategy<Value = (What, &'static str)> {
    prop_oneof![
        4 => passing(),
        3 => lies(),
        2 => refusals(),
        2 => meanwhile().prop_flat_map(|edit| {
            let route = prop::sample::select(vec!["query", "count", "data", "layers", "user_item"]);
            route.prop_map(move |route| (What::Edit(edit), route))
        }),
    ]
}

fn passing() -> impl Strategy<Value = (What, &'static str)> {
    use Passing as P;
    let kinds = vec![
        P::Http500,
        P::Http502,
        P::Http503,
        P::Http504,
        P::Page,
        P::Text500,
        P::Empty,
        P::Reset,
        P::Acted,
        P::Throttled,
        P::Expired,
        P::Cut,
        P::CutChunked,
        P::CutGzip,
    ];
    let routes = [
        &OF_THE_PASS[..],
        &OF_AN_ITEM,
        &OF_A_SERVICE,
        &OF_AN_EXPORT,
        &["metadata"],
    ];
    (
        prop::sample::select(kinds),
        prop::sample::select(routes.concat()),
    )
        .prop_filter("told from what it stands for", |(kind, route)| match kind {
            // Nobody can tell it from an item without data, or from a row without a file.
            P::Empty => !matches!(*route, "data" | "metadata" | "attachment" | "resource"),
            // Where no token is sent, 498 is no invitation to send another.
            P::Expired => !matches!(*route, "token" | "rest_info" | "blob"),
            _ => true,
        })
        .prop_map(|(kind, route)| (What::Passing(kind), route))
}

fn lies() -> impl Strategy<Value = (What, &'static str)> {
    let listing = prop::sample::select(vec!["user_content", "org_content", "search"]);
    let on = |lie, route| Just((What::Lie(lie), route));
    let of_listing = |lie| {
        listing
            .clone()
            .prop_map(move |route| (What::Lie(lie), route))
    };
    prop_oneof![
        on(Lie::ShortPage, "query"),
        on(Lie::RepeatPage, "query"),
        on(Lie::DoubleRow, "query"),
        on(Lie::LoseRow, "query"),
        on(Lie::DropLastPage, "query"),
        on(Lie::NoFlag, "query"),
        on(Lie::NoCount, "count"),
        on(Lie::LoseExportedRow, "blob"),
        on(Lie::LoseAttachment, "query_attachments"),
        on(Lie::ZipInstead, "export"),
        of_listing(Lie::DoubledItem),
        of_listing(Lie::ShortListing),
        of_listing(Lie::ListingEnds),
    ]
}

fn refusals() -> impl Strategy<Value = (What, &'static str)> {
    let routes = [&OF_AN_ITEM[..], &OF_A_SERVICE].concat();
    let kind = prop::sample::select(vec![No::Forbidden, No::NotFound]);
    let on = |no, route| Just((What::No(no), route));
    prop_oneof![
        3 => (kind, prop::sample::select(routes)).prop_map(|(no, route)| (What::No(no), route)),
        1 => on(No::NotStarted, "export"),
        1 => on(No::Nameless, "export"),
        1 => on(No::Failed, "export"),
        1 => on(No::Stuck, "export"),
        1 => on(No::NotDeleted, "delete"),
    ]
}

fn is_of_an_item(route: &str) -> bool {
    OF_AN_ITEM.contains(&route) || OF_A_SERVICE.contains(&route) || route == "export"
}

impl What {
    /// Only what is quickly given up: the others are asked again for half a minute.
    fn may_last(self, route: &str) -> bool {
        match self {
            Self::Passing(kind) => {
                matches!(kind, Passing::Http500 | Passing::Text500) && is_of_an_item(route)
            }
            Self::Edit(_) => false,
            Self::Lie(_) => !matches!(route, "user_content" | "org_content" | "search"),
            Self::No(_) => true,
        }
    }

    /// Whether one of it may cost an item or the pass.
    fn may_cost(self, route: &str) -> bool {
        match self {
            // A server that gets no token of ours has no other to be asked with.
            Self::Passing(kind) => kind == Passing::Expired && OF_A_SERVICE.contains(&route),
            Self::Lie(lie) => matches!(lie, Lie::ListingEnds),
            Self::No(no) => no != No::NotDeleted,
            Self::Edit(_) => true,
        }
    }

    fn kind(self, moments: &Moments) -> FaultKind {
        match self {
            Self::Passing(kind) => kind.fault(),
            Self::Lie(kind) => kind.fault(),
            Self::No(kind) => kind.fault(),
            Self::Edit(edit) => moments.edited_by(edit),
        }
    }
}

impl Passing {
    fn fault(self) -> FaultKind {
        match self {
            Self::Http500 => FaultKind::Status(500, None),
            Self::Http502 => FaultKind::Html(502),
            Self::Http503 => FaultKind::Status(503, None),
            Self::Http504 => FaultKind::Status(504, None),
            Self::Page => FaultKind::Html200,
            Self::Text500 => FaultKind::TextPlainError(500, "An error occurred."),
            Self::Empty => FaultKind::EmptyBody,
            Self::Reset => FaultKind::Reset,
            Self::Acted => FaultKind::TimeoutAfterActing,
            Self::Throttled => FaultKind::Throttle429InBody(1),
            Self::Expired => FaultKind::ExpireTokens,
            Self::Cut => FaultKind::CutBody,
            Self::CutChunked => FaultKind::CutChunked,
            Self::CutGzip => FaultKind::CutGzip,
        }
    }
}

impl Lie {
    fn fault(self) -> FaultKind {
        match self {
            Self::ShortPage => FaultKind::ShortPage,
            Self::RepeatPage => FaultKind::RepeatPage,
            Self::DoubleRow => FaultKind::DoubleRow,
            Self::LoseRow => FaultKind::LoseRow,
            Self::DropLastPage => FaultKind::DropLastPage,
            Self::NoFlag => FaultKind::PageWithoutFlag,
            Self::NoCount => FaultKind::CountNull,
            Self::LoseExportedRow => without_last("features"),
            Self::LoseAttachment => without_last("attachmentGroups"),
            Self::DoubledItem => FaultKind::DoubledItem,
            Self::ShortListing => FaultKind::ListingShort,
            Self::ListingEnds => altered(|page| page["nextStart"] = json!(-1)),
            Self::ZipInstead => FaultKind::ExportAsZip,
        }
    }
}

impl No {
    fn fault(self) -> FaultKind {
        match self {
            Self::Forbidden => FaultKind::Status(403, None),
            Self::NotFound => {
                FaultKind::ErrorInBody(json!({"code": 400, "message": "Invalid URL"}))
            }
            Self::NotStarted => FaultKind::ExportRefused,
            Self::Nameless => FaultKind::ExportNoId,
            Self::Failed => FaultKind::ExportFails("Data store is full"),
            Self::Stuck => FaultKind::ExportStuck,
            Self::NotDeleted => FaultKind::DeleteFails,
        }
    }
}

/// Changes an answer that is a document with members.
fn altered(change: fn(&mut Value)) -> FaultKind {
    FaultKind::alter(move |call: &Call, reply| {
        let parsed = serde_json::from_slice::<Value>(&reply.body);
        match parsed.ok().filter(Value::is_object) {
            Some(mut document) if !call.flag("returnCountOnly") => {
                change(&mut document);
                Reply {
                    body: document.to_string().into(),
                    ..reply
                }
            }
            _ => reply,
        }
    })
}

fn without_last(name: &'static str) -> FaultKind {
    let lose: fn(&mut Value) = match name {
        "features" => |document| lose_last(document.get_mut("features")),
        _ => |document| lose_last(document.get_mut("attachmentGroups")),
    };
    altered(lose)
}

fn lose_last(list: Option<&mut Value>) {
    drop(list.and_then(Value::as_array_mut).map(Vec::pop));
}

impl Trouble {
    /// Whether it may cost an item or the pass, though it does not last.
    pub(super) fn may_cost(&self) -> bool {
        self.what.may_cost(self.route)
    }

    /// The item that alone is struck.
    pub(super) fn victim<'w>(&self, world: &'w Catalogue) -> Option<&'w str> {
        let own = |item: &&crate::support::portal::Item| !expected::is_temporary(item);
        let of_service = OF_A_SERVICE.contains(&self.route) || self.route == "export";
        let fits = |item: &&crate::support::portal::Item| item.service.is_some() || !of_service;
        let items: Vec<_> = world.items.iter().filter(own).filter(fits).collect();
        let item = items.get(self.target? % items.len().max(1))?;
        Some(&item.id)
    }

    pub(super) fn fault(&self, world: &Catalogue, moments: &Moments) -> Fault {
        let fault = Fault::on(self.route, self.what.kind(moments)).skip(self.skip);
        let fault = if self.lasts { fault.forever() } else { fault };
        let victim = self.victim(world).and_then(|id| world.item(id));
        match victim {
            None => fault,
            Some(item) if OF_A_SERVICE.contains(&self.route) => {
                let service = item.service.as_deref().unwrap_or_default();
                fault.only(&format!("/{service}/"))
            }
            Some(item) => fault.only(&item.id),
        }
    }
}
