//! Tests when the sweep removes sign-in data, and of what one cannot time from outside when an address changes.

use zoop_both::both;

use super::own_email::{self, Followed};
use super::{SignedIn, password_login, second_factor, sessions, store};
use crate::call::argument::Email;
use crate::identity::users;
use crate::testing::{Business, TestEnv, error_json};
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

const MINUTE: i64 = 60 * 1_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

#[both]
fn attempts_pending_sign_ins_and_sessions_are_swept_when_no_longer_needed() {
    let env = TestEnv::new();
    let user = Business::user(&env.empty_business("Acme").owner);
    let environment = env.environment.clone();
    let begin = move |tx: &mut zoop_db::WriteTx<'_>| {
        password_login::begin(tx, &environment, "nobody@example.com", None, None)?;
        second_factor::begin(tx, &environment, user).map(drop)
    };
    env.write(begin).expect("an attempt and a pending sign-in");
    env.sign_in(user);
    env.clock.advance(10 * MINUTE - 1);
    assert_eq!(env.sweep(), 0);
    env.clock.advance(1);
    assert_eq!(env.sweep(), 1, "the pending sign-in is swept");
    env.clock.advance(2 * HOUR - 10 * MINUTE);
    assert_eq!(env.sweep(), 0);
    env.clock.advance(1);
    assert_eq!(env.sweep(), 2, "the attempt's counts for the e-mail and the IP address are swept");
    env.clock.advance(60 * DAY - 2 * HOUR - 1);
    assert_eq!(env.sweep(), 0);
    env.clock.advance(1);
    assert_eq!(env.sweep(), 1, "the session is swept thirty days after it ended");
}

/// A link to a new address for a user who has proved the present one.
fn ask(env: &TestEnv, user: Id<kinds::User>) -> Secret {
    let environment = env.environment.clone();
    let ask = move |tx: &mut zoop_db::WriteTx<'_>| {
        store::set_proved(tx, user, Some(environment.clock.now()))?;
        own_email::request(tx, &environment, user, &Email("olive@borealis.example".to_owned()))
    };
    env.write(ask).expect("a request").expect("a link")
}

fn follow(env: &TestEnv, link: Secret, who: SignedIn) -> Followed {
    let environment = env.environment.clone();
    env.write(move |tx| own_email::follow(tx, &environment, &link, &who, None)).expect("an answer")
}

/// The session and the proof may end after the page has read them.
#[both]
fn a_link_to_a_new_address_ends_with_the_session_and_with_the_proof() {
    let env = TestEnv::new();
    let user = Business::user(&env.empty_business("Acme").owner);
    let (secret, ended) = env.sign_in(user);
    let link = ask(&env, user);
    let environment = env.environment.clone();
    env.write(move |tx| sessions::sign_out(tx, &environment, &secret, None)).expect("a sign-out");
    let followed = follow(&env, link, ended);
    assert!(matches!(followed, Followed::Gone), "{followed:?}");

    let (_, signed_in) = env.sign_in(user);
    let link = ask(&env, user);
    env.write(move |tx| store::set_proved(tx, user, None)).expect("it is withdrawn");
    let followed = follow(&env, link, signed_in.clone());
    assert!(matches!(followed, Followed::Refused(_)), "{followed:?}");
    let link = ask(&env, user);
    let followed = follow(&env, link, signed_in);
    assert!(matches!(followed, Followed::Changed { .. }), "{followed:?}");
}

/// On PostgreSQL a transaction does not see what a concurrent one is about to commit.
#[both]
fn an_address_that_another_account_has_just_got_is_refused_and_gets_no_link() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let (owner, now) = (Business::user(&acme.owner), env.environment.clock.now());
    let take = move |tx: &mut zoop_db::WriteTx<'_>| {
        users::store::set_email(tx, owner, "office@acme.example", now)
    };
    let refused = env.write(take).expect_err("the address is taken");
    let refused = error_json(&refused);
    assert_eq!(refused["kind"], "conflict", "{refused}");
    let hold = |address: &'static str| {
        env.write(move |tx| users::store::hold_email(tx, owner, address)).expect("an answer")
    };
    assert!(hold("owner@acme.example"));
    assert!(!hold("office@acme.example"), "it was never this user's");
}
