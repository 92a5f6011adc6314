//! The page of a user's own account.

use zoop_both::both;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::testing::Business;

use super::buttons::buttons;
use super::{
    Browser, OFFICE, OWNER, PASSWORD, between, event_count, form, location, set_password, start,
};
use crate::http;

const NEW: &str = "quite another phrase";

fn change(
    browser: &mut Browser<'_>,
    current: &str,
    new: &str,
    repeated: &str,
) -> crate::http::Reply {
    let fields = [("current", current), ("password", new), ("repeated", repeated)];
    browser.post("/account/password", &fields)
}

#[both]
fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let server = start();
    let mut other = Browser::owner(&server);
    let mut browser = Browser::owner(&server);
    for (current, new, repeated, fault) in [
        ("wrong horse battery", NEW, NEW, "not your current password"),
        (PASSWORD, NEW, "something else", "do not match"),
        (PASSWORD, "short", "short", "longer password"),
        (PASSWORD, "Password123", "Password123", "too common"),
        (PASSWORD, OWNER, OWNER, "too common"),
    ] {
        let reply = change(&mut browser, current, new, repeated);
        assert_eq!(reply.status, 400, "{fault}");
        assert!(reply.body.contains(fault), "{fault}: {}", reply.body);
    }
    let before = browser.cookies.clone();
    assert!(other.is_signed_in());
    let reply = change(&mut browser, PASSWORD, NEW, NEW);
    assert_eq!(location(&reply), "/account?done=password");
    assert!(browser.get("/account?done=password").body.contains("Your password has been changed"));
    assert!(!other.is_signed_in());
    let fresh = std::mem::replace(&mut browser.cookies, before);
    assert!(!browser.is_signed_in(), "the session's old secret should no longer work");
    browser.cookies = fresh;
    assert!(browser.is_signed_in());
    assert_eq!(Browser::new(&server).sign_in(OWNER, PASSWORD).status, 403);
    assert_eq!(Browser::new(&server).sign_in(OWNER, NEW).status, 303);
    assert_eq!(event_count(&server, "password_set"), 2, "by the command line and on this page");
}

#[both]
fn a_user_changes_their_name_in_every_business() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let rename = |browser: &mut Browser<'_>, name| browser.post("/account/name", &[("name", name)]);
    for blank in ["", " ", "\u{200b}"] {
        let reply = rename(&mut browser, blank);
        assert!(reply.status == 400 && reply.body.contains("Enter a name."), "{reply:?}");
    }
    let long = "W".repeat(257);
    let refused = rename(&mut browser, &long);
    assert!(refused.status == 400 && refused.body.contains("The name must"), "{refused:?}");
    assert_eq!(event_count(&server, "name_changed"), 0);
    let reply = rename(&mut browser, " Olive <b>Oyl</b> ");
    assert_eq!(location(&reply), "/account?done=name");
    let shown = "Olive &#60;b&#62;Oyl&#60;/b&#62;";
    let page = browser.get("/account?done=name").body;
    assert!(page.contains("Your name has been changed.") && page.contains(shown), "{page}");
    let team = browser.get("/team").body;
    assert!(team.contains(&format!("<bdi>{shown}</bdi>")), "{team}");
    assert_eq!(event_count(&server, "name_changed"), 1);
    rename(&mut browser, "Olive <b>Oyl</b>");
    assert_eq!(event_count(&server, "name_changed"), 1, "it was the name already");
    let activity = browser.get("/activity").body;
    assert!(activity.contains("changed their name"), "{activity}");
}

#[both]
fn guessing_the_old_password_in_a_session_counts_like_signing_in() {
    let server = start();
    let mut browser = Browser::owner(&server);
    for n in 0..10 {
        server.env.clock.advance(5_000);
        assert_eq!(change(&mut browser, "wrong horse", NEW, NEW).status, 400, "{n}");
    }
    // 80 seconds have passed, so the limit on requests per minute is not what refuses this one.
    server.env.clock.advance(30_000);
    assert_eq!(change(&mut browser, PASSWORD, NEW, NEW).status, 429);
    // Other browsers are not refused: wrong passwords from a browser that the user has signed in with before count
    // only for that browser.
    assert_eq!(Browser::at(&server, "198.51.100.1").sign_in(OWNER, PASSWORD).status, 303);
}

#[both]
fn a_password_set_by_the_command_line_ends_every_session() {
    let server = start();
    let mut browser = Browser::owner(&server);
    assert!(browser.is_signed_in());
    set_password(&server, OWNER, NEW);
    assert!(!browser.is_signed_in());
}

#[both]
fn sessions_are_listed_and_ended_one_by_one_or_all_but_this() {
    let server = start();
    set_password(&server, OFFICE, PASSWORD);
    let mut first = Browser::at(&server, "198.51.100.1");
    first.sign_in(OWNER, PASSWORD);
    let mut second = Browser::owner(&server);
    let mut third = Browser::owner(&server);
    let page = third.get("/account").body;
    assert!(page.contains("Test Browser 1.0") && page.contains("198.51.100.1"), "{page}");
    assert_eq!(page.matches("This browser.").count(), 1);

    let mut other_user = Browser::new(&server);
    other_user.sign_in(OFFICE, PASSWORD);
    // The oldest session is listed last.
    let id = page.rsplit("name=\"session\" value=\"").next().expect("one");
    let id = id.split('"').next().expect("its end").to_owned();
    let foreign = other_user.post("/account/sessions/end", &[("session", &id)]);
    assert_eq!(foreign.status, 404, "another user's session");
    assert!(first.is_signed_in());
    let reply = third.post("/account/sessions/end", &[("session", &id)]);
    assert_eq!(location(&reply), "/account?done=session");
    assert!(!first.is_signed_in());
    assert!(second.is_signed_in());
    assert_eq!(third.post("/account/sessions/end", &[("session", "x")]).status, 400);

    let reply = third.post("/account/sessions/end-others", &[]);
    assert_eq!(location(&reply), "/account?done=sessions");
    assert!(!second.is_signed_in() && third.is_signed_in() && other_user.is_signed_in());
    assert_eq!(event_count(&server, "session_ended"), 2);
    let page = third.get("/account").body;
    assert_eq!(between(&page, "<h2>Sessions</h2>", "</ul>").matches("<li>").count(), 1);
}

#[both]
fn the_newest_sessions_are_shown_first_and_the_browsers_are_named() {
    let server = start();
    let mut first = Browser::owner(&server);
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Safari/537.36";
    for n in 1..=11 {
        server.env.clock.advance(60_000);
        let (address, origin) = (format!("198.51.100.{n}"), first.origin());
        let headers = [
            ("X-Forwarded-For", address.as_str()),
            ("User-Agent", agent),
            ("Origin", &origin),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let body = form(&[("email", OWNER), ("password", PASSWORD)]);
        let signed_in = http::request(server.public, "POST", "/sign-in", &headers, body.as_bytes());
        assert_eq!(signed_in.status, 303);
    }
    let page = first.get("/account").body;
    let shown = between(&page, "<h2>Sessions</h2>", "</ul>");
    let at = |address: &str| shown.find(address).unwrap_or_else(|| panic!("{address}: {shown}"));
    assert_eq!(shown.matches("<li>").count(), 8, "{shown}");
    // Of the eight, one is this browser. Each of the others is named twice: in its text and on its button.
    assert_eq!(shown.matches("Chrome on Windows").count(), 2 * 7, "{shown}");
    let newest = "<time datetime=\"2026-06-13T18:11:00.000Z\" title=\"Saturday, June 13, 2026, 6:11:00 PM \
                  UTC\">Jun 13, 2026, 6:11 PM UTC <span class=\"ago\">(just now)</span></time>";
    assert!(shown.contains(newest), "{shown}");
    assert!(!shown.contains("Mozilla") && !shown.contains("198.51.100.4."), "{shown}");
    assert!(
        at("This browser.") < at("198.51.100.11.") && at("198.51.100.11.") < at("198.51.100.5.")
    );
    let more = between(&page, "<summary>4 more</summary>", "</details>");
    assert_eq!(more.matches("<li>").count(), 4, "{more}");
}

#[both]
fn the_address_for_programs_is_shown() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let address = format!("id=\"mcp-address\">{}/api/mcp<", browser.origin());
    assert!(browser.get("/account").body.contains(&address));
}

#[both]
fn connected_programs_are_listed_and_disconnected_by_their_user() {
    let server = start();
    set_password(&server, OFFICE, PASSWORD);
    let scopes = Scopes::of(Scope::GRANTABLE);
    let user = Business::user(&server.business.owner);
    let (grant, _) = server.env.connect(server.business.account, user, scopes);
    let mut owner = Browser::owner(&server);
    let page = owner.get("/account").body;
    let listed = between(&page, "<h2>Connected programs</h2>", "</ul>");
    assert!(listed.contains("for <bdi>Acme</bdi>"), "{listed}");
    // The scopes are listed in the words of the consent page.
    let given = "read customers, change customers, read notes, write notes";
    assert!(listed.contains(given) && !listed.contains("write:notes"), "{listed}");
    assert!(listed.contains("<time datetime=\""), "{listed}");
    let id = grant.to_string();
    let mut office = Browser::new(&server);
    office.sign_in(OFFICE, PASSWORD);
    assert!(office.get("/account").body.contains("None yet."));
    let foreign = office.post("/account/programs/disconnect", &[("program", &id)]);
    assert_eq!(foreign.status, 404);
    let question_path = format!("/account/programs/disconnect?program={id}");
    let asks = |page: &str| buttons(page).iter().any(|it| it.address == question_path);
    assert!(asks(listed), "{listed}");
    assert_eq!(office.get(&question_path).status, 404);
    assert_eq!(owner.get("/account/programs/disconnect?program=x").status, 404);
    let question = owner.get(&question_path).body;
    let name = between(listed, "<strong>", "</strong>");
    assert!(question.contains(&format!("Disconnect {name}?")), "{question}");
    assert!(question.contains("<bdi>Acme</bdi>") && question.contains("Cancel"), "{question}");
    assert!(asks(&owner.get("/account").body), "asking disconnects nothing");
    let reply = owner.post("/account/programs/disconnect", &[("program", &id)]);
    assert_eq!(location(&reply), "/account?done=program");
    assert!(owner.get("/account").body.contains("None yet."));
    assert_eq!(owner.get(&question_path).status, 404);
    assert_eq!(event_count(&server, "grant_revoked"), 1);
}
