//! Whatever goes wrong once, on any kind of request: the copy is the same as if nothing had.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{by_query, difference, untroubled};
use crate::support::begun::Begun;
use crate::support::portal::{FakePortal, Fault, FaultKind, Reply};
use crate::support::run::{Job, Run};
use crate::support::worlds;

/// Questions that are answered with a document.
const DOCUMENTS: [&str; 13] = [
    "token",
    "self",
    "rest_info",
    "user_content",
    "user_item",
    "related",
    "resources",
    "service",
    "layers",
    "sources",
    "layer",
    "count",
    "query_attachments",
];
/// Questions that are answered with a file, and rows.
const FILES: [&str; 7] = [
    "data",
    "blob",
    "resource",
    "thumbnail",
    "metadata",
    "attachment",
    "query",
];

/// One kind of fault in wait on some routes, and the pass that meets it.
struct Troubled {
    name: String,
    portal: FakePortal,
    before: BTreeMap<String, String>,
    job: Job,
    faults: u64,
}

impl Troubled {
    fn by(name: &str, kind: &FaultKind, routes: &[&str]) -> Self {
        let portal = FakePortal::start_blocking(worlds::city());
        let before = untroubled(&portal);
        for route in routes {
            let fault = Fault::on(route, kind.clone());
            portal.add_fault(match *route {
                "attachment" => fault.only("/attachments/1"), // not the one that is empty
                _ => fault,
            });
        }
        let job = by_query(&portal);
        Self {
            name: name.to_owned(),
            portal,
            before,
            job,
            faults: routes.len() as u64,
        }
    }

    /// What is not as if nothing had gone wrong.
    fn judge(&self, run: &Run) -> Vec<String> {
        if run.code != 0 {
            let mut reasons = vec![run.summary()["error"].to_string()];
            let failed = run.events("item failed").into_iter();
            reasons.extend(failed.map(|line| format!("{}: {}", line["title"], line["reason"])));
            return vec![format!("{}: exit {}: {reasons:?}", self.name, run.code)];
        }
        self.job.archive().assert_whole();
        let after = self.job.archive().contents();
        let mut wrong = self.portal.violations();
        let lost = difference(&self.before, &after).into_iter();
        wrong.extend(lost.map(|place| format!("{place} is not as it was")));
        let retried = run.events("request retried");
        let mute = retried.iter().filter(|line| !is_told_in_full(line));
        wrong.extend(mute.map(ToString::to_string));
        if run.summary()["retries"].as_u64() < Some(self.faults) {
            wrong.push("fewer retries than faults".to_owned());
        }
        wrong
            .iter()
            .map(|wrong| format!("{}: {wrong}", self.name))
            .collect()
    }
}

fn is_told_in_full(line: &Value) -> bool {
    let text = |name: &str| line[name].as_str().is_some_and(|text| !text.is_empty());
    text("subject") && text("reason") && line["attempt"].is_u64() && line["wait_ms"].is_u64()
}

/// All side by side, because each pass mostly waits.
#[track_caller]
fn leaves_no_trace(troubled: &[Troubled]) {
    let begun: Vec<Begun> = troubled.iter().map(|one| Begun::of(&one.job)).collect();
    let ended = troubled.iter().zip(begun);
    let wrong: Vec<String> = ended
        .flat_map(|(one, begun)| one.judge(&begun.end()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A pass for each kind, which strikes on every one of these routes.
#[track_caller]
fn everywhere(kinds: &[(&str, FaultKind)], routes: &[&[&str]]) {
    let each = kinds.iter();
    let troubled = each.map(|(name, kind)| Troubled::by(name, kind, &routes.concat()));
    leaves_no_trace(&troubled.collect::<Vec<_>>());
}

/// A pass for each route, so that none ends by another's fault.
#[track_caller]
fn one_by_one(kind: &FaultKind, routes: &[&str]) {
    let troubled = routes
        .iter()
        .map(|route| Troubled::by(route, kind, &[route]));
    leaves_no_trace(&troubled.collect::<Vec<_>>());
}

#[test]
fn a_server_that_stumbles_once() {
    let kinds = [
        ("HTTP 500", FaultKind::Status(500, None)),
        ("HTTP 502", FaultKind::Html(502)),
        ("HTTP 503", FaultKind::Status(503, None)),
        ("HTTP 503 with a time", FaultKind::Status(503, Some(1))),
        ("HTTP 504", FaultKind::Status(504, None)),
    ];
    everywhere(&kinds, &[&DOCUMENTS, &FILES]);
}

#[test]
fn an_error_inside_a_good_status_once() {
    let kinds = [
        (
            "text/plain",
            FaultKind::TextPlainError(500, "An error occurred."),
        ),
        (
            "503 in a 200",
            FaultKind::ErrorInBody(json!({"code": 503, "message": "An error occurred."})),
        ),
        (
            "504 in a 200",
            FaultKind::ErrorInBody(json!({"code": 504, "message": "Your request has timed out."})),
        ),
        ("429 in a 200", FaultKind::Throttle429InBody(1)),
    ];
    everywhere(&kinds, &[&DOCUMENTS, &FILES]);
}

#[test]
fn an_answer_of_another_kind_once() {
    let kinds = [
        ("a page", FaultKind::Html200),
        ("an empty body", FaultKind::EmptyBody),
    ];
    everywhere(&kinds, &[&DOCUMENTS]);
}

#[test]
fn a_document_that_breaks_off_inside_a_sound_answer_once() {
    let half = FaultKind::custom(|_| Reply::json_text("{\"items\":[{".to_owned()));
    one_by_one(&half, &DOCUMENTS);
}

#[test]
fn a_page_in_place_of_a_file_once() {
    one_by_one(&FaultKind::Html200, &FILES);
}

#[test]
fn an_empty_body_in_place_of_a_file_once() {
    let files = ["blob", "resource", "thumbnail", "attachment", "query"];
    one_by_one(&FaultKind::EmptyBody, &files);
}

#[test]
fn a_connection_that_breaks_once() {
    let kinds = [
        ("reset", FaultKind::Reset),
        ("acted, then reset", FaultKind::TimeoutAfterActing),
    ];
    everywhere(&kinds, &[&DOCUMENTS, &FILES]);
}

#[test]
fn an_answer_that_is_cut_once() {
    let kinds = [
        ("cut", FaultKind::CutBody),
        ("cut in chunks", FaultKind::CutChunked),
        ("cut in a gzip stream", FaultKind::CutGzip),
    ];
    let files = [
        "blob",
        "resource",
        "thumbnail",
        "metadata",
        "attachment",
        "query",
    ];
    everywhere(&kinds, &[&DOCUMENTS, &files]);
}
