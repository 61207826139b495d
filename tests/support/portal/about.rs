//! Who the portal is and who asks: root, info, `portals/self`, `community/self`, a server's `rest/info`.

use serde_json::{Value, json};

use super::call::{Call, Host};
use super::catalogue::{MADE, ORG, Settings, USER};
use super::reply::Reply;
use super::state::{Places, State};

pub fn portal(state: &State, call: &Call) -> Reply {
    let settings = &state.catalogue.settings;
    Reply::json(&match call.route {
        "root" => json!({"currentVersion": version(settings)}),
        "info" => owning(&state.places),
        "community" => user(settings),
        _ => organisation(state),
    })
}

/// A server that names its owner may be given the owner's token; another never.
pub fn server(places: &Places, call: &Call) -> Reply {
    match call.host {
        Host::Services => {
            let mut info = owning(places);
            info["currentVersion"] = json!(11.5);
            Reply::json(&info)
        }
        _ => Reply::json(&json!({"currentVersion": 10.91, "fullVersion": "10.9.1",
                                 "authInfo": {"isTokenBasedSecurity": false}})),
    }
}

fn owning(places: &Places) -> Value {
    let tokens = format!("{}/sharing/rest/generateToken", places.portal);
    json!({"owningSystemUrl": places.portal, "authInfo": {"tokenServicesUrl": tokens, "isTokenBasedSecurity": true}})
}

fn version(settings: &Settings) -> &'static str {
    if settings.enterprise {
        "11.4"
    } else {
        "2025.2"
    }
}

fn organisation(state: &State) -> Value {
    let settings = &state.catalogue.settings;
    let host = state.places.portal.trim_start_matches("http://");
    json!({
        "id": ORG, "name": "City of Lindenau", "urlKey": "lindenau", "customBaseUrl": "maps.arcgis.com",
        "portalHostname": host, "isPortal": settings.enterprise, "portalName": "ArcGIS Online",
        "portalMode": if settings.enterprise { "singletenant" } else { "multitenant" },
        "currentVersion": version(settings), "region": "WO", "culture": "en", "access": "private", "allSSL": true,
        "availableCredits": 9584.193, "storageUsage": 17_622_609_523_i64, "maxTokenExpirationMinutes": -1,
        "supportsOAuth": true, "supportsHostedServices": true, "helperServices": {},
        "recycleBinSupported": settings.recycle_bin, "recycleBinEnabled": settings.recycle_bin,
        "user": user(settings), "appInfo": {}
    })
}

fn user(settings: &Settings) -> Value {
    let mut privileges = vec![
        "portal:user:createItem",
        "portal:user:viewOrgItems",
        "features:user:edit",
    ];
    if settings.administrator {
        privileges.extend(["portal:admin:viewItems", "portal:admin:viewUsers"]);
    }
    json!({"username": USER, "fullName": "GIS Backup", "email": "gis@lindenau.example", "orgId": ORG,
           "role": if settings.administrator { "org_admin" } else { "org_user" }, "roleId": "r0le", "level": "2",
           "privileges": privileges, "created": MADE, "modified": MADE, "provider": "enterprise", "groups": []})
}
