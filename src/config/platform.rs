//! What the platform says where no `SINK_` variable does, for as far as `OpenDAL` does not look there itself. Keys,
//! profiles, and instance, pod and workload identities it finds on its own.

use super::Error;
use super::address::store_address;
use super::environment::Environment;
use super::sink::{Settings, variable};

pub(super) fn s3(mut settings: Settings, environment: &Environment) -> Result<Settings, Error> {
    let platform = |names: &[&str]| environment.first_of(names);
    settings.set_default(
        "endpoint",
        platform(&[
            "AWS_ENDPOINT_URL_S3",
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT",
            "AWS_S3_ENDPOINT",
        ])?,
    );
    settings.set_default("region", platform(&["AWS_REGION", "AWS_DEFAULT_REGION"])?);
    address(&mut settings)?;
    // Stores of one's own ask for a region in signatures, and take this one when they have none.
    let elsewhere = settings.get("endpoint").map(|endpoint| {
        if endpoint.ends_with(".r2.cloudflarestorage.com") {
            "auto"
        } else {
            "us-east-1"
        }
        .to_owned()
    });
    settings.set_default("region", elsewhere);
    if settings.get("region").is_none() {
        return Err(missing(
            "region",
            "the bucket's region, such as eu-central-1",
        ));
    }
    together(&settings, "access_key_id", "secret_access_key")?;
    Ok(settings)
}

pub(super) fn azblob(mut settings: Settings, environment: &Environment) -> Result<Settings, Error> {
    let platform = |names: &[&str]| environment.first_of(names);
    // As Azure's own tools do: a connection string is a whole account, and says more than single names.
    let own = ["account_name", "account_key", "sas_token", "endpoint"];
    if own.iter().all(|key| settings.get(key).is_none())
        && let Some(text) = platform(&["AZURE_STORAGE_CONNECTION_STRING"])?
    {
        connection_string(&text, &mut settings)?;
    }
    settings.set_default(
        "account_name",
        platform(&["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"])?,
    );
    if settings.get("account_key").is_none() && settings.get("sas_token").is_none() {
        settings.set_default(
            "account_key",
            platform(&["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY"])?,
        );
        settings.set_default("sas_token", platform(&["AZURE_STORAGE_SAS_TOKEN"])?);
    }
    let public = settings
        .get("account_name")
        .map(|name| format!("https://{name}.blob.core.windows.net"));
    settings.set_default("endpoint", public);
    if settings.get("endpoint").is_none() {
        return Err(missing(
            "account_name",
            "the storage account's name (or set AZURE_STORAGE_CONNECTION_STRING)",
        ));
    }
    address(&mut settings)?;
    // People copy it from the portal with its question mark, and the store refuses it so.
    if let Some(token) = settings
        .get("sas_token")
        .and_then(|token| token.strip_prefix('?'))
    {
        let token = token.to_owned();
        settings.set("sas_token", token);
    }
    Ok(settings)
}

/// Without a slash at its end: with one, every request would have two.
fn address(settings: &mut Settings) -> Result<(), Error> {
    if let Some(text) = settings.get("endpoint") {
        let url = store_address(&variable("endpoint"), text)?;
        settings.set("endpoint", url.as_str().trim_end_matches('/'));
    }
    Ok(())
}

/// <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>
fn connection_string(text: &str, settings: &mut Settings) -> Result<(), Error> {
    let part = |name: &str| {
        let mut parts = text
            .split(';')
            .filter_map(|part| part.trim().split_once('='));
        parts
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let account = part("AccountName");
    if account.is_none() && part("BlobEndpoint").is_none() {
        return Err(Error::new(
            "AZURE_STORAGE_CONNECTION_STRING",
            "names neither AccountName nor BlobEndpoint: copy it from the storage account's access keys",
        ));
    }
    let built = account.as_ref().map(|account| {
        let protocol = part("DefaultEndpointsProtocol").unwrap_or_else(|| "https".to_owned());
        let suffix = part("EndpointSuffix").unwrap_or_else(|| "core.windows.net".to_owned());
        format!("{protocol}://{account}.blob.{suffix}")
    });
    settings.set_default("endpoint", part("BlobEndpoint").or(built));
    settings.set_default("account_name", account);
    settings.set_default("account_key", part("AccountKey"));
    settings.set_default("sas_token", part("SharedAccessSignature"));
    Ok(())
}

fn together(settings: &Settings, one: &'static str, other: &'static str) -> Result<(), Error> {
    match (settings.get(one), settings.get(other)) {
        (Some(_), None) => Err(missing(other, &format!("it goes with {}", variable(one)))),
        (None, Some(_)) => Err(missing(one, &format!("it goes with {}", variable(other)))),
        _ => Ok(()),
    }
}

fn missing(key: &str, remedy: &str) -> Error {
    Error::new(&variable(key), format!("is missing: {remedy}"))
}
