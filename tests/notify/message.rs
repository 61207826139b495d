//! What a webhook is sent: when, what people read, what machines read, and what Slack and Teams ask for.

use serde_json::{Value, json};

use crate::support::portal::{CLIENT_ID, FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::receiver::{Message, Receiver};
use crate::support::run::{Job, Run};
use crate::support::worlds;

use super::{same_summary, with_a_failure};

fn hooked(portal: &FakePortal, receiver: &Receiver) -> Job {
    Job::against(portal).with("BACKUP_WEBHOOK_URL", format!("{}/hook", receiver.url()))
}

/// The one message, of a run that ended so.
#[track_caller]
fn message(job: &Job, receiver: &Receiver, code: i32) -> (Message, Run) {
    let run = job.run();
    run.ended(code);
    let mut messages = receiver.messages();
    assert_eq!(messages.len(), 1, "{messages:#?}");
    (messages.remove(0), run)
}

/// At an address of somebody out there, who is played by a proxy of the environment.
#[track_caller]
fn body_at(address: &str, portal: &FakePortal) -> Value {
    let receiver = Receiver::start();
    let job = Job::against(portal)
        .with("BACKUP_WEBHOOK_URL", address)
        .with("HTTP_PROXY", receiver.url())
        .with("NO_PROXY", "127.0.0.1");
    let (message, _) = message(&job, &receiver, 3);
    assert_eq!(message.address, address);
    message.body
}

#[test]
fn a_failure_is_told_and_a_complete_pass_only_when_asked() {
    let receiver = Receiver::start();
    let whole = FakePortal::start_blocking(worlds::large_listing(2));
    let mut job = hooked(&whole, &receiver);
    job.run().ended(0);
    job.set("BACKUP_WEBHOOK_ON", "failure");
    job.run().ended(0);
    assert_eq!(receiver.paths(), [""; 0]);
    job.set("BACKUP_WEBHOOK_ON", "always");
    let (told, run) = message(&job, &receiver, 0);
    assert_eq!((&told.method[..], &told.address[..]), ("POST", "/hook"));
    assert_eq!(told.media_type.as_deref(), Some("application/json"));
    same_summary(&told.body["agol_backup"], &run);
}

#[test]
fn every_failure_is_told() {
    let empty = FakePortal::start_blocking(worlds::empty());
    let refused = FakePortal::start_blocking(worlds::empty());
    refused.revoke_refresh();
    for (portal, code) in [(&with_a_failure(), 3), (&empty, 4), (&refused, 10)] {
        let receiver = Receiver::start();
        let (told, run) = message(&hooked(portal, &receiver), &receiver, code);
        same_summary(&told.body["agol_backup"], &run);
    }
}

#[test]
fn people_read_what_happened_what_failed_and_what_to_do() {
    let portal = with_a_failure();
    let receiver = Receiver::start();
    let job = hooked(&portal, &receiver);
    let (told, _) = message(&job, &receiver, 3);
    let text = told.body["text"].as_str().expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let place = job.destination().display().to_string();
    let first = format!(
        "agol-backup of {} to {place}: partial (exit code 3)",
        portal.url()
    );
    assert_eq!(lines[0], first);
    assert_eq!(
        lines[1],
        "Items: 2 stored, 0 unchanged, 0 skipped, 1 failed. Rows read: 0."
    );
    assert!(lines[2].starts_with("- Map 1 (Web Map): data: "), "{text}");
    assert!(lines[2].contains("You do not have permissions."), "{text}");
    assert!(
        lines[3].starts_with("The next run tries the failed items again."),
        "{text}"
    );
    assert_eq!(lines.len(), 4, "{text}");
    assert!(text.is_ascii(), "{text}");
    let numbers = &told.body["agol_backup"];
    assert_eq!(numbers["portal"], portal.url());
    assert_eq!(numbers["destination"], place);
    let members: Vec<&String> = told.body.as_object().expect("an object").keys().collect();
    assert_eq!(
        members,
        ["agol_backup", "text"],
        "nothing that a receiver could take amiss"
    );
}

#[test]
fn people_read_whether_a_copy_is_kept_and_how_long_the_token_lives() {
    let portal = FakePortal::start_blocking(worlds::large_listing(2));
    let receiver = Receiver::start();
    let ends = jiff::Timestamp::now() + std::time::Duration::from_hours(5 * 24 + 1);
    let token = json!({"refresh_token": REFRESH_TOKEN, "client_id": CLIENT_ID, "expires_at": ends});
    // In a variable nothing renews it.
    let job = hooked(&portal, &receiver).with("ARCGIS_REFRESH_TOKEN", token.to_string());
    job.run().ended(0);
    let no = Fault::on("data", FaultKind::TextPlainError(403, "No."));
    portal.add_fault(no.forever());
    portal.edit(|world| {
        for item in &mut world.items {
            item.modified += 1;
        }
    });
    let (told, _) = message(&job, &receiver, 3);
    let text = told.body["text"].as_str().expect("text");
    assert!(
        text.contains("2 failed (an older copy of 2 is kept)."),
        "{text}"
    );
    assert!(
        text.ends_with("\nThe refresh token has 5 days left. Unless runs renew it, sign in again: agol-backup login"),
        "{text}"
    );
}

#[test]
fn of_many_failures_some_are_named_and_all_are_counted() {
    let portal = FakePortal::start_blocking(worlds::large_listing(9));
    let no = Fault::on("data", FaultKind::TextPlainError(403, "No."));
    portal.add_fault(no.forever());
    let receiver = Receiver::start();
    let (told, _) = message(&hooked(&portal, &receiver), &receiver, 3);
    let text = told.body["text"].as_str().expect("text");
    assert_eq!(text.matches("\n- Map ").count(), 5, "{text}");
    assert!(text.contains("\nand 4 more\n"), "{text}");
}

#[test]
fn slack_gets_a_text_in_which_a_title_is_no_mention_and_no_attachments() {
    let portal = with_a_failure();
    portal.edit(|world| {
        let id = world.titled("Map 1").id.clone();
        world.edit_item(&id, |item| "<!channel> A & B".clone_into(&mut item.title));
    });
    let body = body_at("http://hooks.slack.com/services/T0/B0/secret", &portal);
    let text = body["text"].as_str().expect("text");
    assert!(
        text.contains("- &lt;!channel&gt; A &amp; B (Web Map)"),
        "{text}"
    );
    assert_eq!(body.get("attachments"), None);
}

#[test]
fn teams_gets_a_card_of_the_same_words_that_is_not_read_as_markup() {
    let portal = with_a_failure();
    portal.edit(|world| {
        let id = world.titled("Map 1").id.clone();
        let title = "[a](http://b) <c>";
        world.edit_item(&id, |item| title.clone_into(&mut item.title));
    });
    for host in [
        "prod-1.westeurope.logic.azure.com",
        "x.api.powerplatform.com",
    ] {
        let body = body_at(
            &format!("http://{host}/workflows/secret?sig=secret"),
            &portal,
        );
        assert_eq!(body["type"], "message");
        let cards = body["attachments"].as_array().expect("cards");
        assert_eq!(cards.len(), 1);
        assert_eq!(
            cards[0]["contentType"],
            "application/vnd.microsoft.card.adaptive"
        );
        let card = &cards[0]["content"];
        assert_eq!(
            (&card["type"], &card["version"]),
            (&json!("AdaptiveCard"), &json!("1.4"))
        );
        let blocks = card["body"].as_array().expect("blocks");
        let line = |block: &Value| {
            assert_eq!(block["type"], "RichTextBlock");
            let run = &block["inlines"][0];
            assert_eq!(run["type"], "TextRun");
            run["text"].as_str().expect("text").to_owned()
        };
        let lines: Vec<String> = blocks.iter().map(line).collect();
        assert_eq!(json!(lines.join("\n")), body["text"]);
        assert!(
            lines[2].starts_with("- [a](http://b) <c> (Web Map)"),
            "{lines:?}"
        );
        assert_eq!(body["agol_backup"]["exit"], 3);
    }
}
