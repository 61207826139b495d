//! Where requests may go. An item's address, a redirect and what a name resolves to are text that others choose:
//! none of it may lead to the machine that this runs on, to what only its own link sees, or to where clouds hand
//! out credentials. Private networks stay open: a city's own servers are there. What the operator names as the
//! portal is never questioned.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Name, Resolve, Resolving};
use url::{Host, Url};

use crate::config::is_loopback;

/// What may be asked, seen from the portal that was configured.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    portal: Option<Host>,
    /// Tests, and portals on this very machine.
    loopback: bool,
}

/// Somebody asked for an address that is not asked.
#[derive(Debug, thiserror::Error)]
#[error("{host} leads to {what}, which is not asked")]
pub(super) struct OutOfReach {
    host: String,
    what: &'static str,
}

impl Reach {
    pub(super) fn from(portal: &Url) -> Self {
        Self {
            portal: portal.host().map(|host| host.to_owned()),
            loopback: is_loopback(portal),
        }
    }

    /// Judges an address as it is written. What its name resolves to is judged when it is connected to.
    pub(super) fn allows(&self, url: &Url) -> Result<(), OutOfReach> {
        let host = url.host().map(|host| host.to_owned());
        let what = match &host {
            None => Some("no host"),
            named if *named == self.portal => None,
            Some(Host::Domain(name)) => self.forbids_name(name),
            Some(Host::Ipv4(address)) => self.forbids(IpAddr::V4(*address)),
            Some(Host::Ipv6(address)) => self.forbids(IpAddr::V6(*address)),
        };
        what.map_or(Ok(()), |what| {
            let host = url.host_str().unwrap_or_default().to_owned();
            Err(OutOfReach { host, what })
        })
    }

    fn forbids_name(&self, name: &str) -> Option<&'static str> {
        let name = name.trim_end_matches('.');
        let local = name == "localhost" || name.ends_with(".localhost");
        (local && !self.loopback).then_some("this machine")
    }

    /// The addresses of a name that may be asked; an error when there are only others.
    fn among(
        &self,
        name: &str,
        addresses: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, OutOfReach> {
        let portals = self.portal == Some(Host::Domain(name.to_owned()));
        // No question goes there by this name, see above: it is a proxy's.
        if portals || self.forbids_name(name).is_some() {
            return Ok(addresses.collect());
        }
        let (mut open, mut forbidden) = (Vec::new(), None);
        for address in addresses {
            match self.forbids(address.ip()) {
                None => open.push(address),
                what => forbidden = what,
            }
        }
        match forbidden {
            Some(what) if open.is_empty() => Err(OutOfReach {
                host: name.to_owned(),
                what,
            }),
            _ => Ok(open),
        }
    }

    fn forbids(&self, address: IpAddr) -> Option<&'static str> {
        let address = as_sent(address);
        if address.is_loopback() {
            return (!self.loopback).then_some("this machine");
        }
        match address {
            IpAddr::V4(v4) => forbidden_v4(v4),
            IpAddr::V6(v6) => forbidden_v6(v6),
        }
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some("an unspecified address"),
        [169, 254, ..] => Some("a link-local address"),
        [224..=239, ..] => Some("a multicast address"),
        [240..=255, ..] => Some("a broadcast or reserved address"),
        // Alibaba's, Azure's and Oracle's: the other clouds' are link-local.
        [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => Some("a cloud's metadata"),
        _ => None,
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    /// Amazon's and Google's.
    const METADATA: [Ipv6Addr; 2] = [
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    ];
    if address.is_unspecified() {
        Some("an unspecified address")
    } else if address.is_unicast_link_local() {
        Some("a link-local address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else {
        METADATA.contains(&address).then_some("a cloud's metadata")
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, or behind a NAT64 or 6to4 gateway.
fn as_sent(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let joined = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            joined(high, low)
        }
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => joined(high, low),
        [0x2002, high, low, ..] => joined(high, low),
        _ => address,
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open = reach.among(name.as_str(), found)?;
            Ok(Box::new(open.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(portal: &str) -> Reach {
        Reach::from(&Url::parse(portal).expect("an address"))
    }

    fn allowed(portal: &str, address: &str) -> bool {
        let url = Url::parse(address).expect("an address");
        reach(portal).allows(&url).is_ok()
    }

    const ONLINE: &str = "https://www.arcgis.com";

    #[test]
    fn an_address_of_this_machine_of_its_link_or_of_a_cloud_is_not_asked() {
        for address in [
            "https://127.0.0.1/x",
            "https://127.1/x",
            "https://0x7f000001/x",
            "https://2130706433/x",
            "https://localhost/x",
            "https://localhost./x",
            "https://gis.localhost:6443/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://[::ffff:7f00:1]/x",
            "https://0.0.0.0/x",
            "https://0/x",
            "https://[::]/x",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::169.254.169.254]/",
            "https://[64:ff9b::169.254.169.254]/",
            "https://[2002:a9fe:a9fe::1]/",
            "https://[fe80::1]/",
            "https://[febf::1]/",
            "https://[fd00:ec2::254]/",
            "https://224.0.0.1/",
            "https://[ff02::1]/",
            "https://255.255.255.255/",
            "https://240.0.0.1/",
            "https://100.100.100.200/",
            "https://168.63.129.16/",
        ] {
            assert!(!allowed(ONLINE, address), "{address}");
        }
    }

    #[test]
    fn a_citys_own_network_and_the_rest_of_the_world_are_asked() {
        for address in [
            "https://10.1.2.3/server/rest/services",
            "https://172.16.0.9/x",
            "https://192.168.1.5:6443/arcgis",
            "https://100.64.0.1/x",
            "https://[fd12:3456::1]/x",
            "https://gis.city.gov/x",
            "https://8.8.8.8/x",
            "https://[2606:4700::1111]/x",
        ] {
            assert!(allowed(ONLINE, address), "{address}");
        }
    }

    #[test]
    fn a_portal_on_this_machine_brings_this_machine_into_reach_and_nothing_more() {
        for portal in [
            "http://127.0.0.1:8080/portal",
            "http://[::1]",
            "http://localhost",
        ] {
            assert!(allowed(portal, "http://127.0.0.1:6443/x"), "{portal}");
            assert!(allowed(portal, "http://localhost/x"), "{portal}");
            assert!(!allowed(portal, "https://169.254.169.254/"), "{portal}");
            assert!(!allowed(portal, "https://0.0.0.0/"), "{portal}");
        }
    }

    #[test]
    fn what_a_name_resolves_to_is_judged_too() {
        let reach = reach("https://gis.city.gov/portal");
        let found = |name: &str, addresses: &[&str]| {
            let parsed = addresses
                .iter()
                .map(|text| text.parse().expect("an address"));
            reach.among(name, parsed).map(|open| open.len())
        };
        for hidden in ["127.0.0.1:0", "169.254.169.254:0", "[::ffff:127.0.0.1]:0"] {
            let refused = found("evil.example", &[hidden]).expect_err("not asked");
            assert!(refused.to_string().contains("evil.example leads to"));
        }
        assert_eq!(
            found("half.example", &["127.0.0.1:0", "8.8.8.8:0"]).ok(),
            Some(1)
        );
        assert_eq!(found("maps.city.gov", &["10.0.0.1:0"]).ok(), Some(1));
        // The operator says where the portal is; a proxy of this machine is the operator's too.
        assert_eq!(found("gis.city.gov", &["127.0.1.1:0"]).ok(), Some(1));
        assert_eq!(found("localhost", &["127.0.0.1:0"]).ok(), Some(1));
        assert_eq!(found("nobody.example", &[]).ok(), Some(0));
    }
}
