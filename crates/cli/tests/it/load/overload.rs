//! More calls than the server can answer.

use std::time::Duration;

use super::{Pace, load, memory, on_postgres, serve};
use crate::client::get;
use crate::env::Folder;

const TIME: Duration = Duration::from_secs(3);
/// The number of seats. Up to four times as many requests of one tenant have a seat or wait for one. The rest get
/// 503. So 512 callers are too many on any machine.
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
        "capacity {:.0}/s, half within {:?}; with {IN_FLIGHT} callers {:.0}/s, {:.0} at once, half within {:?}; \
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
    // There are sixteen callers for each seat, but only four requests for each seat are admitted. So an admitted
    // request waits for few others. The test compares how many requests are answered at once, because answer times
    // also depend on the machine's speed.
    assert!(
        over.concurrency() < full.concurrency() * 12.0,
        "{} and {}",
        over.concurrency(),
        full.concurrency()
    );
    // Rejections take time too, but leave time for answers.
    assert!(over.rate() > full.rate() / 10.0, "{} and {}", over.rate(), full.rate());
    assert!(
        over.percentile(99) < Duration::from_secs(5),
        "at most half of the deadline: {:?}",
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
