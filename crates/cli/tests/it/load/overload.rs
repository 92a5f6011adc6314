//! Overload.

use std::time::Duration;

use super::{Pace, load, memory, on_postgres, serve};
use crate::client::get;
use crate::env::Folder;

const TIME: Duration = Duration::from_secs(3);
/// Requests processed at once. One tenant's further ones wait, until there are four times as many in all, and the
/// rest get 503; fewer than the callers, whatever the machine can do.
const IN_FLIGHT: u32 = 32;

#[test]
fn at_four_times_its_capacity_it_answers_what_it_can_and_sends_503_for_the_rest() {
    overload(&Folder::new());
}

#[test]
fn at_four_times_its_capacity_on_postgres_it_answers_what_it_can_and_sends_503_for_the_rest() {
    overload(&on_postgres());
}

fn overload(folder: &Folder) {
    let (server, key) = serve(folder, &format!("in_flight = {IN_FLIGHT}\n"));
    let normal = load(&server.url, &key, 16, Pace::Steady, TIME);
    let full = load(&server.url, &key, IN_FLIGHT, Pace::Steady, TIME);
    for seen in [&normal, &full] {
        assert_eq!((seen.put_off, seen.wrong.len()), (0, 0), "{:?}", seen.wrong);
    }
    let before = memory(&server);

    let demand = Pace::PerSecond(normal.rate() * 4.0);
    let over = load(&server.url, &key, 512, demand, TIME);
    let all = over.answered.len() + over.put_off;
    let longer = (over.at_once() / over.rate()) / (full.at_once() / full.rate());
    eprintln!(
        "capacity {:.0}/s, half within {:?}; with every seat taken {:.0}/s, {:.0} at once, half within {:?}; \
         with four times as many calls {:.0}/s, {:.0} at once, half within {:?}, on average {longer:.2} times \
         as long, 99 % within {:?}; {} of {all} put off",
        normal.rate(),
        normal.within(50),
        full.rate(),
        full.at_once(),
        full.within(50),
        over.rate(),
        over.at_once(),
        over.within(50),
        over.within(99),
        over.put_off
    );
    assert_eq!(over.wrong, [], "an answer, or 503 with Retry-After");
    assert!(!over.answered.is_empty() && over.put_off * 10 >= all, "{} of {all}", over.put_off);
    // A request that is not put off waits only for the others that are not, four for each seat, so four times
    // as long as with every seat taken. How long that is depends on how many calls a second the machine has
    // time for beside the callers, which run on it too; that it is the time of this many calls and no more
    // does not. There are sixteen callers for each seat.
    assert!(over.at_once() < full.at_once() * 8.0, "{} and {}", over.at_once(), full.at_once());
    // Rejected requests take time too, but not all of it.
    assert!(over.rate() > full.rate() / 10.0, "{} and {}", over.rate(), full.rate());
    assert!(over.within(99) < Duration::from_secs(5), "half the deadline: {:?}", over.within(99));
    assert!(memory(&server) < before + 128 * 1024, "{} KiB", memory(&server));

    assert_eq!(get(&server.url, "/readyz").0, 200);
    let after = load(&server.url, &key, 16, Pace::Steady, TIME);
    assert_eq!((after.put_off, after.wrong.len()), (0, 0), "{:?}", after.wrong);
    assert!(
        after.within(50) < normal.within(50) * 20,
        "{:?}",
        (after.within(50), normal.within(50))
    );
}
