//! More than the server can do.

use std::time::Duration;

use super::{Pace, load, memory, on_postgres, serve};
use crate::client::get;
use crate::world::Folder;

const TIME: Duration = Duration::from_secs(3);

#[test]
fn at_four_times_its_capacity_it_answers_what_it_can_and_puts_off_the_rest() {
    overload(&Folder::new());
}

#[test]
fn at_four_times_its_capacity_on_postgres_it_answers_what_it_can_and_puts_off_the_rest() {
    overload(&on_postgres());
}

fn overload(folder: &Folder) {
    // Fewer at once than there will be callers, whatever the machine can do.
    let (server, key) = serve(folder, "in_flight = 64\n");
    let normal = load(&server.url, &key, 16, Pace::Steady, TIME);
    assert_eq!((normal.put_off, normal.wrong.len()), (0, 0), "{:?}", normal.wrong);
    let before = memory(&server);

    let demand = Pace::PerSecond(normal.rate() * 4.0);
    let over = load(&server.url, &key, 512, demand, TIME);
    eprintln!(
        "capacity {:.0}/s, half within {:?}, 99 % within {:?}; with four times as many calls \
         {:.0}/s, half within {:?}, 99 % within {:?}, {} put off",
        normal.rate(),
        normal.within(50),
        normal.within(99),
        over.rate(),
        over.within(50),
        over.within(99),
        over.put_off
    );
    assert_eq!(over.wrong, [], "an answer, or 503 with Retry-After");
    assert!(over.put_off > 0 && !over.answered.is_empty());
    // As many requests at once take as long as they take, but they do not wait behind the rest:
    // in turn with all the callers they would take at least eight times as long as these.
    assert!(over.within(50) < normal.within(50) * 40, "{:?}", over.within(50));
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
