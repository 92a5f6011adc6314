//! Invitations: the link, and who can use it.

use serde_json::json;
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{Browser, OFFICE, PASSWORD, between, event_count, location, set_password, start};
use crate::server::Server;

const DAY: i64 = 24 * 60 * 60 * 1_000;
const NEW: &str = "new@acme.example";

/// Creates an invitation with the tool. Returns the link's path and the invitation's id.
fn invite(server: &Server, email: &str, role: &str) -> (String, String) {
    let who = json!({ "name": "Nadia New", "email": email, "role": role });
    let made =
        server.env.call_as_operator(Some(server.business.account), "invitations.create", who);
    let text = |key: &str| made[key].as_str().expect("a string").to_owned();
    (text("path"), text("invitation_id"))
}

fn choose(browser: &mut Browser<'_>, path: &str, password: &str) -> crate::http::Reply {
    browser.post(path, &[("password", password), ("repeated", password)])
}

/// The page after joining a business.
pub(super) fn joined_page(business: impl std::fmt::Display) -> String {
    format!("/?done=joined&business={business}")
}

#[both]
fn a_new_user_chooses_a_password_and_is_signed_in() {
    let server = start();
    let (path, _) = invite(&server, NEW, "office");
    let mut browser = Browser::new(&server);
    let page = browser.get(&path);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.body.contains("Join <bdi>Acme</bdi>") && page.body.contains("office"),
        "{}",
        page.body
    );
    for (password, fault) in [("short", "longer"), (NEW, "too common")] {
        let reply = choose(&mut browser, &path, password);
        assert_eq!(reply.status, 400);
        assert!(reply.body.contains(fault), "{}", reply.body);
    }
    let differing = [("password", PASSWORD), ("repeated", "something else")];
    assert_eq!(browser.post(&path, &differing).status, 400);
    let joined = choose(&mut browser, &path, PASSWORD);
    assert_eq!(location(&joined), joined_page(server.business.account.id));
    let page = browser.get(location(&joined)).body;
    assert!(page.contains("You have joined <bdi>Acme</bdi>."), "{page}");
    assert!(page.contains("Nadia New") && page.contains("Search customers"), "{page}");
    assert_eq!(event_count(&server, "invitation_accepted"), 1);
    assert_eq!(Browser::new(&server).sign_in(NEW, PASSWORD).status, 303);

    let mut second = Browser::new(&server);
    for reply in [second.get(&path), choose(&mut second, &path, "another password")] {
        assert_eq!(reply.status, 410);
        assert!(reply.body.contains("already been accepted"), "{}", reply.body);
    }
    assert_eq!(Browser::new(&server).sign_in(NEW, "another password").status, 403);
    assert!(!server.log.text().contains("zoop_in_"), "no link in the log");
}

#[both]
fn a_known_user_must_sign_in_to_accept_and_no_one_else_can() {
    let server = start();
    let other = server.env.empty_business("Borealis");
    let who = json!({ "name": "Oscar", "email": "OFFICE@acme.example", "role": "tech" });
    let made = server.env.call_as_operator(Some(other.account), "invitations.create", who);
    let path = made["path"].as_str().expect("a path").to_owned();

    // With or without a password, the user has to sign in: the inviter must not be able to set a password for them.
    let mut browser = Browser::new(&server);
    let leads_to_sign_in = |browser: &mut Browser<'_>| {
        let reply = choose(browser, &path, "a thief's password");
        let sign_in = location(&reply).to_owned();
        assert!(sign_in.starts_with("/sign-in?next=%2Finvitations%2Fzoop_in_"), "{sign_in}");
    };
    leads_to_sign_in(&mut browser);
    set_password(&server, OFFICE, PASSWORD);
    leads_to_sign_in(&mut browser);

    let mut owner = Browser::owner(&server);
    assert!(owner.get(&path).body.contains("signed in as someone else"));
    assert_eq!(owner.post(&path, &[]).status, 400, "the invitation is not for the owner");

    let fields = [("email", OFFICE), ("password", PASSWORD), ("next", path.as_str())];
    assert_eq!(location(&browser.post("/sign-in", &fields)), path);
    let joined = browser.post(&path, &[]);
    assert_eq!(location(&joined), joined_page(other.account.id), "of the two businesses");
    assert!(browser.get(location(&joined)).body.contains("You have joined <bdi>Borealis</bdi>."));
    let page = browser.get("/account").body;
    assert!(page.contains("Acme") && page.contains("Borealis"), "{page}");
    assert_eq!(browser.post(&path, &[]).status, 410);
}

#[both]
fn the_page_does_not_reveal_whether_the_user_is_known() {
    let server = start();
    set_password(&server, OFFICE, PASSWORD);
    let other = server.env.empty_business("Borealis").account;
    let page = |email: &str| {
        let who = json!({ "name": "Nadia", "email": email, "role": "tech" });
        let made = server.env.call_as_operator(Some(other), "invitations.create", who);
        let path = made["path"].as_str().expect("a path").to_owned();
        let reply = Browser::new(&server).get(&path);
        assert_eq!(reply.status, 200, "{reply:?}");
        let token = path.strip_prefix("/invitations/").expect("a token");
        reply.body.replace(token, "TOKEN").replace(email, "EMAIL")
    };
    let new = page(NEW);
    assert!(new.contains("Already have an account?"), "{new}");
    assert_eq!(page(OFFICE), new, "with a password");
    assert_eq!(page("tech@acme.example"), new, "without one");
}

#[both]
fn another_business_does_not_trust_an_unproved_mailbox() {
    let server = start();
    let (path, _) = invite(&server, NEW, "office");
    let mut claimer = Browser::new(&server);
    let joined = choose(&mut claimer, &path, PASSWORD);
    assert_eq!(location(&joined), joined_page(server.business.account.id));
    let other = server.env.empty_business("Borealis").account;
    let who = json!({ "name": "Nadia", "email": NEW, "role": "owner" });
    let made = server.env.call_as_operator(Some(other), "invitations.create", who.clone());
    let path = made["path"].as_str().expect("a path").to_owned();
    let refused = claimer.post(&path, &[]);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("First confirm that this e-mail address is yours"));
    let added = server.env.call_as_operator(Some(other), "users.create", who);
    assert!(added["waiting"].is_string(), "{added}");
    assert!(!claimer.get("/account").body.contains("Borealis"));
    assert_eq!(claimer.get(&format!("/team?business={}", other.id)).status, 404);

    set_password(&server, NEW, "another phrase");
    assert!(!claimer.is_signed_in());
    let mut person = Browser::new(&server);
    person.sign_in(NEW, "another phrase");
    assert_eq!(person.get(&format!("/team?business={}", other.id)).status, 200);
}

#[both]
fn a_link_ends_when_it_is_revoked_replaced_or_too_old() {
    let server = start();
    let mut browser = Browser::new(&server);
    let account = Some(server.business.account);
    let gone = |browser: &mut Browser<'_>, path: &str, word: &str| {
        for reply in [browser.get(path), choose(browser, path, PASSWORD)] {
            assert_eq!(reply.status, 410, "{reply:?}");
            assert!(reply.body.contains(word), "{}", reply.body);
        }
    };
    let (path, id) = invite(&server, NEW, "tech");
    server.env.call_as_operator(account, "invitations.revoke", json!({ "id": id }));
    gone(&mut browser, &path, "was revoked");

    let (first, _) = invite(&server, NEW, "tech");
    let (second, _) = invite(&server, "NEW@acme.example", "tech");
    gone(&mut browser, &first, "was revoked");
    assert_eq!(browser.get(&second).status, 200);

    server.env.clock.advance(7 * DAY);
    gone(&mut browser, &second, "has expired");
    for unknown in ["/invitations/x", "/invitations/zoop_in_x"] {
        assert_eq!(browser.get(unknown).status, 404);
    }
}

#[both]
fn an_ended_invitation_is_deleted_long_after() {
    let server = start();
    let (path, _) = invite(&server, NEW, "tech");
    let sweep = || server.env.sweep();
    let mut browser = Browser::new(&server);
    server.env.clock.advance(97 * DAY);
    sweep();
    assert_eq!(browser.get(&path).status, 410);
    server.env.clock.advance(1_000);
    sweep();
    assert_eq!(browser.get(&path).status, 404);
}

#[both]
fn only_one_of_concurrent_acceptances_succeeds() {
    let server = start();
    let (path, _) = invite(&server, NEW, "tech");
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let accept = |n: u8| {
            let (server, path) = (&server, &path);
            scope.spawn(move || {
                let mut browser = Browser::at(server, &format!("198.51.100.{n}"));
                choose(&mut browser, path, &format!("{PASSWORD} {n}")).status
            })
        };
        let all: Vec<_> = (0..6).map(accept).collect();
        all.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses[0], 303, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| matches!(status, 400 | 410)), "{statuses:?}");
    assert_eq!(event_count(&server, "invitation_accepted"), 1);
}

#[both]
fn an_invitation_is_valid_while_its_inviter_is_an_owner() {
    let server = start();
    let account = Some(server.business.account);
    set_password(&server, OFFICE, PASSWORD);
    let id = Business::user(&server.business.office);
    let set_role = |role: &str| {
        server.env.call_as_operator(account, "users.set_role", json!({ "id": id, "role": role }));
    };
    set_role("owner");
    let mut maker = Browser::new(&server);
    assert_eq!(maker.sign_in(OFFICE, PASSWORD).status, 303);
    let business = server.business.account.id.to_string();
    let fields =
        [("business", business.as_str()), ("name", "N"), ("email", NEW), ("role", "owner")];
    let page = maker.post("/team/invite", &fields);
    let link = between(&page.body, "id=\"link\">", "<");
    let path = link.strip_prefix(&maker.origin()).expect("a link of ours").to_owned();
    let mut invited = Browser::at(&server, "198.51.100.7");
    assert_eq!(invited.get(&path).status, 200);
    for role in ["office", "tech"] {
        set_role(role);
        for reply in [invited.get(&path), choose(&mut invited, &path, PASSWORD)] {
            assert_eq!(reply.status, 410, "{reply:?}");
        }
    }
    server.env.call_as_operator(account, "users.remove", json!({ "id": id }));
    assert_eq!(choose(&mut invited, &path, PASSWORD).status, 410);
    assert_eq!(event_count(&server, "invitation_accepted"), 0);
}
