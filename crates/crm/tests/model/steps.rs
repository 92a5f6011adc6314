//! The next step of a sequence: one or two calls, a move of the clock, a sweep, or a restart of processes.

use serde_json::json;

use super::calls::{Call, call, random_call};
use super::contract;
use super::notes::DAY;
use super::process::End;
use super::rng::Rng;
use super::state::Tenant;

/// One step of a sequence.
pub(super) enum Step {
    /// A call, and how far to move the clock before it, in milliseconds.
    Call(Call, i64),
    /// Two concurrent calls, one in each process.
    Pair([Call; 2]),
    /// A restart of these processes.
    Restart(&'static [usize], End),
    /// A move of the clock in milliseconds, forward or back.
    Advance(i64),
    /// The removal of expired rows.
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
/// How far a clock may be set back without changing the order of records. Separate tests cover larger steps.
const SET_BACK: i64 = 4_999;

/// Moves a clock, but no further back than `SET_BACK` from the latest time that it ever showed.
pub(super) fn move_clock(now: i64, milliseconds: i64, latest: &mut i64) -> i64 {
    let now = (now + milliseconds).max(*latest - SET_BACK);
    *latest = now.max(*latest);
    now
}

/// The next step. `keyed` contains the earlier calls with an idempotency key, and their times.
pub(super) fn step(rng: &mut Rng, tenants: &[&Tenant], keyed: &[(Call, i64)], now: i64) -> Step {
    // `roll` keeps the kinds of steps equally common while a failure is shrunk; `one_in` makes details rarer.
    match rng.roll(24) {
        0 => return Step::Advance(*rng.pick(CLOCK)),
        1 => return Step::Advance(1),
        2 if rng.roll(4) == 0 => return Step::Sweep,
        3 if !keyed.is_empty() => {
            let (mut call, at) = rng.pick(keyed).clone();
            if rng.one_in(4) {
                call.arguments["color"] = json!("#112233");
            }
            // A retry gets the stored answer for exactly one day.
            let wait = if rng.one_in(4) { at + DAY - rng.pick(&[0, 1]) - now } else { 0 };
            return Step::Call(call, wait.max(0));
        }
        4 if rng.roll(4) == 0 => {
            let processes: &&[usize] = rng.pick(&[&[0], &[1], &[0, 1]]);
            return Step::Restart(processes, *rng.pick(&[End::Stopped, End::Killed]));
        }
        5 | 6 => return Step::Pair(pair(rng, tenants, now)),
        _ => {}
    }
    // One tenant has most of the records. The other tenant exists to detect mix-ups.
    let tenant = usize::from(rng.roll(4) == 0);
    Step::Call(random_call(rng, tenants, tenant, now), 0)
}

/// Two calls in one tenant that are likely to conflict: the same call twice, two calls of one tool, or any two
/// calls.
fn pair(rng: &mut Rng, tenants: &[&Tenant], now: i64) -> [Call; 2] {
    let tenant = usize::from(rng.roll(4) == 0);
    let mut one = random_call(rng, tenants, tenant, now);
    // Two reads cannot conflict.
    if one.tool.is_read() {
        one = call(rng, tenants, tenant, contract::find("customers.create"), now);
    }
    let other = match rng.roll(3) {
        0 => one.clone(),
        1 => call(rng, tenants, tenant, one.tool, now),
        _ => random_call(rng, tenants, tenant, now),
    };
    [one, other]
}
