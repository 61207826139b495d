//! A service lies where its item says, which any user may edit.

use serde_json::json;

use super::Kept;
use crate::support::portal::{Catalogue, FakePortal, Fault, FaultKind, Host, Item};
use crate::support::run::Job;
use crate::support::worlds;

#[test]
fn a_referenced_service_is_kept_and_its_server_sees_no_token() {
    let kept = Kept::of(worlds::city());
    let archive = kept.archive();
    for role in ["item", "service", "layers", "rows"] {
        assert_eq!(archive.files_of("Traffic counts", role).len(), 1, "{role}");
    }
    assert_eq!(archive.entry("Traffic counts")["rows"], json!(12));
    let requests = kept.portal.requests();
    let elsewhere: Vec<_> = requests
        .iter()
        .filter(|seen| seen.host == Host::Elsewhere)
        .collect();
    assert!(elsewhere.len() > 3 && elsewhere.iter().all(|seen| !seen.has_token));
}

#[test]
fn a_referenced_service_that_refuses_is_noted() {
    let portal = FakePortal::start_blocking(worlds::city());
    let refusal = json!({"code": 403, "message": "This service is not for you."});
    portal.add_fault(Fault::on("elsewhere:*", FaultKind::ErrorInBody(refusal)).forever());
    let job = Job::against(&portal);
    job.run().ended(0);
    let archive = job.archive();
    assert_eq!(archive.notes("Traffic counts"), ["service_not_readable"]);
    assert_eq!(archive.files_of("Traffic counts", "item").len(), 1);
    assert_eq!(archive.entry("Traffic counts")["notes"], json!(1));
}

#[test]
fn an_address_that_leads_nowhere_is_noted() {
    let addresses = [
        "nonsense",
        "ftp://127.0.0.1/x/FeatureServer",
        "http://192.0.2.1/x/FeatureServer",
    ];
    let mut world = worlds::empty();
    world.add_item(Item::new("Feature Service", "none"));
    for address in addresses {
        let mut item = Item::new("Feature Service", address);
        item.url = Some(address.to_owned());
        world.add_item(item);
    }
    let kept = Kept::of(world);
    for title in addresses.into_iter().chain(["none"]) {
        assert_eq!(
            kept.archive().notes(title),
            ["service_not_readable"],
            "{title}"
        );
    }
}

/// `Notes`, whose item gives another address than the service's own.
fn moved(address: impl Fn(&FakePortal) -> String) -> (FakePortal, Job) {
    let world: Catalogue = worlds::one_layer(worlds::notes(3));
    let portal = FakePortal::start_blocking(world);
    let address = address(&portal);
    portal.edit(|world| world.items[0].url = Some(address));
    let job = Job::against(&portal);
    (portal, job)
}

#[test]
fn the_address_of_one_layer_leads_to_its_service() {
    let (_portal, job) = moved(|portal| {
        format!(
            "{}/CityOrg01/arcgis/rest/services/Notes/FeatureServer/0/",
            portal.services_url()
        )
    });
    job.run().ended(0);
    assert_eq!(job.archive().entry("Notes")["rows"], 3);
}

#[test]
fn an_item_that_calls_a_foreign_server_its_own_gets_no_token_there() {
    let (portal, job) = moved(|portal| {
        format!(
            "{}/server/rest/services/Notes/FeatureServer",
            portal.elsewhere_url()
        )
    });
    job.run().ended(3);
    assert_eq!(job.archive().entry("Notes")["error"]["stage"], "service");
    let elsewhere = portal
        .requests()
        .into_iter()
        .filter(|seen| seen.host == Host::Elsewhere);
    assert!(elsewhere.clone().count() > 0 && !elsewhere.clone().any(|seen| seen.has_token));
}
