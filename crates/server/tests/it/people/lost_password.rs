//! Lost passwords: a reset link by mail or from an owner.

use serde_json::json;
use zoop_both::both;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::testing::Business;

use super::invitations::joined_page;
use super::{
    Browser, OFFICE, OWNER, PASSWORD, between, code, event_count, location, set_password, start,
};
use crate::http::Reply;
use crate::mail::MailServer;
use crate::server::{Server, wait_until};

const NEW_PASSWORD: &str = "another good phrase";
const MINUTE: i64 = 60_000;

/// A server that sends mail, and the mail server.
pub(super) fn start_with_mail() -> (Server, MailServer) {
    let mails = MailServer::start();
    let mailer = mails.mailer();
    let server = Server::start_with(
        |settings| {
            settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
            settings.mail = Some(mailer);
        },
        None,
    );
    set_password(&server, OWNER, PASSWORD);
    (server, mails)
}

fn ask(browser: &mut Browser<'_>, email: &str) -> Reply {
    browser.post("/sign-in/forgot", &[("email", email)])
}

/// The path of a mail's link.
pub(super) fn path(mail: &str, origin: &str) -> String {
    let (_, link) = mail.split_once(origin).unwrap_or_else(|| panic!("no link: {mail}"));
    link.split(|c: char| c.is_whitespace() || c == '"').next().expect("a link").to_owned()
}

fn choose(browser: &mut Browser<'_>, path: &str, password: &str) -> Reply {
    browser.post(path, &[("password", password), ("repeated", password)])
}

#[both]
fn a_lost_password_is_reset_by_a_mailed_link() {
    let (server, mails) = start_with_mail();
    let mut browser = Browser::new(&server);
    assert!(browser.get("/sign-in").body.contains("href=\"/sign-in/forgot\""));
    let mut thief = Browser::owner(&server);
    let owner = Business::user(&server.business.owner);
    let scopes = Scopes::of(Scope::GRANTABLE);
    let (_, tokens) = server.env.connect(server.business.account, owner, scopes);

    let known = ask(&mut browser, " Owner@ACME.example ");
    let unknown = ask(&mut browser, "nobody@acme.example");
    assert_eq!((known.status, &known.body), (200, &unknown.body), "the same answer");
    let mail = mails.next();
    for line in ["Message-ID: <", "Date: ", "To: owner@acme.example", "30 minutes", "text/html"] {
        assert!(mail.contains(line), "{line}: {mail}");
    }
    assert!(!mail.contains("Olive") && !mail.contains("Acme"), "nothing but the link: {mail}");
    let path = path(&mail, &browser.origin());
    assert!(path.starts_with("/password/zoop_pl_"), "{path}");
    assert!(browser.get(&path).body.contains(OWNER));
    let differing = [("password", NEW_PASSWORD), ("repeated", "something else")];
    assert!(browser.post(&path, &differing).body.contains("do not match"));
    assert_eq!(choose(&mut browser, &path, "short").status, 400);
    assert!(thief.is_signed_in(), "nothing has ended so far");
    let reply = choose(&mut browser, &path, NEW_PASSWORD);
    assert_eq!(location(&reply), "/account?done=new-password");
    assert!(browser.get("/account?done=new-password").body.contains("You have a new password"));
    assert!(!thief.is_signed_in(), "sessions have ended");
    assert!(
        server.env.authenticate(tokens.access.expose()).is_err(),
        "programs are disconnected too"
    );
    assert_eq!(choose(&mut browser, &path, "a third phrase").status, 410, "the link works once");
    assert_eq!(Browser::new(&server).sign_in(OWNER, PASSWORD).status, 403);
    assert_eq!(Browser::new(&server).sign_in(OWNER, NEW_PASSWORD).status, 303);
    assert!(mails.is_empty(), "nothing went to the address that is not known");
    assert_eq!(event_count(&server, "password_link_sent"), 1);
    assert!(!server.log.text().contains("zoop_pl_"));
}

#[both]
fn a_mailed_link_lasts_half_an_hour_and_few_are_sent() {
    let (server, mails) = start_with_mail();
    let mut browser = Browser::new(&server);
    ask(&mut browser, OWNER);
    let first = path(&mails.next(), &browser.origin());
    server.env.clock.advance(30 * MINUTE - 1);
    assert_eq!(browser.get(&first).status, 200);
    server.env.clock.advance(1);
    assert_eq!(browser.get(&first).status, 410);
    for _ in 0..2 {
        assert_eq!(ask(&mut browser, OWNER).status, 200);
        mails.next();
    }
    assert_eq!(ask(&mut browser, OWNER).status, 200, "the same answer");
    ask(&mut browser, "nobody@acme.example");
    assert_eq!(event_count(&server, "password_link_sent"), 3, "three an hour");
    for _ in 0..5 {
        assert_eq!(ask(&mut browser, "nobody@acme.example").status, 200);
    }
    assert_eq!(ask(&mut browser, "nobody@acme.example").status, 429, "ten an hour from one caller");
    let mut other = Browser::at(&server, "198.51.100.7");
    assert_eq!(ask(&mut other, "nobody@acme.example").status, 200);
    assert!(mails.is_empty());
}

#[both]
fn a_mailed_link_works_despite_a_lock_out() {
    let (server, mails) = start_with_mail();
    for n in 0..10 {
        let mut browser = Browser::at(&server, &format!("198.51.100.{n}"));
        browser.sign_in(OWNER, "wrong horse battery");
    }
    let mut browser = Browser::new(&server);
    assert_eq!(browser.sign_in(OWNER, PASSWORD).status, 429);
    ask(&mut browser, OWNER);
    let path = path(&mails.next(), &browser.origin());
    assert_eq!(choose(&mut browser, &path, NEW_PASSWORD).status, 303);
    assert_eq!(Browser::new(&server).sign_in(OWNER, NEW_PASSWORD).status, 303);
}

/// Claims Nadia's account with an invitation's link: chooses her password, and sets up a second factor.
fn claim_account(server: &Server) -> Browser<'_> {
    let made = server.env.call_as_operator(
        Some(server.business.account),
        "invitations.create",
        json!({ "name": "Nadia", "email": "nadia@acme.example", "role": "tech" }),
    );
    let invitation = made["path"].as_str().expect("a path");
    let mut claimer = Browser::new(server);
    choose(&mut claimer, invitation, PASSWORD);
    let page = claimer.post("/account/second-factor", &[("current", PASSWORD)]);
    let letters = between(&page.body, "id=\"secret\">", "<");
    let now = zoop_crm::values::clock::Clock::now(&*server.env.clock);
    let shown =
        zoop_crm::identity::sign_in::second_factor::code_from_base32(letters, now).expect("a code");
    claimer.post("/account/second-factor/confirm", &[("code", &shown)]);
    claimer
}

#[both]
fn proving_the_mailbox_ends_everything_set_up_before() {
    let (server, mails) = start_with_mail();
    let mut claimer = claim_account(&server);
    let other = server.env.empty_business("Borealis");
    let nadia = json!({ "name": "Nadia", "email": "nadia@acme.example", "role": "owner" });
    server.env.call_as_operator(Some(other.account), "users.create", nadia);

    let mut person = Browser::new(&server);
    ask(&mut person, "nadia@acme.example");
    let path = path(&mails.next(), &person.origin());
    assert!(person.get(&path).body.contains("second factor is turned off"), "the page says so");
    assert_eq!(location(&choose(&mut person, &path, NEW_PASSWORD)), "/account?done=new-password");
    assert!(!claimer.is_signed_in());
    assert_eq!(event_count(&server, "second_factor_off"), 1, "the history records it");
}

#[both]
fn the_first_mailed_link_keeps_the_second_factor_if_no_membership_waits() {
    let (server, mails) = start_with_mail();
    let mut claimer = claim_account(&server);
    let mut thief = Browser::new(&server);
    ask(&mut thief, "nadia@acme.example");
    let path = path(&mails.next(), &thief.origin());
    assert!(!thief.get(&path).body.contains("second factor is turned off"));
    assert_eq!(location(&choose(&mut thief, &path, NEW_PASSWORD)), "/sign-in/second-factor");
    assert!(!thief.is_signed_in() && !claimer.is_signed_in());
    assert_eq!(event_count(&server, "second_factor_off"), 0);
}

#[both]
fn a_mailed_invitation_asks_an_unverified_user_for_their_second_factor() {
    let (server, mails) = start_with_mail();
    let _claimer = claim_account(&server);
    let mut owner = Browser::owner(&server);
    let other = server.env.empty_business("Borealis");
    let dana = json!({ "name": "Dana", "email": OWNER, "role": "owner" });
    server.env.call_as_operator(Some(other.account), "users.create", dana);
    let business = other.account.id.to_string();
    owner.post(
        "/team/invite",
        &[
            ("business", &business),
            ("name", "Nadia"),
            ("email", "nadia@acme.example"),
            ("role", "tech"),
        ],
    );
    let mut person = Browser::new(&server);
    let path = path(&mails.next(), &person.origin());
    assert_eq!(
        location(&choose(&mut person, &path, NEW_PASSWORD)),
        format!("/sign-in/second-factor?next=%2F%3Fdone%3Djoined%26business%3D{business}")
    );
    assert!(!person.is_signed_in());
    assert_eq!(event_count(&server, "second_factor_off"), 0);
}

#[both]
fn a_verified_users_second_factor_survives_a_mailed_link() {
    let (server, mails) = start_with_mail();
    let mut owner = Browser::owner(&server);
    owner.post("/account/second-factor", &[("current", PASSWORD)]);
    let first = code(&server, &server.business.owner);
    assert_eq!(owner.post("/account/second-factor/confirm", &[("code", &first)]).status, 200);
    server.env.clock.advance(MINUTE);

    let mut browser = Browser::new(&server);
    ask(&mut browser, OWNER);
    let path = path(&mails.next(), &browser.origin());
    assert_eq!(location(&choose(&mut browser, &path, NEW_PASSWORD)), "/sign-in/second-factor");
    assert!(!browser.is_signed_in(), "the code is still asked for");
    let shown = code(&server, &server.business.owner);
    assert_eq!(browser.post("/sign-in/second-factor", &[("code", &shown)]).status, 303);
    assert!(browser.is_signed_in());
}

#[both]
fn an_owner_creates_a_link_for_a_colleague_who_lost_password_and_second_factor() {
    let server = start();
    set_password(&server, OFFICE, PASSWORD);
    let mut office = Browser::new(&server);
    office.sign_in(OFFICE, PASSWORD);
    office.post("/account/second-factor", &[("current", PASSWORD)]);
    let first = code(&server, &server.business.office);
    office.post("/account/second-factor/confirm", &[("code", &first)]);
    server.env.clock.advance(MINUTE);

    let mut owner = Browser::owner(&server);
    assert!(owner.get("/sign-in?again=1").body.contains("Ask an owner of your business"));
    assert_eq!(owner.get("/sign-in/forgot").status, 404, "no mail server is set");
    let business = server.business.account.id.to_string();
    let user = Business::user(&server.business.office).to_string();
    let make = |owner: &mut Browser<'_>, more: &[(&str, &str)]| {
        let mut fields = vec![("business", business.as_str()), ("user", &user), ("email", OFFICE)];
        fields.extend(more);
        let page = owner.post("/team/password-link", &fields);
        assert_eq!(page.status, 200, "{page:?}");
        let link = between(&page.body, "id=\"link\">", "<");
        link.strip_prefix(&owner.origin()).expect("our own address").to_owned()
    };
    let plain = make(&mut owner, &[]);
    let resetting = make(&mut owner, &[("second_factor", "yes")]);
    assert!(!owner.get("/team").body.contains("zoop_pl_"), "shown once");
    let mut back = Browser::new(&server);
    assert_eq!(back.get(&plain).status, 410, "a later link ends the earlier one");
    assert!(back.get(&resetting).body.contains("second factor is turned off"));
    assert_eq!(
        location(&choose(&mut back, &resetting, NEW_PASSWORD)),
        "/account?done=new-password"
    );
    assert!(!office.is_signed_in());
    assert!(back.is_signed_in());
    assert_eq!(event_count(&server, "users.password_link"), 2);
    assert_eq!(event_count(&server, "second_factor_off"), 1);

    let kept = make(&mut owner, &[]);
    server.env.clock.advance(24 * 60 * MINUTE);
    assert_eq!(back.get(&kept).status, 410, "the link lasts a day");
}

#[both]
fn a_mailed_invitation_is_not_shown_and_proves_the_mailbox() {
    let (server, mails) = start_with_mail();
    let mut owner = Browser::owner(&server);
    let business = server.business.account.id.to_string();
    let invite = |owner: &mut Browser<'_>, name: &str, email: &str| {
        let fields =
            [("business", business.as_str()), ("name", name), ("email", email), ("role", "office")];
        owner.post("/team/invite", &fields).body
    };
    let page = invite(&mut owner, "Nadia", "nadia@acme.example");
    assert!(page.contains("was sent to <bdi>nadia@acme.example</bdi>"), "{page}");
    assert!(!page.contains("zoop_in_"), "{page}");
    let mail = mails.next();
    assert!(mail.contains("Hello Nadia,") && mail.contains("Join Acme on Zoop"), "{mail}");
    let path = path(&mail, &owner.origin());
    let mut nadia = Browser::new(&server);
    let joined = choose(&mut nadia, &path, PASSWORD);
    assert_eq!(location(&joined), joined_page(&business));
    let proved = server.env.read(|tx| {
        let user = zoop_crm::identity::sign_in::user::find(tx, "nadia@acme.example")?;
        zoop_crm::identity::sign_in::user::is_proved(tx, user.id)
    });
    assert!(proved.expect("an answer"));

    invite(&mut owner, "Visit www.evil.example now", "other@acme.example");
    let mail = mails.next();
    assert!(!mail.contains("evil"), "text that is not a name is not repeated: {mail}");
    for _ in 0..4 {
        invite(&mut owner, "O", "other@acme.example");
        mails.next();
    }
    let page = invite(&mut owner, "O", "other@acme.example");
    assert!(page.contains("Too many invitations were sent today"), "{page}");
    assert!(page.contains("zoop_in_"), "the owner sends it: {page}");
    wait_until("no more mail goes out", || mails.is_empty());
}
