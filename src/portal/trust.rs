//! To whom the token may go: the portal itself, `*.arcgis.com` when the portal is ArcGIS Online, and
//! servers that name the portal as their owner. An item's address is text that any user may edit.

use serde::Deserialize;
use url::Url;

use super::Portal;
use super::call::Call;
use super::error::{Error, Trouble};

impl Portal {
    pub(super) async fn trusts(&self, url: &Url) -> Result<bool, Trouble> {
        if url.origin() == self.address.origin() {
            return Ok(true);
        }
        if is_arcgis_online(&self.address) {
            return Ok(url.scheme() == "https" && is_arcgis_online(url));
        }
        let Some(root) = server_root(url) else {
            return Ok(false);
        };
        // One question per server; who comes meanwhile waits for its answer.
        let mut servers = self.servers.lock().await;
        if let Some(ours) = servers.get(root.as_str()) {
            return Ok(*ours);
        }
        let ours = match Box::pin(self.owner_of(&root)).await {
            Ok(owner) => owner.is_some_and(|owner| self.is_this_portal(&owner)),
            Err(error) if error.is_refusal() => false,
            Err(error) => return Err(Trouble::Final(error)),
        };
        servers.insert(root.into(), ours);
        Ok(ours)
    }

    async fn owner_of(&self, root: &Url) -> Result<Option<Url>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Info {
            #[serde(default)]
            owning_system_url: Option<String>,
        }
        let call = Call::get("server info", root.clone()).anonymous();
        let info = self.document(&call).await?;
        let owner = serde_json::from_slice::<Info>(&info)
            .ok()
            .and_then(|info| info.owning_system_url);
        Ok(owner.and_then(|owner| Url::parse(&owner).ok()))
    }

    fn is_this_portal(&self, owner: &Url) -> bool {
        let path = |url: &Url| url.path().trim_end_matches('/').to_ascii_lowercase();
        owner.host_str() == self.address.host_str()
            && owner.port_or_known_default() == self.address.port_or_known_default()
            && path(owner) == path(&self.address)
    }
}

fn is_arcgis_online(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host == "arcgis.com" || host.ends_with(".arcgis.com"))
}

/// `https://host/server/rest/services/…` → `https://host/server/rest/info`.
fn server_root(url: &Url) -> Option<Url> {
    let path = url.path();
    let end = path.to_ascii_lowercase().find("/rest/services")?;
    let mut root = url.clone();
    root.set_path(&format!("{}/rest/info", path.get(..end)?));
    root.set_query(None);
    root.set_fragment(None);
    Some(root)
}
