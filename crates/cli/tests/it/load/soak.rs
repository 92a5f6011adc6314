//! A long period of high load.

use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{Pace, load, memory, on_postgres, serve};
use crate::env::{Folder, is_long};

/// Maximum size of SQLite's write-ahead log. It is emptied when it exceeds 256 MiB; one batch of writes may exceed
/// that first.
const MAX_LOG_BYTES: u64 = 272 << 20;
/// The number of callers. It is below the limit at which requests get 503, however long each takes.
const CALLERS: u32 = 32;

#[test]
fn at_four_fifths_of_its_capacity_memory_does_not_grow() {
    soak(&Folder::new());
}

#[test]
fn at_four_fifths_of_its_capacity_on_postgres_memory_does_not_grow() {
    soak(&on_postgres());
}

fn soak(folder: &Folder) {
    let seconds = if is_long() { 600 } else { 12 };
    let (mut server, key) = serve(folder, "");
    let capacity = load(&server.url, &key, CALLERS, Pace::Steady, Duration::from_secs(3)).rate();
    let (url, key, log) = (&server.url, &key, folder.path("zoop.db-wal"));
    let (results, samples) = thread::scope(|scope| {
        let pace = Pace::PerSecond(capacity * 0.8);
        let working =
            scope.spawn(move || load(url, key, CALLERS, pace, Duration::from_secs(seconds)));
        let mut samples = Vec::new();
        while !working.is_finished() {
            thread::sleep(Duration::from_millis(250));
            samples.push((memory(&server), size(&log)));
        }
        (working.join().expect("the load"), samples)
    });
    assert_eq!((results.rejected, results.wrong.len()), (0, 0), "{:?}", results.wrong);
    let third = samples.len() / 3;
    let max_memory =
        |part: &[(u64, u64)]| part.iter().map(|sample| sample.0).max().expect("samples");
    let (middle, last) =
        (max_memory(&samples[third..2 * third]), max_memory(&samples[2 * third..]));
    let largest = samples.iter().map(|sample| sample.1).max().expect("samples");
    eprintln!(
        "{:.0}/s for {seconds} s, half within {:?}, 99 % within {:?}; memory {middle} KiB, then \
         {last} KiB; the log's greatest size {largest} bytes",
        results.rate(),
        results.percentile(50),
        results.percentile(99)
    );
    assert!(last * 100 <= middle * 115, "{middle} KiB, then {last} KiB");
    assert!(largest <= MAX_LOG_BYTES, "{largest}");
    server.terminate();
    assert!(server.wait().success());
    let rest = server.rest();
    assert!(!rest.contains("WARN") && !rest.contains("ERROR"), "{rest}");
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
