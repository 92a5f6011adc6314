//! The product against a model of its contract: random sequences of calls, each answer compared.
//!
//! The model is written from the contract, as plainly as it can be: lists in memory, records as
//! JSON, a search that looks at everything. Of the product's rules it uses none but the folding of
//! words, which has tests of its own. Where the two disagree, proptest drops what does not matter,
//! and the calls that are left are shown with the command that plays them again.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `ZOOP_MODEL_OPERATIONS` | operations in all |
//! | `ZOOP_TEST_LONG=1` | a hundred thousand of them |
//! | `ZOOP_MODEL_SEED` | the first sequence; alone it plays that one only |

mod arguments;
mod calls;
mod contract;
mod customers;
mod dice;
mod everything;
mod funnel;
mod ids;
mod notes;
mod people;
mod places;
mod play;
mod pools;
mod searching;
mod state;
mod tags;

use std::str::FromStr;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use dice::Dice;
use play::Play;

/// Operations of a sequence at most: long enough to meet, short enough to be cut down.
const LONGEST: usize = 160;
/// Operations between two looks at what must always hold.
const CHECK_EVERY: usize = 20;

/// One operation: the seed of its decisions, which stays, and how rich they are, which shrinks.
type Operation = (u64, u8);

fn operation() -> impl Strategy<Value = Operation> {
    (any::<u64>().no_shrink(), any::<u8>())
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

fn play(operations: &[Operation]) -> Result<(), TestCaseError> {
    let mut play = Play::new();
    let before = play.history();
    let outcome = operations.iter().enumerate().try_for_each(|(place, (seed, richness))| {
        play.step(&mut Dice::new(*seed, *richness))?;
        if place % CHECK_EVERY == 0 { play.check_invariants() } else { Ok(()) }
    });
    let outcome = outcome
        .and_then(|()| play.check_invariants())
        .and_then(|()| play.compare_everything(&before));
    outcome.map_err(|difference| {
        TestCaseError::fail(format!("{}\n{difference}", play.transcript.join("\n")))
    })
}

/// Plays the sequence of a seed; how many operations it had.
fn play_seed(seed: u64) -> usize {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 1_500,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let count = std::cell::Cell::new(0);
    let sequences = prop::collection::vec(operation(), 1..LONGEST);
    let outcome = runner.run(&sequences, |operations| {
        count.set(operations.len());
        play(&operations)
    });
    match outcome {
        Ok(()) => count.get(),
        Err(TestError::Fail(reason, operations)) => panic!(
            "\n{reason}\n\n{} operations are left. Play it again with\n\
             ZOOP_MODEL_SEED={seed} cargo test -p zoop-crm model\n",
            operations.len(),
        ),
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
    }
}

#[test]
fn the_product_answers_as_its_model() {
    let asked = variable("ZOOP_MODEL_OPERATIONS");
    let first: Option<u64> = variable("ZOOP_MODEL_SEED");
    let is_long = variable::<u8>("ZOOP_TEST_LONG") == Some(1);
    let operations = match (asked, first) {
        (Some(asked), _) => asked,
        (None, Some(_)) => 1,
        (None, None) if is_long => 100_000,
        (None, None) => 2_000,
    };
    let mut played = 0;
    let mut seeds = first.unwrap_or(1)..;
    while played < operations {
        played += play_seed(seeds.next().expect("there is no last seed"));
    }
}
