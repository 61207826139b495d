//! Addresses: the portal's, as people copy it from the browser, and those of stores.

use url::Url;

use super::Error;

/// Accepts what people copy from the browser: with `/home/…`, `/sharing/rest`, a query, a trailing slash.
pub(super) fn portal_address(text: &str) -> Result<Url, Error> {
    let wrong = |problem: &str| {
        Error::new(
            "ARCGIS_URL",
            format!("{problem}: write it like https://city.maps.arcgis.com"),
        )
    };
    let mut url = Url::parse(text).map_err(|_reason| wrong("is not an address with https://"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(wrong("is not an address with https://"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(Error::new(
            "ARCGIS_URL",
            "is plain http: tokens travel over https only, except to a loopback address",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user name or password"));
    }
    let path = url.path().to_owned();
    let context = ["/home", "/sharing", "/apps"]
        .iter()
        .filter_map(|tail| {
            path.find(&format!("{tail}/"))
                .or_else(|| path.ends_with(tail).then(|| path.len() - tail.len()))
        })
        .min()
        .and_then(|end| path.get(..end))
        .unwrap_or(&path);
    url.set_path(context.trim_end_matches('/'));
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// The address of a service that is sent tokens: https, but for this machine.
pub(super) fn web_address(variable: &str, text: &str) -> Result<Url, Error> {
    let url = store_address(variable, text)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(Error::new(
            variable,
            "is plain http: tokens travel over https only, except to a loopback address",
        ));
    }
    Ok(url)
}

/// The address of a store, which signs its requests.
pub(super) fn store_address(variable: &str, text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http") && url.host().is_some() && url.query().is_none()
    });
    // The address itself is not repeated: people paste signed ones.
    url.filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| {
            Error::new(
                variable,
                "is not an address: write it like https://storage.example.org, without a query or a user",
            )
        })
}

/// Whether an address can only be this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_address_is_taken_as_people_copy_it() {
        for (text, url) in [
            ("https://www.arcgis.com", "https://www.arcgis.com/"),
            (
                "https://city.maps.arcgis.com/home/content.html?view=table#my",
                "https://city.maps.arcgis.com/",
            ),
            (
                "https://gis.city.gov/portal/sharing/rest/",
                "https://gis.city.gov/portal",
            ),
            (
                "https://gis.city.gov/portal/home",
                "https://gis.city.gov/portal",
            ),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ] {
            assert_eq!(portal_address(text).expect(text).as_str(), url);
        }
        for wrong in [
            "www.arcgis.com",
            "ftp://x",
            "http://city.gov",
            "https://user:pw@city.gov",
            "",
            "localhost:80",
        ] {
            assert!(portal_address(wrong).is_err(), "{wrong}");
        }
    }
}
