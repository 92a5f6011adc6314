//! The second factor, from setup to loss.

use zoop_both::both;
use zoop_crm::identity::sign_in::second_factor;
use zoop_crm::identity::sign_in::user::Initiator;
use zoop_crm::testing::Business;

use super::buttons::buttons;
use super::{Browser, OWNER, PASSWORD, between, code, event_count, location, start};
use crate::server::Server;

const STEP: i64 = 30_000;

/// Turns the second factor on for the owner, and returns the recovery codes.
fn turn_on(server: &Server) -> Vec<String> {
    let mut browser = Browser::owner(server);
    let page = browser.post("/account/second-factor", &[("current", PASSWORD)]);
    assert_eq!(page.status, 200, "{page:?}");
    let code = code(server, &server.business.owner);
    let page = browser.post("/account/second-factor/confirm", &[("code", &code)]);
    assert_eq!(page.status, 200, "{page:?}");
    let codes: Vec<_> = page
        .body
        .split("<code>")
        .skip(1)
        .map(|it| it.split('<').next().expect("a code").to_owned())
        .collect();
    assert_eq!(codes.len(), 10, "{}", page.body);
    // The current code has been used.
    server.env.clock.advance(STEP);
    codes
}

fn try_code(browser: &mut Browser<'_>, code: &str) -> crate::http::Reply {
    browser.post("/sign-in/second-factor", &[("code", code)])
}

#[both]
fn it_is_set_up_with_the_password_and_a_first_code() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let refused = browser.post("/account/second-factor", &[("current", "wrong horse")]);
    assert_eq!(refused.status, 400);
    let confirm = browser.post("/account/second-factor/confirm", &[("code", "123456")]);
    assert_eq!(confirm.status, 400, "no setup was begun");
    let page = browser.post("/account/second-factor", &[("current", PASSWORD)]).body;
    let letters = between(&page, "id=\"secret\">", "<").replace(' ', "");
    assert_eq!(letters.len(), 32, "{letters}");
    let link = between(&page, "id=\"otpauth\" href=\"", "\"").replace("&#38;", "&");
    let expected = format!("otpauth://totp/Zoop:owner%40acme.example?secret={letters}&issuer=Zoop");
    assert_eq!(link, expected);
    assert!(page.contains("<svg class=\"qr\"") && page.contains("h1v1h-1z"));
    let wrong = browser.post("/account/second-factor/confirm", &[("code", "000000")]);
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.replace(' ', "").contains(&letters), "the page shows the same secret again");
    // Until the setup is confirmed, the password is enough.
    Browser::owner(&server);
    turn_on(&server);
    assert_eq!(event_count(&server, "second_factor_on"), 1);
    let again = browser.post("/account/second-factor", &[("current", PASSWORD)]);
    assert!(again.body.contains("already on"), "{}", again.body);
}

#[both]
fn a_setup_expires_after_ten_minutes() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let page = browser.post("/account/second-factor", &[("current", PASSWORD)]).body;
    let letters = between(&page, "id=\"secret\">", "<").to_owned();
    server.env.clock.advance(10 * 60_000 + STEP);
    // Someone with a stolen session can neither see the secret nor turn the second factor on.
    for typed in ["000000".to_owned(), code(&server, &server.business.owner)] {
        let reply = browser.post("/account/second-factor/confirm", &[("code", &typed)]);
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(!reply.body.contains(&letters), "{reply:?}");
        assert!(reply.body.contains("start again"), "{reply:?}");
    }
    assert_eq!(event_count(&server, "second_factor_on"), 0);
    turn_on(&server);
}

#[both]
fn a_code_is_required_after_the_password_and_works_only_once() {
    let server = start();
    turn_on(&server);
    let mut browser = Browser::new(&server);
    let fields = [("email", OWNER), ("password", PASSWORD), ("next", "/team")];
    let reply = browser.post("/sign-in", &fields);
    assert_eq!(location(&reply), "/sign-in/second-factor?next=%2Fteam");
    assert!(!browser.cookies.contains_key("__Host-zoop-session"), "not signed in yet");
    assert!(!browser.is_signed_in());
    assert_eq!(browser.get("/sign-in/second-factor?next=%2Fteam").status, 200);
    assert_eq!(try_code(&mut browser, "000000").status, 403);
    let code = code(&server, &server.business.owner);
    let pending = browser.cookies.clone();
    let reply = browser.post("/sign-in/second-factor", &[("code", &code), ("next", "/team")]);
    assert_eq!(location(&reply), "/team");
    assert!(browser.is_signed_in());

    let mut copied = Browser { cookies: pending, ..Browser::new(&server) };
    assert_eq!(location(&try_code(&mut copied, &code)), "/sign-in", "the sign-in is used up");
    let mut thief = Browser::new(&server);
    thief.sign_in(OWNER, PASSWORD);
    assert_eq!(try_code(&mut thief, &code).status, 403, "the code was used");
    server.env.clock.advance(STEP);
    assert_eq!(
        try_code(&mut thief, &code).status,
        403,
        "the code is not accepted in the next step either"
    );
    let next = super::code(&server, &server.business.owner);
    assert_eq!(try_code(&mut thief, &next).status, 303);
    assert_eq!(event_count(&server, "sign_in_refused"), 3);
}

#[both]
fn a_sign_in_accepts_its_code_for_ten_minutes_and_until_the_fifth_wrong_one() {
    let server = start();
    turn_on(&server);
    let mut browser = Browser::new(&server);
    browser.sign_in(OWNER, PASSWORD);
    server.env.clock.advance(10 * 60 * 1_000);
    let late = code(&server, &server.business.owner);
    assert_eq!(location(&try_code(&mut browser, &late)), "/sign-in");

    browser.sign_in(OWNER, PASSWORD);
    for _ in 0..4 {
        assert_eq!(try_code(&mut browser, "000000").status, 403);
    }
    let pending = browser.cookies.clone();
    assert_eq!(location(&try_code(&mut browser, "000000")), "/sign-in");
    browser.cookies = pending;
    let right = code(&server, &server.business.owner);
    assert_eq!(
        location(&try_code(&mut browser, &right)),
        "/sign-in",
        "the pending sign-in is gone"
    );
    // Wrong codes count together with wrong passwords, however often the right password is entered.
    let mut other = Browser::at(&server, "198.51.100.1");
    other.sign_in(OWNER, PASSWORD);
    for _ in 0..4 {
        assert_eq!(try_code(&mut other, "000000").status, 403);
    }
    other.sign_in(OWNER, PASSWORD);
    assert_eq!(try_code(&mut other, "000000").status, 403);
    assert_eq!(try_code(&mut other, &right).status, 429);
    assert_eq!(Browser::at(&server, "198.51.100.2").sign_in(OWNER, PASSWORD).status, 429);
}

#[both]
fn a_recovery_code_works_once() {
    let server = start();
    let codes = turn_on(&server);
    let mut browser = Browser::new(&server);
    browser.sign_in(OWNER, PASSWORD);
    let typed = codes[3].to_uppercase().replace('-', " ");
    assert_eq!(try_code(&mut browser, &typed).status, 303);
    assert!(browser.get("/account").body.contains("Recovery codes left: 9."));
    let mut again = Browser::new(&server);
    again.sign_in(OWNER, PASSWORD);
    assert_eq!(try_code(&mut again, &codes[3]).status, 403);
    assert_eq!(try_code(&mut again, &codes[4]).status, 303);
}

#[both]
fn new_recovery_codes_need_the_password_and_end_the_old_ones() {
    let server = start();
    let old = turn_on(&server);
    let mut browser = Browser::new(&server);
    browser.sign_in(OWNER, PASSWORD);
    try_code(&mut browser, &old[0]);
    let page = browser.get("/account").body;
    let path = buttons(&page).into_iter().find(|it| it.name == "New recovery codes");
    let path = path.expect("a button").address;
    let renew = |browser: &mut Browser<'_>, current| browser.post(&path, &[("current", current)]);
    assert_eq!(renew(&mut browser, "wrong horse").status, 400);
    assert_eq!(event_count(&server, "recovery_codes_renewed"), 0);
    let shown = renew(&mut browser, PASSWORD);
    assert_eq!(shown.status, 200, "{shown:?}");
    assert!(shown.body.contains("data-copy=\"codes\""), "{}", shown.body);
    let new: Vec<_> = shown.body.split("<code>").skip(1).collect();
    let new: Vec<_> = new.iter().filter_map(|it| it.split('<').next()).collect();
    assert_eq!(new.len(), 10, "{new:?}");
    assert!(browser.get("/account").body.contains("Recovery codes left: 10."));
    assert_eq!(event_count(&server, "recovery_codes_renewed"), 1);

    let mut again = Browser::new(&server);
    again.sign_in(OWNER, PASSWORD);
    assert_eq!(try_code(&mut again, &old[1]).status, 403, "an old one");
    assert_eq!(try_code(&mut again, new[1]).status, 303, "a new one");
    // Without the second factor, there are none.
    again.post("/account/second-factor/off", &[("current", PASSWORD)]);
    // The password was right each time, so that nobody is locked out.
    server.env.clock.advance(60_000);
    for _ in 0..11 {
        let none = renew(&mut again, PASSWORD).body;
        assert!(none.contains("The second factor is off"), "{none}");
    }
}

#[both]
fn it_is_turned_off_with_the_password_or_by_the_command_line() {
    let server = start();
    let codes = turn_on(&server);
    let mut browser = Browser::new(&server);
    browser.sign_in(OWNER, PASSWORD);
    try_code(&mut browser, &codes[0]);
    let off = |browser: &mut Browser<'_>, current| {
        browser.post("/account/second-factor/off", &[("current", current)])
    };
    assert_eq!(off(&mut browser, "wrong horse").status, 400);
    assert_eq!(location(&off(&mut browser, PASSWORD)), "/account?done=second-factor-off");
    Browser::owner(&server);

    turn_on(&server);
    let user = Business::user(&server.business.owner);
    let environment = server.env.environment.clone();
    server
        .env
        .write(move |tx| second_factor::turn_off(tx, &environment, user, Initiator::Operator))
        .expect("the second factor is off");
    Browser::owner(&server);
    assert_eq!(event_count(&server, "second_factor_off"), 2);
}
