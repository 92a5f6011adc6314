//! When the sweep removes sign-in data.

use zoop_both::both;

use super::{entrance, second_factor};
use crate::maintenance;
use crate::testing::{Business, World};

const MINUTE: i64 = 60 * 1_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Removes expired rows and returns their number.
fn swept(world: &World) -> usize {
    let environment = world.environment.clone();
    world.write(move |tx| maintenance::sweep(tx, &environment)).expect("a sweep")
}

#[both]
fn tries_sign_ins_that_wait_and_sessions_are_swept_when_nothing_needs_them() {
    let world = World::new();
    let user = Business::user(&world.empty_business("Acme").owner);
    let environment = world.environment.clone();
    let wait = move |tx: &mut zoop_db::WriteTx<'_>| {
        entrance::begin(tx, &environment, "nobody@example.com", None, None)?;
        second_factor::park(tx, &environment, user).map(drop)
    };
    world.write(wait).expect("an attempt and a pending sign-in");
    world.sign_in(user);
    world.clock.advance(10 * MINUTE - 1);
    assert_eq!(swept(&world), 0);
    world.clock.advance(1);
    assert_eq!(swept(&world), 1, "the pending sign-in");
    world.clock.advance(2 * HOUR - 10 * MINUTE);
    assert_eq!(swept(&world), 0);
    world.clock.advance(1);
    assert_eq!(swept(&world), 2, "the attempt, counted for the account and for the address");
    world.clock.advance(60 * DAY - 2 * HOUR - 1);
    assert_eq!(swept(&world), 0);
    world.clock.advance(1);
    assert_eq!(swept(&world), 1, "the session, thirty days after it ended");
}
