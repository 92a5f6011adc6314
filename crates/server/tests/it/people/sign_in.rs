//! Sign-in and sign-out: who can sign in, and how the others are refused.

use zoop_both::both;
use zoop_crm::identity::sign_in::passwords;
use zoop_crm::identity::sign_in::user::{self, Initiator};
use zoop_crm::testing::Business;

use super::{Browser, OFFICE, OWNER, PASSWORD, event_count, history, location, set_cookies};
use super::{set_password, start};
use crate::server::wait_until;

const WRONG: &str = "wrong horse battery";

#[both]
fn a_user_signs_in_reaches_the_requested_page_and_signs_out() {
    let server = start();
    let mut browser = Browser::new(&server);
    assert_eq!(location(&browser.get("/")), "/sign-in");
    assert_eq!(location(&browser.get("/team")), "/sign-in?next=%2Fteam");
    let page = browser.get("/sign-in?next=%2Fteam");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("name=\"next\" value=\"/team\""), "{}", page.body);
    let fields = [("email", " Owner@ACME.example"), ("password", PASSWORD), ("next", "/team")];
    let reply = browser.post("/sign-in", &fields);
    assert_eq!(location(&reply), "/team");
    let cookies = set_cookies(&reply);
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(cookies[1].starts_with("__Host-zoop-device=zoop_dv_"), "{cookies:?}");
    let (pair, attributes) = cookies[0].split_once("; ").expect("attributes");
    assert!(pair.starts_with("__Host-zoop-session=zoop_ss_"), "{pair}");
    assert_eq!(attributes, "Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax");
    assert!(browser.is_signed_in());
    assert_eq!(browser.get("/").status, 200);
    assert_eq!(location(&browser.get("/sign-in?next=%2Fteam")), "/team");

    let kept = browser.cookies.clone();
    let reply = browser.post("/sign-out", &[]);
    assert_eq!(location(&reply), "/sign-in?done=signed-out");
    let page = browser.get(location(&reply)).body;
    assert!(page.contains("You are signed out."), "{page}");
    assert!(!browser.cookies.contains_key("__Host-zoop-session"));
    browser.cookies = kept;
    assert!(!browser.is_signed_in(), "the session itself has ended");
    let tools: Vec<_> = history(&server).iter().map(|it| it["tool"].clone()).take(2).collect();
    assert_eq!(tools, ["sign_out", "sign_in"]);
    let entry = &history(&server)[1];
    assert_eq!((&entry["address"], &entry["actor_kind"]), (&"203.0.113.1".into(), &"user".into()));
}

#[both]
fn signing_in_leads_only_to_pages_of_this_server() {
    let server = start();
    for next in ["//evil.example", "/\\evil.example", "https://evil.example", "/%2Fevil.example"] {
        let mut browser = Browser::new(&server);
        let fields = [("email", OWNER), ("password", PASSWORD), ("next", next)];
        assert_eq!(location(&browser.post("/sign-in", &fields)), "/", "{next}");
    }
}

#[both]
fn sign_in_does_not_reveal_which_addresses_are_known() {
    let server = start();
    set_password(&server, OFFICE, PASSWORD);
    let mut pages = Vec::new();
    for email in [OWNER, "tech@acme.example", "nobody@acme.example"] {
        let reply = Browser::new(&server).sign_in(email, WRONG);
        assert_eq!(reply.status, 403);
        // These headers differ between answers: the time, the request's id, and the length with the typed address.
        let varying = ["date", "x-request-id", "content-length"];
        let common = reply.headers.iter().filter(|(name, _)| !varying.contains(&name.as_str()));
        let headers: Vec<_> = common.cloned().collect();
        pages.push((headers, reply.body.replace(email, "EMAIL")));
    }
    assert_eq!(pages[0], pages[1], "no password");
    assert_eq!(pages[0], pages[2], "no such person");
    assert!(pages[0].1.contains("Wrong e-mail address or password"));
    // Refusals are recorded only for known addresses, and asynchronously, so that no answer waits for the write.
    wait_until("the refusals are recorded", || event_count(&server, "sign_in_refused") == 2);
    let log = server.log.text();
    for secret in [WRONG, PASSWORD, OWNER, "zoop_ss_"] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
}

#[both]
fn after_ten_wrong_passwords_an_account_is_locked_whether_or_not_it_exists() {
    let server = start();
    for email in [OWNER, "nobody@acme.example"] {
        for n in 0..10 {
            let mut browser = Browser::at(&server, &format!("198.51.100.{n}"));
            assert_eq!(browser.sign_in(email, WRONG).status, 403, "{n}");
        }
        let mut browser = Browser::at(&server, "198.51.100.99");
        let refused = browser.sign_in(email, PASSWORD);
        assert_eq!(refused.status, 429, "even with the right password");
        assert_eq!(refused.header("retry-after"), Some("900"));
        assert!(refused.body.contains("15 minutes"), "{}", refused.body);
    }
    server.env.clock.advance(899_000);
    assert_eq!(Browser::at(&server, "198.51.100.98").sign_in(OWNER, PASSWORD).status, 429);
    server.env.clock.advance(1_000);
    Browser::owner(&server);
    // Correct passwords do not count as wrong ones.
    for n in 0..12 {
        let mut browser = Browser::at(&server, &format!("198.51.100.{n}"));
        assert_eq!(browser.sign_in(OWNER, PASSWORD).status, 303, "{n}");
    }
}

#[both]
fn wrong_passwords_elsewhere_do_not_lock_a_known_browser() {
    let server = start();
    let mut own = Browser::owner(&server);
    own.post("/sign-out", &[]);
    for n in 0..10 {
        let mut browser = Browser::at(&server, &format!("198.51.100.{n}"));
        assert_eq!(browser.sign_in(OWNER, WRONG).status, 403, "{n}");
    }
    assert_eq!(Browser::at(&server, "198.51.100.99").sign_in(OWNER, PASSWORD).status, 429);
    assert_eq!(own.sign_in(OWNER, PASSWORD).status, 303);
    own.post("/sign-out", &[]);
    // The browser's cookie is useless for another user, and wrong passwords from this browser are counted.
    assert_eq!(own.sign_in(OFFICE, WRONG).status, 403);
    for n in 0..10 {
        server.env.clock.advance(4_000);
        assert_eq!(own.sign_in(OWNER, WRONG).status, 403, "{n}");
    }
    server.env.clock.advance(4_000);
    assert_eq!(own.sign_in(OWNER, PASSWORD).status, 429);
}

#[both]
fn after_twenty_wrong_passwords_an_address_is_locked_and_others_are_not() {
    let server = start();
    for n in 0..20 {
        // The process's own limit per minute is lower, so the attempts are spread out.
        server.env.clock.advance(10_000);
        let email = format!("person{n}@acme.example");
        assert_eq!(Browser::new(&server).sign_in(&email, WRONG).status, 403, "{n}");
    }
    server.env.clock.advance(10_000);
    assert_eq!(Browser::new(&server).sign_in(OWNER, PASSWORD).status, 429);
    assert_eq!(Browser::at(&server, "198.51.100.7").sign_in(OWNER, PASSWORD).status, 303);
}

#[both]
fn every_sign_in_starts_a_new_session_and_a_planted_one_is_useless() {
    let server = start();
    let mut thief = Browser::owner(&server);
    let planted = thief.cookies["__Host-zoop-session"].clone();
    let mut victim = Browser::new(&server);
    victim.cookies.insert("__Host-zoop-session".to_owned(), planted.clone());
    victim.sign_in(OWNER, PASSWORD);
    assert_ne!(victim.cookies["__Host-zoop-session"], planted);
    assert!(victim.is_signed_in());
    assert!(!thief.is_signed_in(), "the planted session has ended");
    let entries = history(&server);
    assert_eq!(entries[0]["tool"], "sign_in");
    assert_eq!(entries[1]["tool"], "session_ended");
    assert_eq!(entries[1]["address"], victim.address.as_str());
    for made_up in ["zoop_ss_x", "", "x", &planted.replace("zoop_ss_", "zoop_ps_")] {
        thief.cookies.insert("__Host-zoop-session".to_owned(), made_up.to_owned());
        assert!(!thief.is_signed_in(), "{made_up}");
    }
}

#[both]
fn a_session_expires_when_idle_and_after_thirty_days() {
    const HOUR: i64 = 60 * 60 * 1_000;
    let server = start();
    let mut browser = Browser::owner(&server);
    server.env.clock.advance(12 * HOUR);
    assert!(!browser.is_signed_in(), "unused for twelve hours");
    let mut browser = Browser::owner(&server);
    // The session is used every eleven hours. Each use is recorded asynchronously.
    for n in 0..65 {
        server.env.clock.advance(11 * HOUR);
        assert!(browser.is_signed_in(), "after {n}");
        let now = zoop_crm::values::clock::rfc3339(zoop_crm::values::clock::Clock::now(
            &*server.env.clock,
        ));
        let minute = &now[..16];
        wait_until("the use is recorded", || {
            browser.get("/account").body.contains(&format!("last used <time datetime=\"{minute}"))
        });
    }
    server.env.clock.advance(11 * HOUR);
    assert!(!browser.is_signed_in(), "thirty days are over");
}

#[both]
fn a_user_without_a_business_sees_that_on_the_account_page() {
    let server = start();
    set_password(&server, OFFICE, PASSWORD);
    let mut browser = Browser::new(&server);
    browser.sign_in(OFFICE, PASSWORD);
    let page = browser.get("/account").body;
    assert!(page.contains("Acme") && page.contains("office"), "{page}");
    let user = zoop_crm::testing::Business::user(&server.business.office).to_string();
    let account = Some(server.business.account);
    server.env.call_as_operator(account, "users.remove", serde_json::json!({ "id": user }));
    let page = browser.get("/account").body;
    assert!(!page.contains("Acme"), "gone on the next request: {page}");
    assert!(page.contains("You no longer belong to a business"), "{page}");
    assert_eq!(browser.get("/team").status, 403);
    let mut again = Browser::new(&server);
    assert_eq!(location(&again.sign_in(OFFICE, PASSWORD)), "/");
    assert!(again.get("/account").body.contains("You no longer belong to a business"));
}

#[both]
fn an_outdated_hash_is_renewed_at_sign_in() {
    // The same password with 8 MiB and one pass.
    const OLD: &str = "$argon2id$v=19$m=8192,t=1,p=1$ct6EaMqNkuAnmSHUG4uC/g\
                       $Z9h6qnlZmDVztMUoFbLLpJUMj/yqf9H2IoBfH4Ernho";
    let server = start();
    let environment = server.env.environment.clone();
    let write = move |tx: &mut zoop_db::WriteTx<'_>| {
        let user = user::find(tx, OWNER)?;
        passwords::set(tx, &environment, user.id, OLD, Initiator::Operator)
    };
    server.env.write(write).expect("an old hash");
    let stored = || {
        let read = |tx: &mut zoop_db::ReadTx<'_>| {
            let user = user::find(tx, OWNER)?;
            passwords::stored_hash(tx, user.id)
        };
        server.env.read(read).expect("an answer").expect("a hash")
    };
    assert_eq!(Browser::new(&server).sign_in(OWNER, WRONG).status, 403);
    assert_eq!(stored(), OLD);
    Browser::owner(&server);
    assert!(stored().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored());
    Browser::owner(&server);
}

#[both]
fn only_ten_of_concurrent_guesses_are_checked() {
    let server = start();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let guess = |n: u8| {
            let server = &server;
            scope.spawn(move || {
                let mut browser = Browser::at(server, &format!("198.51.100.{n}"));
                browser.sign_in(OWNER, WRONG).status
            })
        };
        let guesses: Vec<_> = (0..24).map(guess).collect();
        guesses.into_iter().map(|guess| guess.join().expect("an answer")).collect()
    });
    let checked = statuses.iter().filter(|status| **status == 403).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((checked, refused), (10, 14), "{statuses:?}");
}

#[both]
fn a_user_keeps_the_newest_hundred_sessions() {
    let server = start();
    let user = Business::user(&server.business.owner);
    let mut first = Browser::owner(&server);
    for _ in 0..98 {
        server.env.sign_in(user);
    }
    let mut newest = Browser::owner(&server);
    assert!(first.is_signed_in() && newest.is_signed_in(), "a hundred");
    assert_eq!(event_count(&server, "session_ended"), 0);
    let mut one_more = Browser::owner(&server);
    assert!(!first.is_signed_in(), "the oldest has ended");
    assert!(newest.is_signed_in() && one_more.is_signed_in());
    assert_eq!(event_count(&server, "session_ended"), 1);
}
