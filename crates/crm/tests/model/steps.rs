//! What a sequence does next: a call or two, a step of the clock, or the end of a process.

use serde_json::json;

use super::calls::{Call, any, call};
use super::contract;
use super::dice::Dice;
use super::notes::DAY;
use super::process::End;
use super::state::Tenant;

/// One step of a sequence.
pub(super) enum Step {
    /// A call, and how long to wait for it.
    Call(Call, i64),
    /// Two calls at once, one in each process.
    Pair([Call; 2]),
    /// These processes end and others take their place.
    Restart(&'static [usize], End),
    /// The clock moves, backwards too.
    Advance(i64),
    /// What is out of date is removed.
    Sweep,
}

const HOUR: i64 = DAY / 24;
const CLOCK: &[i64] = &[
    1,
    999,
    1_000,
    10_000,
    59_999,
    60_000,
    HOUR,
    DAY - 1_000,
    DAY,
    DAY + HOUR,
    7 * DAY,
    -1,
    -700,
    -2_000,
    -SET_BACK,
];
/// How far a clock may be set back without any order being broken. What happens beyond that has tests of
/// its own, in words.
const SET_BACK: i64 = 4_999;

/// Moves a clock, backwards no further than `SET_BACK` from the `latest` time that it ever showed.
pub(super) fn moved(now: i64, milliseconds: i64, latest: &mut i64) -> i64 {
    let now = (now + milliseconds).max(*latest - SET_BACK);
    *latest = now.max(*latest);
    now
}

/// The next step. `keyed` are the calls so far that had an idempotency key, and
/// when they were made.
pub(super) fn step(dice: &mut Dice, tenants: &[&Tenant], keyed: &[(Call, i64)], now: i64) -> Step {
    match dice.roll(24) {
        0 => return Step::Advance(*dice.of(CLOCK)),
        1 => return Step::Advance(1),
        2 if dice.roll(4) == 0 => return Step::Sweep,
        3 if !keyed.is_empty() => {
            let (mut call, at) = dice.of(keyed).clone();
            if dice.one_in(4) {
                call.arguments["color"] = json!("#112233");
            }
            // Until a day is over a retry is answered, and not a moment longer.
            let wait = if dice.one_in(4) { at + DAY - dice.of(&[0, 1]) - now } else { 0 };
            return Step::Call(call, wait.max(0));
        }
        4 if dice.roll(4) == 0 => {
            let processes: &&[usize] = dice.of(&[&[0], &[1], &[0, 1]]);
            return Step::Restart(processes, *dice.of(&[End::Stopped, End::Killed]));
        }
        5 | 6 => return Step::Pair(pair(dice, tenants, now)),
        _ => {}
    }
    // One tenant has most of the records, the other is there to be mistaken for it.
    let tenant = usize::from(dice.roll(4) == 0);
    Step::Call(any(dice, tenants, tenant, now), 0)
}

/// Two calls in one tenant that are likely to be in each other's way: twice the same one, two of one
/// tool, or any two.
fn pair(dice: &mut Dice, tenants: &[&Tenant], now: i64) -> [Call; 2] {
    let tenant = usize::from(dice.roll(4) == 0);
    let mut one = any(dice, tenants, tenant, now);
    // Two reads are in nobody's way.
    if one.tool.is_read() {
        one = call(dice, tenants, tenant, contract::find("customers.create"), now);
    }
    let other = match dice.roll(3) {
        0 => one.clone(),
        1 => call(dice, tenants, tenant, one.tool, now),
        _ => any(dice, tenants, tenant, now),
    };
    [one, other]
}
