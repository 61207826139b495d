//! The city's tables, and the service that mixes a group, layers and a table.

use serde_json::json;

use super::super::portal::{Editing, Layer, MADE, Service, Shape};
use super::city::DAY;
use super::{places, row};

/// A group with two layers, and a table; ids neither contiguous nor from zero.
pub fn inspections() -> Service {
    let site = |oid: i64| {
        let attributes = json!({"SITE": format!("Site {oid}"), "RISK": oid % 4, "SKETCH": null});
        row(oid, attributes, Some(places::on_street(oid * 3)))
    };
    let sites = |id: i64, name: &str, count: i64| {
        Layer::new(id, name, Shape::Point)
            .field("SITE", "String", "Site")
            .field("RISK", "SmallInteger", "Risk")
            .field("SKETCH", "Blob", "Sketch")
            .rows((1..=count).map(site).collect())
    };
    let visit = |oid: i64| {
        let result = if oid % 5 == 0 { "repair" } else { "in order" };
        let attributes = json!({"SITE": format!("Site {}", 1 + oid % 30), "RESULT": result, "VISITED": MADE - oid * DAY,
                                "AT": format!("{:02}:30:00", 8 + oid % 9)});
        row(oid, attributes, None)
    };
    let visits = Layer::new(5, "Visits", Shape::None)
        .field("SITE", "String", "Site")
        .field("RESULT", "String", "Result")
        .field("VISITED", "Date", "Visited on")
        .field("AT", "TimeOnly", "At")
        .rows((1..=120).map(visit).collect());
    let mut service = Service::new(
        "Inspections",
        vec![sites(1, "Bridges", 30), sites(3, "Playgrounds", 24), visits],
    );
    service.groups.push((0, "Sites".to_owned(), vec![1, 3]));
    service
}

pub fn budget() -> Service {
    const OFFICES: [&str; 5] = ["Parks", "Streets", "Water", "Schools", "Fire brigade"];
    let line = |oid: i64| {
        let office = OFFICES.get(usize::try_from(oid % 5).unwrap_or(0));
        row(
            oid,
            json!({"OFFICE": office, "YEAR": 2015 + oid / 5, "EUROS": 125_000 + oid * 7351}),
            None,
        )
    };
    let layer = Layer::new(0, "Budget", Shape::None)
        .field("OFFICE", "String", "Office")
        .field("YEAR", "SmallInteger", "Year")
        .field("EUROS", "Integer", "Spent (€)")
        .rows((0..50).map(line).collect())
        .with(|layer| {
            layer.editing = Some(Editing {
                last: 0,
                schema: 0,
                data: 0,
            });
        });
    Service::new("Budget", vec![layer])
}
