//! More certificate authorities, for a portal with a certificate of its own. What is unusable is told before
//! anybody is contacted.

use reqwest::{Certificate, Client};

use super::Error;

const VARIABLE: &str = "ARCGIS_CA_FILE";

/// Every certificate of a PEM file, at least one; none where no file is named.
pub(super) fn read(path: Option<&str>) -> Result<Vec<Certificate>, Error> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let pem = std::fs::read(path)
        .map_err(|error| Error::new(VARIABLE, format!("cannot be read: {path}: {error}")))?;
    let unusable = |error: reqwest::Error| {
        let problem = format!("holds no usable PEM certificate: {path}: {error}");
        Error::new(VARIABLE, problem)
    };
    let certificates = Certificate::from_pem_bundle(&pem).map_err(unusable)?;
    if certificates.is_empty() {
        let problem = format!("holds no PEM certificate (BEGIN CERTIFICATE): {path}");
        return Err(Error::new(VARIABLE, problem));
    }
    // Only a client looks into them.
    let client = Client::builder().tls_certs_merge(certificates.clone());
    client.build().map_err(unusable)?;
    Ok(certificates)
}
