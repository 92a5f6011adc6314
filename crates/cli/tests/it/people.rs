//! The commands about users' sign-in, and the mail that invites them.

use std::net::TcpListener;

use zoop_both::both;

use crate::env::{Folder, text};
use crate::mail::MailServer;

const PASSWORD: &str = "correct horse battery";

/// Signs in; returns the status and the redirect target.
pub(crate) fn sign_in(url: &str, email: &str, password: &str) -> (u16, String) {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .new_agent();
    let form = [("email", email), ("password", password)];
    let sent = agent.post(format!("{url}/sign-in")).header("Origin", url).send_form(form);
    let answer = sent.expect("an answer");
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
    (answer.status().as_u16(), location.unwrap_or_default().to_owned())
}

#[both]
fn a_password_from_standard_input_works_for_sign_in() {
    let folder = Folder::new();
    let (_, owner, _) = folder.business();
    let set = |who: &str, typed: &str| {
        folder.zoop_reading(&["user", "set-password", who, "--json"], typed)
    };
    for (who, typed, expected) in [
        ("dana@example.com", "short\n", "longer password"),
        ("dana@example.com", "", "longer password"),
        ("dana@example.com", "password123\n", "too common"),
        ("nobody@example.com", "correct horse battery\n", "no user with this id"),
    ] {
        assert!(set(who, typed).failure().contains(expected), "{who} {typed}");
    }
    let server = folder.serve(&[]);
    let url = server.url.clone();
    assert_eq!(sign_in(&url, "dana@example.com", PASSWORD).0, 403, "no password yet");
    assert_eq!(set("Dana@Example.com", "correct horse battery\r\n").json()["user_id"], owner);
    let inside = (303, "/".to_owned());
    assert_eq!(sign_in(&url, "dana@example.com", PASSWORD), inside);
    assert_eq!(set(&owner, "another phrase").json()["user_id"], owner);
    assert_eq!(sign_in(&url, "dana@example.com", PASSWORD).0, 403);
    assert_eq!(sign_in(&url, "dana@example.com", "another phrase"), inside);
    let reset = folder.json(&["user", "reset-second-factor", "dana@example.com"]);
    assert_eq!(reset["user_id"], owner);
    let history = folder.zoop(&["history", "--json"]).stdout;
    assert!(history.contains("password_set") && !history.contains("another phrase"), "{history}");
}

#[test]
fn the_hint_to_list_users_is_only_for_a_user_who_is_not_found() {
    let folder = Folder::new();
    folder.business();
    let set = || folder.zoop_reading(&["user", "set-password", "nobody@example.com"], PASSWORD);
    assert!(set().failure().contains("`zoop user list` shows"));
    let database = rusqlite::Connection::open(folder.path("zoop.db")).expect("the database");
    database.execute("ALTER TABLE users RENAME TO hidden", []).expect("the table is renamed");
    let failed = set();
    let message = failed.failure();
    assert!(message.contains("no such table") && !message.contains("user list"), "{message}");
}

#[both]
fn an_invitation_prints_its_link_and_is_sent_if_a_mail_server_is_set() {
    let folder = Folder::new();
    folder.business();
    let who = ["--name", "Nadia New", "--email", "nadia@example.com", "--role", "office"];
    let invite = [&["user", "invite"][..], &who].concat();
    let made = folder.json(&invite);
    let link = text(&made, "link");
    assert!(link.starts_with("http://127.0.0.1:8080/invitations/zoop_in_"), "{link}");
    assert_eq!(made["mail"], "off");

    let mails = MailServer::start();
    folder.write(
        "zoop.toml",
        &format!("[mail]\nurl = '{}'\nfrom = 'Zoop <zoop@example.com>'\n", mails.url()),
    );
    let made = folder.json(&invite);
    assert_eq!(made["mail"], "sent");
    let mail = mails.next();
    assert!(mail.contains(&text(&made, "link")), "{mail}");
    for line in ["From: Zoop <zoop@example.com>", "nadia@example.com", "Join Copper Creek on Zoop"]
    {
        assert!(mail.contains(line), "{line}: {mail}");
    }

    let closed = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    folder.write(
        "zoop.toml",
        &format!("[mail]\nurl = 'smtp://u:s3cret@{closed}'\nfrom = 'zoop@example.com'\n"),
    );
    let answer = folder.zoop(&invite);
    assert_eq!(answer.code, 0, "the invitation is created anyway: {}", answer.stderr);
    assert!(answer.stdout.contains("Send this to nadia@example.com yourself"), "{}", answer.stdout);
    assert!(answer.stderr.contains("could not be sent"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("s3cret") && !answer.stderr.contains("nadia@"));
    let printed = folder.zoop(&["serve", "--print-config"]).stdout;
    assert!(printed.contains("smtp://…@127.0.0.1") && !printed.contains("s3cret"), "{printed}");
}

#[test]
fn invalid_mail_settings_are_reported() {
    let folder = Folder::new();
    folder.business();
    let who = ["--name", "N", "--email", "n@example.com", "--role", "tech"];
    for (mail, expected) in [
        ("url = 'smtp://127.0.0.1'", "mail.from"),
        ("from = 'zoop@example.com'", "mail.url"),
        ("url = 'imap://u:s3cret@127.0.0.1'\nfrom = 'a@b.example'", "smtps://"),
        ("url = 'smtps://u:s3cret@127.0.0.1'\nfrom = 'nobody'", "mail.from"),
    ] {
        folder.write("zoop.toml", &format!("[mail]\n{mail}\n"));
        let answer = folder.zoop(&[&["user", "invite"][..], &who].concat());
        assert!(answer.failure().contains(expected), "{expected}: {}", answer.stderr);
        assert!(!answer.stderr.contains("s3cret"), "{}", answer.stderr);
    }
    let history = folder.zoop(&["history", "--json"]).stdout;
    assert!(!history.contains("invitations.create"), "no invitation was created: {history}");
}
