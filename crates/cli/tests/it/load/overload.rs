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
    for results in [&normal, &full] {
        assert_eq!((results.rejected, results.wrong.len()), (0, 0), "{:?}", results.wrong);
    }
    let before = memory(&server);

    let demand = Pace::PerSecond(normal.rate() * 4.0);
    let over = load(&server.url, &key, 512, demand, TIME);
    let all = over.answered.len() + over.rejected;
    let longer = (over.concurrency() / over.rate()) / (full.concurrency() / full.rate());
    eprintln!(
        "capacity {:.0}/s, half within {:?}; with all permits taken {:.0}/s, {:.0} at once, half within {:?}; \
         with four times as many calls {:.0}/s, {:.0} at once, half within {:?}, on average {longer:.2} times \
         as long, 99 % within {:?}; {} of {all} rejected",
        normal.rate(),
        normal.percentile(50),
        full.rate(),
        full.concurrency(),
        full.percentile(50),
        over.rate(),
        over.concurrency(),
        over.percentile(50),
        over.percentile(99),
        over.rejected
    );
    assert_eq!(over.wrong, [], "an answer, or 503 with Retry-After");
    assert!(!over.answered.is_empty() && over.rejected * 10 >= all, "{} of {all}", over.rejected);
    // An admitted request waits only for the others that are admitted, four for each permit, beside the rejections
    // of the rest. How long that takes depends on how many calls per second the machine can answer while it also
    // runs the callers; how many are being answered at once does not. There are sixteen callers for each permit.
    assert!(
        over.concurrency() < full.concurrency() * 12.0,
        "{} and {}",
        over.concurrency(),
        full.concurrency()
    );
    // Rejected requests take time too, but not all of it.
    assert!(over.rate() > full.rate() / 10.0, "{} and {}", over.rate(), full.rate());
    assert!(
        over.percentile(99) < Duration::from_secs(5),
        "half the deadline: {:?}",
        over.percentile(99)
    );
    assert!(memory(&server) < before + 128 * 1024, "{} KiB", memory(&server));

    assert_eq!(get(&server.url, "/readyz").0, 200);
    let after = load(&server.url, &key, 16, Pace::Steady, TIME);
    assert_eq!((after.rejected, after.wrong.len()), (0, 0), "{:?}", after.wrong);
    assert!(
        after.percentile(50) < normal.percentile(50) * 20,
        "{:?}",
        (after.percentile(50), normal.percentile(50))
    );
}
