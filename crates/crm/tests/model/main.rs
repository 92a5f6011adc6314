//! Compares the product with a model of its contract: two processes on one database make random sequences of calls,
//! on either engine, and every answer is checked. Also compares the engines with each other: both run the same
//! sequences, which contain unusual strings that the model does not understand. A third kind of sequence is undone
//! change by change at its end.
//!
//! The model is written from the contract and as simple as possible: lists in memory, records as JSON, a
//! search that scans everything. It must not use the product's rules, except for the folding of words,
//! which has tests of its own. The processes are real. Between calls the clock jumps forward and back,
//! processes are stopped or killed and restarted, and two calls run concurrently. If product and model
//! disagree, proptest shrinks the sequence, and the failure shows the remaining calls and the command to
//! replay them.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `ZOOP_MODEL_OPERATIONS` | number of operations in each game |
//! | `ZOOP_TEST_LONG=1` | 100,000 operations, and more rows in the test of many rows |
//! | `ZOOP_MODEL_SEED` | plays only the sequence of this seed |

mod arguments;
mod calls;
mod contacts;
mod contract;
mod customers;
mod disagreement;
mod duplicates;
mod edge_cases;
mod engines;
mod everything;
mod ids;
mod initial_state;
mod locations;
mod many_rows;
mod merge;
mod notes;
mod pairs;
mod pipeline;
mod play;
mod pools;
mod process;
mod rng;
mod search;
mod state;
mod steps;
mod tags;
mod undo;
mod users;
mod worker;

use std::process::ExitCode;
use std::str::FromStr;

use libtest_mimic::{Arguments, Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use zoop_db::Dialect;

use engines::Engines;
use initial_state::InitialState;
use play::Play;
use rng::Rng;
use state::Checked;

/// Maximum number of operations in a sequence: enough for calls to collide, and few enough to shrink.
const MAX_STEPS: usize = 400;
/// Number of operations between two checks of the invariants.
const CHECK_EVERY: usize = 50;
/// Number of operations per test, so that several tests run in parallel.
const SHARE: usize = 2_500;

/// Maximum time to shrink a sequence, in milliseconds. A failure that depends on the order of two
/// concurrent calls does not shrink.
const SHRINK_TIME: u32 = 60_000;

/// One operation: the seed of its decisions, which is fixed, and its richness (see [`Rng`]), which shrinks.
type Operation = (u64, u8);

fn operation() -> impl Strategy<Value = Operation> {
    (any::<u64>().no_shrink(), any::<u8>())
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

fn is_long() -> bool {
    variable::<u8>("ZOOP_TEST_LONG") == Some(1)
}

/// A kind of sequence.
#[derive(Clone, Copy)]
struct Game {
    name: &'static str,
    /// The number of its operations in a normal run.
    operations: usize,
    /// Creates the player of its sequences.
    prepare: fn() -> Box<Player>,
}

/// Plays operations. Returns the transcript and the outcome.
type Player = dyn Fn(&[Operation]) -> (Vec<String>, Checked);

const GAMES: [Game; 5] = [
    Game { name: "sqlite", operations: 10_000, prepare: || model_player(Dialect::Sqlite) },
    Game { name: "postgres", operations: 10_000, prepare: || model_player(Dialect::Postgres) },
    Game { name: "engines", operations: 2_500, prepare: engines_player },
    Game { name: "undo_on_sqlite", operations: 2_000, prepare: || undo_player(Dialect::Sqlite) },
    Game { name: "undo_on_postgres", operations: 500, prepare: || undo_player(Dialect::Postgres) },
];

/// Compares the product on an engine with the model.
fn model_player(engine: Dialect) -> Box<Player> {
    player_from(InitialState::new(engine))
}

/// Compares the product with the model from this initial state.
fn player_from(initial: InitialState) -> Box<Player> {
    Box::new(move |operations| {
        let mut play = Play::new(&initial);
        let outcome = play.history().and_then(|before| {
            for (index, (seed, richness)) in operations.iter().enumerate() {
                play.step(&mut Rng::new(*seed, *richness))?;
                if index % CHECK_EVERY == 0 {
                    play.check_invariants()?;
                }
            }
            play.check_invariants()?;
            play.compare_everything(&before)
        });
        if outcome.is_ok() {
            play.stop();
        }
        (play.transcript, outcome)
    })
}

/// Plays a sequence, and then undoes all of it.
fn undo_player(engine: Dialect) -> Box<Player> {
    let initial = InitialState::new(engine);
    Box::new(move |operations| {
        let mut play = Play::new(&initial);
        let outcome = play.before().and_then(|before| {
            for (seed, richness) in operations {
                play.step(&mut Rng::new(*seed, *richness))?;
            }
            play.undo_everything(&before)
        });
        if outcome.is_ok() {
            play.stop();
        }
        (play.transcript, outcome)
    })
}

/// Compares the product on one engine with the product on the other.
fn engines_player() -> Box<Player> {
    let initial_states = [Dialect::Sqlite, Dialect::Postgres].map(InitialState::new);
    Box::new(move |operations| {
        let mut engines = Engines::new(&initial_states);
        let outcome = operations
            .iter()
            .try_for_each(|(seed, richness)| engines.step(&mut Rng::new(*seed, *richness)))
            .and_then(|()| engines.compare_everything());
        (engines.transcript, outcome)
    })
}

/// Plays the sequence of a seed and returns its number of operations. A failing sequence is shrunk for at most
/// `shrink_time` milliseconds; 0 means no limit.
fn play_seed(game: Game, play: &Player, seed: u64, shrink_time: u32) -> Result<usize, Failed> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 1_500,
        max_shrink_time: shrink_time,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let count = std::cell::Cell::new(0);
    let sequences = prop::collection::vec(operation(), 1..MAX_STEPS);
    let outcome = runner.run(&sequences, |operations| {
        count.set(operations.len());
        let (transcript, checked) = play(&operations);
        checked.map_err(|difference| {
            TestCaseError::fail(format!("{}\n{difference}", transcript.join("\n")))
        })
    });
    match outcome {
        Ok(()) => Ok(count.get()),
        Err(TestError::Fail(reason, operations)) => {
            let reason = format!("{reason}\n\n{} operations left.", operations.len());
            Err(failure(&reason, seed, game.name))
        }
        Err(TestError::Abort(reason)) => Err(Failed::from(format!("seed {seed}: {reason}"))),
    }
}

/// A failure with the command to replay it. `ZOOP_TEST_LONG` changes the number of rows, so the command repeats it.
fn failure(reason: &str, seed: u64, tests: &str) -> Failed {
    let long = if is_long() { "ZOOP_TEST_LONG=1 " } else { "" };
    Failed::from(format!(
        "\n{reason} Replay with\n\
         {long}ZOOP_MODEL_SEED={seed} cargo test -p zoop-crm --test model {tests}\n"
    ))
}

/// Plays every `step`th seed from `first`, until enough operations have been played.
fn play_share(game: Game, first: u64, step: u64, operations: usize) -> Result<(), Failed> {
    let play = (game.prepare)();
    let mut played = 0;
    let mut seed = first;
    while played < operations {
        played += play_seed(game, &*play, seed, SHRINK_TIME)?;
        seed += step;
    }
    eprintln!("seeds {first} to {} by {step}: {played} operations", seed - step);
    Ok(())
}

/// The tests of a game: one for the given seed, or one for each share of its operations.
fn trials(game: Game) -> Vec<Trial> {
    let name = game.name;
    if let Some(seed) = variable::<u64>("ZOOP_MODEL_SEED") {
        let name = format!("{name}::seed_{seed}");
        return vec![Trial::test(name, move || play_share(game, seed, 1, 1))];
    }
    let wanted = variable("ZOOP_MODEL_OPERATIONS");
    let operations: usize = wanted.unwrap_or(if is_long() { 100_000 } else { game.operations });
    let shares = operations.div_ceil(SHARE) as u64;
    let share = |number| {
        let name = format!("{name}::sequences_{number}_of_{shares}");
        Trial::test(name, move || play_share(game, number, shares, operations.min(SHARE)))
    };
    (1..=shares).map(share).collect()
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    match &arguments[..] {
        [_, work, database, seed] if work == process::WORKER => {
            worker::work(database, seed.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        _ => {
            let mut trials: Vec<_> = GAMES.into_iter().flat_map(trials).collect();
            let seed = variable("ZOOP_MODEL_SEED").unwrap_or(1);
            trials.push(Trial::test("engines::many_rows", move || {
                let rows = if is_long() { many_rows::MANY } else { many_rows::SOME };
                many_rows::play(rows, seed).map_err(|reason| failure(&reason, seed, "many_rows"))
            }));
            trials.push(Trial::test(
                "disagreement::is_found_and_reported",
                disagreement::is_found_and_reported,
            ));
            libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
        }
    }
}
