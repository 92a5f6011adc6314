//! A test of the test: the model treats a technician as office staff, so the product seems to reject calls wrongly,
//! and the game must fail.

use libtest_mimic::Failed;
use zoop_db::Dialect;

use super::initial_state::InitialState;
use super::{GAMES, is_long, play_seed, player_from};

/// Seeds with at least one sequence in which a technician does what only the office may do.
const SEEDS: std::ops::Range<u64> = 1..20;

/// The disagreement is found, shrunk to one call, and reported with the command to replay it.
pub(super) fn is_found_and_reported() -> Result<(), Failed> {
    let mut initial = InitialState::new(Dialect::Sqlite);
    for tenant in &mut initial.tenants {
        let technician = tenant.roles.values_mut().find(|role| **role == "tech");
        *technician.ok_or("a technician")? = "office";
    }
    let play = player_from(initial);
    let [game, ..] = GAMES;
    let lost = SEEDS.into_iter().find_map(|seed| {
        let failure = play_seed(game, &*play, seed, 0).err()?;
        // Not every sequence shrinks to one call: two concurrent calls may be needed, or the records that a call names.
        let has = |text: &str| failure.message().is_some_and(|it| it.contains(text));
        let is_one_call = has("\n1 operations left.") && !has("\nthe model rejects: ");
        is_one_call.then_some((seed, failure))
    });
    let (seed, failure) = lost.ok_or("no seed contradicted the wrong model in one call")?;
    let message = failure.message().unwrap_or_default();
    let long = if is_long() { "ZOOP_TEST_LONG=1 " } else { "" };
    let command = format!(
        "\n{long}ZOOP_MODEL_SEED={seed} cargo test -p zoop-crm --test model {}\n",
        game.name
    );
    for part in [" tech: ", "\nthe product rejects: ", "\nthe model answers\n", &command] {
        if !message.contains(part) {
            return Err(format!("{part:?} is missing from:\n{message}").into());
        }
    }
    Ok(())
}
