//! Tests when the sweep removes sign-in data.

use zoop_both::both;

use super::{password_login, second_factor};
use crate::testing::{Business, TestEnv};

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
