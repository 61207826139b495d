//! A browser without a screen, driven as a person would: by what is on the page. Speaks `WebDriver` to chromedriver
//! over plain HTTP. <https://www.w3.org/TR/webdriver2/>

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::aside;

/// Longer than any page of a test should take.
const PATIENCE: Duration = Duration::from_mins(2);
/// By this name a reference to an element goes over the wire.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// It has nobody to talk to but the test.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=900,500",
];

/// A window. Its browser ends when this is dropped.
pub struct Browser {
    driver: Child,
    /// What the driver says; it would break off where nobody listened.
    _said: BufReader<ChildStdout>,
    session: String,
    profile: tempfile::TempDir,
}

impl Browser {
    pub fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0", "--allowed-ips=127.0.0.1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect(
                "chromedriver is missing: install chromium and chromium-driver, as tests/run does",
            );
        let mut said = BufReader::new(driver.stdout.take().expect("a pipe"));
        let port = port(&mut said);
        let mut browser = Self {
            driver,
            _said: said,
            session: format!("http://127.0.0.1:{port}/session"),
            profile: tempfile::tempdir().expect("a temporary folder"),
        };
        let profile = format!("--user-data-dir={}", browser.profile.path().display());
        let flags: Vec<&str> = FLAGS.into_iter().chain([profile.as_str()]).collect();
        let options = json!({"args": flags});
        let wish = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let begun = browser.post("", &wish);
        let id = begun["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    pub fn go(&self, address: &str) {
        self.post("/url", &json!({"url": address}));
    }

    pub fn title(&self) -> String {
        self.get("/title").as_str().expect("a title").to_owned()
    }

    pub fn address(&self) -> String {
        self.get("/url").as_str().expect("an address").to_owned()
    }

    /// Waits for a page: where it leads is another page's affair.
    #[track_caller]
    pub fn wait_for_title(&self, part: &str) {
        let patience = Instant::now() + PATIENCE;
        while !self.title().contains(part) {
            let page = (self.title(), self.address());
            assert!(Instant::now() < patience, "never {part}: {page:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn click(&self, css: &str) {
        self.post(&(self.find(css) + "/click"), &json!({}));
    }

    pub fn types(&self, css: &str, text: &str) {
        self.post(&(self.find(css) + "/value"), &json!({"text": text}));
    }

    /// What stands in a field.
    pub fn value(&self, css: &str) -> String {
        let value = self.get(&(self.find(css) + "/property/value"));
        value.as_str().expect("text").to_owned()
    }

    /// A picture of the window, PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.get("/screenshot");
        let text = picture.as_str().expect("a picture");
        BASE64_STANDARD.decode(text).expect("base64")
    }

    fn find(&self, css: &str) -> String {
        let wish = json!({"using": "css selector", "value": css});
        let found = self.post("/element", &wish);
        format!("/element/{}", found[ELEMENT].as_str().expect("an element"))
    }

    fn get(&self, path: &str) -> Value {
        answer(reqwest::Client::new().get(format!("{}{path}", self.session)))
    }

    fn post(&self, path: &str, wish: &Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}{path}", self.session));
        answer(request.body(wish.to_string()))
    }
}

impl Drop for Browser {
    /// The driver ends its browser with the session.
    fn drop(&mut self) {
        let end = reqwest::Client::new().delete(&self.session).send();
        drop(aside::wait_for(async { end.await.map(drop) }));
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn answer(request: reqwest::RequestBuilder) -> Value {
    let text = aside::wait_for(async { request.timeout(PATIENCE).send().await?.text().await });
    let text = text.expect("an answer of chromedriver");
    let mut answer: Value = serde_json::from_str(&text).expect("JSON");
    let value = answer["value"].take();
    assert!(value.get("error").is_none(), "{value:#}");
    value
}

/// `ChromeDriver was started successfully on port 40123.`
fn port(said: &mut BufReader<ChildStdout>) -> u16 {
    let mut lines = said.lines().map(|line| line.expect("text"));
    let line = lines.find(|line| line.contains("started successfully"));
    let line = line.expect("chromedriver says its port");
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a port")
}
