//! Replays every input of the corpora, as an ordinary test.

use std::panic::catch_unwind;
use std::path::Path;

/// Checks a property with the files of its corpus.
fn replay(target: &str, property: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let mut played = 0;
    for file in std::fs::read_dir(&corpus).expect("a corpus") {
        let path = file.expect("a file").path();
        let input = std::fs::read(&path).expect("an input");
        assert!(
            catch_unwind(|| property(&input)).is_ok(),
            "{} breaks its property",
            path.display()
        );
        played += 1;
    }
    assert!(played >= 10, "{played} inputs in {}", corpus.display());
}

macro_rules! replays {
    ($($target:ident),*) => { $(
        #[test]
        fn $target() {
            replay(stringify!($target), zoop_fuzz_properties::$target);
        }
    )* };
}

replays!(arguments, cursor, fold, frame, headers, phone, search);
