//! An address that a user wrote, or that a server sends on to, leads neither to this machine's link nor to a file.

use super::{by_query, map, only_missing};
use crate::support::portal::{FakePortal, Fault, FaultKind, Item, Reply};
use crate::support::worlds;

#[test]
fn a_service_is_never_looked_for_on_this_machines_link_nor_in_its_files() {
    let addresses = [
        ("https://169.254.169.254/latest/FeatureServer", "link-local"),
        (
            "https://[::ffff:169.254.169.254]/x/FeatureServer",
            "link-local",
        ),
        ("https://[fe80::1]/x/FeatureServer", "link-local"),
        ("https://0.0.0.0/x/FeatureServer", "unspecified"),
        ("https://224.0.0.251/x/FeatureServer", "multicast"),
        ("https://255.255.255.255/x/FeatureServer", "broadcast"),
        ("https://168.63.129.16/x/FeatureServer", "metadata"),
        ("http://10.0.0.1/x/FeatureServer", "not https"),
        ("file:///etc/passwd", "neither http nor https"),
        ("gopher://127.0.0.1:70/x", "neither http nor https"),
        ("data:text/plain,x", "neither http nor https"),
    ];
    let mut world = worlds::empty();
    for (address, _) in addresses {
        let mut item = Item::new("Feature Service", address);
        item.url = Some(address.to_owned());
        world.add_item(item);
    }
    let portal = FakePortal::start_blocking(world);
    let job = by_query(&portal);
    let run = job.run();
    run.ended(0);
    assert_eq!(run.summary()["retries"], 0, "{}", run.stdout);
    for (address, why) in addresses {
        let notes = &job.archive().record(address)["notes"];
        assert_eq!(notes[0]["code"], "service_not_readable", "{address}");
        let message = notes[0]["message"].as_str().expect("a message");
        assert!(message.contains(why), "{address}: {message}");
    }
}

#[test]
fn a_redirect_to_the_clouds_metadata_is_not_followed() {
    for (target, why) in [
        (
            "https://169.254.169.254/latest/meta-data/iam/",
            "link-local",
        ),
        ("https://[fd00:ec2::254]/latest/", "metadata"),
        ("http://169.254.169.254/latest/", "link-local"),
        ("file:///etc/shadow", "not the web"),
        ("gopher://127.0.0.1/", "not the web"),
    ] {
        let mut world = worlds::empty();
        world.add_item(map("Plan"));
        world.add_item(map("Other"));
        let plan = world.titled("Plan").id.clone();
        let portal = FakePortal::start_blocking(world);
        let away = FaultKind::custom(move |_| Reply::redirect(target.to_owned()));
        portal.add_fault(Fault::on("data", away).only(&plan).forever());
        let job = by_query(&portal);
        let run = job.run();
        only_missing(&job, &run, "Plan", why);
        assert_eq!(run.summary()["retries"], 0, "{target}");
    }
}
