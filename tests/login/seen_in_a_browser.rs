//! A person signs in with a real browser: from the printed address through the identity provider of their city, on
//! another host, to the page with the code; and then a backup runs.

use super::{address, newcomer};
use crate::support::begun::Begun;
use crate::support::browser::Browser;
use crate::support::portal::{FakePortal, PERSON};
use crate::support::worlds;

/// Where pictures of the pages go, for whoever wants to look at them.
fn look(browser: &Browser, page: &str) {
    let picture = browser.picture();
    assert!(picture.starts_with(b"\x89PNG"), "{page}");
    #[expect(clippy::disallowed_methods, reason = "to look at by hand")]
    if let Ok(folder) = std::env::var("AGOL_TEST_PICTURES") {
        let path = std::path::Path::new(&folder).join(format!("{page}.png"));
        std::fs::write(path, picture).expect("a picture");
    }
}

#[test]
fn a_person_signs_in_through_the_identity_provider_and_a_backup_runs() {
    let portal = FakePortal::start_blocking(worlds::small_office());
    let (job, _) = newcomer(&portal);
    let begun = Begun::typed(&job, &["login"]);
    let mut begun = begun.until("an address", |begun| begun.heard().contains("S256"));

    let browser = Browser::open();
    browser.go(&address(&begun.heard()));
    look(&browser, "1-portal");
    browser.click("#saml");
    browser.wait_for_title("one sign-in for everything");
    assert!(browser.address().starts_with(&portal.elsewhere_url()));
    browser.types("#user", PERSON.0);
    browser.types("#password", "a slip");
    browser.click("#go");
    browser.wait_for_title("one sign-in for everything");
    look(&browser, "2-identity-provider");
    browser.types("#user", PERSON.0);
    browser.types("#password", PERSON.1);
    browser.click("#go");
    browser.wait_for_title("SUCCESS code=");
    look(&browser, "3-code");
    let code = browser.value("#code");
    assert_eq!(browser.title(), format!("SUCCESS code={code}"));

    begun.types(&format!("{}\n", browser.title()));
    let run = begun.end();
    assert!(run.ended(0).stdout.contains("Signed in as gis_backup"));
    let summary = job.run().ended(0).summary();
    assert_eq!(summary["token_days_left"], 89);
    job.archive().assert_whole();
}
