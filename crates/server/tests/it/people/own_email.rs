//! One's own e-mail address on the account page.

use serde_json::json;
use zoop_both::both;

use super::lost_password::{path, start_with_mail};
use super::{
    Browser, OFFICE, OWNER, PASSWORD, event_count, history, location, set_password, start,
};
use crate::http::Reply;

const NEW: &str = "olive@borealis.example";

fn ask(browser: &mut Browser<'_>, email: &str, current: &str) -> Reply {
    browser.post("/account/email", &[("email", email), ("current", current)])
}

#[both]
fn a_new_address_is_confirmed_by_its_mailbox_and_by_whoever_asked() {
    let (server, mails) = start_with_mail();
    set_password(&server, OFFICE, PASSWORD);
    let mut other = Browser::owner(&server);
    let mut browser = Browser::owner(&server);
    for (email, current, fault) in [
        (NEW, "wrong horse battery", "not your current password"),
        ("olive", PASSWORD, "The e-mail address"),
        ("", PASSWORD, "Enter an e-mail address."),
        (" Owner@ACME.example", PASSWORD, "That is your e-mail address already."),
    ] {
        let reply = ask(&mut browser, email, current);
        assert!(reply.status == 400 && reply.body.contains(fault), "{fault}: {reply:?}");
    }
    assert!(mails.is_empty());
    let asked = ask(&mut browser, NEW, PASSWORD);
    assert_eq!(location(&asked), "/account?done=email-sent");
    let mail = mails.next();
    assert!(mail.contains("To: olive@borealis.example") && !mail.contains("acme"), "{mail}");
    let link = path(&mail, &browser.origin());
    assert!(link.starts_with("/account/email/zoop_el_"), "{link}");

    // Whoever else opens the link, even the owner of the mailbox, changes nothing.
    let mut stranger = Browser::new(&server);
    let sent = format!("/sign-in?next={}", link.replace('/', "%2F"));
    assert_eq!(location(&stranger.get(&link)), sent);
    stranger.sign_in(OFFICE, PASSWORD);
    assert_eq!(stranger.get(&link).status, 410);
    assert_eq!(stranger.post(&link, &[]).status, 410);
    let page = browser.get(&link).body;
    assert!(page.contains(NEW) && page.contains("Change e-mail"), "{page}");
    assert!(browser.get("/account").body.contains(OWNER), "opening it changes nothing");

    let old = browser.cookies.clone();
    assert_eq!(location(&browser.post(&link, &[])), "/account?done=email");
    let page = browser.get("/account?done=email").body;
    assert!(page.contains("has been changed") && page.contains(NEW), "{page}");
    let notice = mails.next();
    assert!(notice.contains("To: owner@acme.example") && !notice.contains(NEW), "{notice}");
    assert!(!other.is_signed_in(), "other sessions end");
    let fresh = std::mem::replace(&mut browser.cookies, old);
    assert!(!browser.is_signed_in(), "the session's old secret no longer works");
    browser.cookies = fresh;
    assert_eq!(browser.post(&link, &[]).status, 410, "the link works once");
    assert_eq!(Browser::new(&server).sign_in(OWNER, PASSWORD).status, 403);
    assert_eq!(Browser::new(&server).sign_in(NEW, PASSWORD).status, 303);
    let entries = history(&server);
    let entry = entries.iter().find(|it| it["tool"] == "email_changed").expect("an entry");
    let change = &entry["changes"][0];
    assert_eq!((&change["old"], &change["new"]), (&json!(OWNER), &json!(NEW)), "{entry}");
    assert!(browser.get("/activity").body.contains("changed their e-mail address"));
    assert!(!server.log.text().contains("zoop_el_"));
}

#[both]
fn only_the_mailbox_learns_that_another_account_has_the_address() {
    let (server, mails) = start_with_mail();
    set_password(&server, OFFICE, PASSWORD);
    let mut browser = Browser::owner(&server);
    let free = ask(&mut browser, NEW, PASSWORD);
    let ended = path(&mails.next(), &browser.origin());
    let taken = ask(&mut browser, OFFICE, PASSWORD);
    assert_eq!((free.status, location(&free)), (taken.status, location(&taken)));
    let link = path(&mails.next(), &browser.origin());
    assert_eq!(browser.get(&ended).status, 410, "a later link ends the earlier one");
    let told = browser.post(&link, &[]);
    assert!(told.body.contains("Another account has this e-mail address."), "{told:?}");
    assert_eq!(browser.get(&link).status, 410, "the link is used up");
    assert_eq!(event_count(&server, "email_changed"), 0);
    assert_eq!(Browser::new(&server).sign_in(OFFICE, PASSWORD).status, 303);

    // It lasts half an hour, ends with a new password, and few are sent.
    ask(&mut browser, "later@borealis.example", PASSWORD);
    let link = path(&mails.next(), &browser.origin());
    server.env.clock.advance(30 * 60_000 - 1);
    assert_eq!(browser.get(&link).status, 200);
    server.env.clock.advance(1);
    assert_eq!(browser.get(&link).status, 410);
    ask(&mut browser, NEW, PASSWORD);
    let link = path(&mails.next(), &browser.origin());
    let fields = [
        ("current", PASSWORD),
        ("password", "another good phrase"),
        ("repeated", "another good phrase"),
    ];
    assert_eq!(browser.post("/account/password", &fields).status, 303);
    assert_eq!(browser.get(&link).status, 410);
    let last = ask(&mut browser, "2@acme.example", "another good phrase");
    assert_eq!(location(&last), "/account?done=email-sent");
    mails.next();
    let refused = ask(&mut browser, "3@acme.example", "another good phrase");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(mails.is_empty());
}

/// Somebody who accepted an invitation meant for another mailbox must not move the account out of its owner's reach.
#[both]
fn only_an_account_whose_mailbox_is_proved_gets_another_one() {
    let (server, mails) = start_with_mail();
    let account = server.business.account;
    let nadia = json!({ "name": "Nadia", "email": "nadia@acme.example", "role": "tech" });
    let made = server.env.call_as_operator(Some(account), "invitations.create", nadia);
    let invitation = made["path"].as_str().expect("a path");
    let mut claimer = Browser::new(&server);
    claimer.post(invitation, &[("password", PASSWORD), ("repeated", PASSWORD)]);
    let page = claimer.get("/account").body;
    assert!(!page.contains("action=\"/account/email\""), "{page}");
    assert!(page.contains("confirm this one with <a href=\"/sign-in/forgot\">"), "{page}");
    let refused = ask(&mut claimer, "eve@evil.example", PASSWORD);
    assert!(refused.status == 400 && refused.body.contains("Confirm your present"), "{refused:?}");
    assert!(mails.is_empty());

    let mut nadia = Browser::new(&server);
    nadia.post("/sign-in/forgot", &[("email", "nadia@acme.example")]);
    let link = path(&mails.next(), &nadia.origin());
    nadia.post(&link, &[("password", "a third phrase"), ("repeated", "a third phrase")]);
    assert!(nadia.get("/account").body.contains("action=\"/account/email\""));
    assert_eq!(location(&ask(&mut nadia, NEW, "a third phrase")), "/account?done=email-sent");
    let link = path(&mails.next(), &nadia.origin());
    assert_eq!(location(&nadia.post(&link, &[])), "/account?done=email");
}

#[both]
fn the_right_password_never_counts_as_a_wrong_one() {
    let (server, _mails) = start_with_mail();
    let mut browser = Browser::owner(&server);
    for _ in 0..11 {
        let reply = ask(&mut browser, OWNER, PASSWORD);
        assert!(reply.body.contains("That is your e-mail address already."), "{reply:?}");
    }
    server.env.clock.advance(60_000);
    for n in 0..5 {
        let reply = ask(&mut browser, &format!("{n}@acme.example"), PASSWORD);
        assert_eq!(location(&reply), "/account?done=email-sent");
    }
    server.env.clock.advance(60_000);
    for _ in 0..11 {
        assert_eq!(ask(&mut browser, NEW, PASSWORD).status, 429);
    }
    assert_eq!(Browser::new(&server).sign_in(OWNER, PASSWORD).status, 303, "nobody is locked out");
    // What was refused does not count for the next hour.
    server.env.clock.advance(59 * 60_000);
    assert_eq!(location(&ask(&mut browser, NEW, PASSWORD)), "/account?done=email-sent");
}

#[test]
fn without_mail_the_address_cannot_be_changed() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let page = browser.get("/account").body;
    assert!(!page.contains("action=\"/account/email\""), "{page}");
    assert!(page.contains("this server sends no mail"), "{page}");
    assert_eq!(ask(&mut browser, NEW, PASSWORD).status, 404);
}

/// The notice needs its turn among the mails, and then the mail server's answer. Neither holds up the page.
#[both]
fn no_page_waits_for_a_mail_server_that_does_not_answer() {
    let (server, mails) = start_with_mail();
    server.env.empty_business("Borealis");
    let mut browser = Browser::owner(&server);
    ask(&mut browser, NEW, PASSWORD);
    let link = path(&mails.next(), &browser.origin());
    let silence = mails.silence();
    let forgot = |email: &str| Browser::new(&server).post("/sign-in/forgot", &[("email", email)]);
    for email in [
        OFFICE,
        "tech@acme.example",
        "owner@borealis.example",
        "office@borealis.example",
        "tech@borealis.example",
    ] {
        assert_eq!(forgot(email).status, 200);
    }
    assert!(server.log.text().contains("too many mails"), "no mail has its turn now");

    assert_eq!(location(&browser.post(&link, &[])), "/account?done=email");
    assert!(!server.log.text().contains("could not be sent"), "nothing has timed out");
    drop(silence);
    while !mails.next().contains("To: owner@acme.example") {}
}
