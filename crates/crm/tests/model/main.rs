//! The product against a model of its contract: random sequences of calls in two processes on one
//! database, each answer compared.
//!
//! The model is written from the contract, as plainly as it can be: lists in memory, records as
//! JSON, a search that looks at everything. Of the product's rules it uses none but the folding of
//! words, which has tests of its own. The processes are real ones; between calls the clock jumps,
//! forward and back, processes are stopped or killed and started again, and two calls run at once.
//! Where product and model disagree, proptest drops what does not matter, and the calls that are
//! left are shown with the command that plays them again.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `ZOOP_MODEL_OPERATIONS` | operations in all |
//! | `ZOOP_TEST_LONG=1` | a hundred thousand of them instead of ten thousand |
//! | `ZOOP_MODEL_SEED` | plays the sequence of this seed alone |

mod arguments;
mod beginning;
mod calls;
mod contract;
mod customers;
mod dice;
mod everything;
mod funnel;
mod ids;
mod notes;
mod pairs;
mod people;
mod places;
mod play;
mod pools;
mod process;
mod searching;
mod state;
mod steps;
mod tags;
mod users;
mod worker;

use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use libtest_mimic::{Arguments, Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use beginning::Beginning;
use dice::Dice;
use play::Play;

/// Operations of a sequence at most: long enough to meet, short enough to be cut down.
const LONGEST: usize = 400;
/// Operations between two looks at what must always hold.
const CHECK_EVERY: usize = 50;
/// Operations of a test, so that several run side by side.
const SHARE: usize = 2_500;

/// One operation: the seed of its decisions, which stays, and how rich they are, which shrinks.
type Operation = (u64, u8);

fn operation() -> impl Strategy<Value = Operation> {
    (any::<u64>().no_shrink(), any::<u8>())
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

fn play(beginning: &Beginning, operations: &[Operation]) -> Result<(), TestCaseError> {
    let mut play = Play::new(beginning);
    let outcome = play.history().and_then(|before| {
        for (place, (seed, richness)) in operations.iter().enumerate() {
            play.step(&mut Dice::new(*seed, *richness))?;
            if place % CHECK_EVERY == 0 {
                play.check_invariants()?;
            }
        }
        play.check_invariants()?;
        play.compare_everything(&before)
    });
    match outcome {
        Ok(()) => {
            play.stop();
            Ok(())
        }
        Err(difference) => {
            let calls = play.transcript.join("\n");
            Err(TestCaseError::fail(format!("{calls}\n{difference}")))
        }
    }
}

/// Plays the sequence of a seed; how many operations it had.
fn play_seed(beginning: &Beginning, seed: u64) -> Result<usize, Failed> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 1_500,
        // Milliseconds. What depends on which of two calls came first does not shrink.
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let count = std::cell::Cell::new(0);
    let sequences = prop::collection::vec(operation(), 1..LONGEST);
    let outcome = runner.run(&sequences, |operations| {
        count.set(operations.len());
        play(beginning, &operations)
    });
    match outcome {
        Ok(()) => Ok(count.get()),
        Err(TestError::Fail(reason, operations)) => Err(Failed::from(format!(
            "\n{reason}\n\n{} operations are left. Play them again with\n\
             ZOOP_MODEL_SEED={seed} cargo test -p zoop-crm --test model\n",
            operations.len(),
        ))),
        Err(TestError::Abort(reason)) => Err(Failed::from(format!("seed {seed}: {reason}"))),
    }
}

/// Plays every `step`th seed from `first` on, until there were enough operations.
fn play_share(first: u64, step: u64, operations: usize) -> Result<(), Failed> {
    let beginning = Beginning::new();
    let mut played = 0;
    let mut seed = first;
    while played < operations {
        played += play_seed(&beginning, seed)?;
        seed += step;
    }
    eprintln!("seeds {first} to {} by {step}: {played} operations", seed - step);
    Ok(())
}

/// One test for a seed, or as many as the operations have shares.
fn trials() -> Vec<Trial> {
    if let Some(seed) = variable::<u64>("ZOOP_MODEL_SEED") {
        return vec![Trial::test(format!("seed_{seed}"), move || play_share(seed, 1, 1))];
    }
    let is_long = variable::<u8>("ZOOP_TEST_LONG") == Some(1);
    let asked = variable("ZOOP_MODEL_OPERATIONS");
    let operations: usize = asked.unwrap_or(if is_long { 100_000 } else { 10_000 });
    let shares = operations.div_ceil(SHARE) as u64;
    let share = |number| {
        let name = format!("sequences_{number}_of_{shares}");
        Trial::test(name, move || play_share(number, shares, operations.min(SHARE)))
    };
    (1..=shares).map(share).collect()
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    match &arguments[..] {
        [_, work, database, seed] if work == process::WORKER => {
            worker::work(Path::new(database), seed.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}
