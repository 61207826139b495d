//! What a person sees who signs in: the portal's page, the page of the city's identity provider on another host, and
//! the page that shows the code. As with SAML, the browser carries the proof from one to the other.

use super::auth::Asked;
use super::call::{Call, Host};
use super::catalogue::{CLIENT_ID, Settings};
use super::reply::{Answer, Reply};
use super::state::State;

pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
/// What the identity provider asks for.
pub const PERSON: (&str, &str) = ("anna@lindenau.example", "a person's password");

/// The name of a page's request; `None` for what is no page.
pub fn name(host: Host, segments: &[&str]) -> Option<&'static str> {
    Some(match (host, segments) {
        (Host::Portal, ["oauth2", "authorize"]) => "authorize",
        (Host::Portal, ["oauth2", "saml", "authorize"]) => "saml_out",
        (Host::Portal, ["oauth2", "saml", "signin"]) => "saml_back",
        (Host::Portal, ["oauth2", "approval"]) => "approval",
        (Host::Elsewhere, ["idp", "sso"]) => "idp",
        (Host::Elsewhere, ["idp", "login"]) => "idp_login",
        _ => return None,
    })
}

pub fn is_page(route: &str) -> bool {
    matches!(
        route,
        "authorize" | "saml_out" | "saml_back" | "approval" | "idp" | "idp_login"
    )
}

pub fn answer(state: &mut State, call: &Call) -> Answer {
    match call.route {
        "authorize" => authorize(state, call),
        "saml_out" => {
            let relay = call.param("oauth_state").unwrap_or_default();
            let there = &state.places.elsewhere;
            let request = format!("{there}/idp/sso?SAMLRequest=request&RelayState={relay}");
            Ok(Reply::redirect(request))
        }
        "saml_back" => signed_in(state, call),
        "approval" => Ok(approval(call)),
        "idp" => Ok(provider(call, "")),
        _ => Ok(provider_answers(state, call)),
    }
}

/// What the address asks for, or the page that complains of it. That is HTML, and never a redirect.
pub fn asked(call: &Call, settings: &Settings) -> Result<Asked, Reply> {
    if call.param("client_id") != Some(CLIENT_ID) {
        return Err(complaint("Error: Invalid client_id"));
    }
    let uri = call.param("redirect_uri").unwrap_or_default();
    if !settings.redirect_uris.iter().any(|known| known == uri) {
        return Err(complaint("Invalid redirect_uri"));
    }
    if call.param("response_type") != Some("code") {
        return Err(complaint("Invalid response_type"));
    }
    let challenge = call.param("code_challenge").map(str::to_owned);
    if challenge.is_some() && call.param("code_challenge_method") != Some("S256") {
        return Err(complaint("Invalid code_challenge_method"));
    }
    let minutes = call.number("expiration")?.map(|minutes| minutes as u64);
    Ok(Asked {
        redirect_uri: uri.to_owned(),
        challenge,
        expiration: minutes,
    })
}

fn authorize(state: &mut State, call: &Call) -> Answer {
    let asked = asked(call, &state.catalogue.settings)?;
    let relay = format!("relay-{}", state.sign_ins.len() + 1);
    state.sign_ins.insert(relay.clone(), asked);
    let portal = &state.places.portal;
    Ok(page(
        "Sign In",
        &format!(
            "<h1>Sign in to <b>agol-backup</b> with ArcGIS</h1>\
             <form><input name=username placeholder=Username> <input name=password type=password placeholder=Password> \
             <button disabled>Sign In</button></form>\
             <p>or <a id=saml href='{portal}/sharing/rest/oauth2/saml/authorize?oauth_state={relay}'>City of Lindenau</a></p>"
        ),
    ))
}

fn provider(call: &Call, trouble: &str) -> Reply {
    let relay = call.param("RelayState").unwrap_or_default();
    page(
        "City of Lindenau: one sign-in for everything",
        &format!(
            "<h1>City of Lindenau</h1><p id=trouble>{trouble}</p>\
             <form method=post action=/idp/login><input type=hidden name=RelayState value='{relay}'>\
             <input id=user name=user placeholder='E-mail'> \
             <input id=password name=password type=password placeholder=Password> <button id=go>Continue</button></form>"
        ),
    )
}

/// The proof goes to the portal by way of the browser, as a form that sends itself.
fn provider_answers(state: &State, call: &Call) -> Reply {
    let told = (call.param("user"), call.param("password"));
    if told != (Some(PERSON.0), Some(PERSON.1)) {
        return provider(call, "That is not the password.");
    }
    let relay = call.param("RelayState").unwrap_or_default();
    let portal = &state.places.portal;
    page(
        "One moment",
        &format!(
            "<body onload='document.forms[0].submit()'>\
             <form method=post action='{portal}/sharing/rest/oauth2/saml/signin'>\
             <input type=hidden name=RelayState value='{relay}'><input type=hidden name=SAMLResponse value=proof>\
             <noscript><button>Continue</button></noscript></form></body>"
        ),
    )
}

fn signed_in(state: &mut State, call: &Call) -> Answer {
    let relay = call.param("RelayState").unwrap_or_default();
    let begun = state.sign_ins.remove(relay);
    let (Some(asked), Some("proof")) = (begun, call.param("SAMLResponse")) else {
        return Err(complaint("Unable to sign in"));
    };
    let code = state.auth.code(asked, &state.catalogue.settings);
    let portal = &state.places.portal;
    Ok(Reply::redirect(format!(
        "{portal}/sharing/rest/oauth2/approval?code={code}"
    )))
}

fn approval(call: &Call) -> Reply {
    let code = call.param("code").unwrap_or_default();
    page(
        &format!("SUCCESS code={code}"),
        &format!(
            "<p>Please copy this code, switch to your application and paste it there:</p>\
             <input id=code size=60 readonly value='{code}'>"
        ),
    )
}

fn complaint(text: &str) -> Reply {
    page("Error", &format!("<p>{text}</p>"))
}

fn page(title: &str, body: &str) -> Reply {
    let text = format!(
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>{title}</title></head>\
         <body style='font-family: sans-serif; margin: 3em'>{body}</body></html>"
    );
    Reply::bytes("text/html;charset=utf-8", text)
}
