//! A game that must be lost: the model is told that a technician works in the office, as if the product
//! had forgotten the technician's limits.

use libtest_mimic::Failed;
use zoop_db::Dialect;

use super::beginning::Beginning;
use super::{GAMES, is_long, play_seed, player};

/// Seeds among which a technician does what only the office may.
const SEEDS: std::ops::Range<u64> = 1..20;

/// A difference is found, cut down to the call that it takes, and told with what plays it again.
pub(super) fn is_found_and_told() -> Result<(), Failed> {
    let mut beginning = Beginning::new(Dialect::Sqlite);
    for tenant in &mut beginning.tenants {
        let technician = tenant.roles.values_mut().find(|role| **role == "tech");
        *technician.ok_or("a technician")? = "office";
    }
    let play = player(beginning);
    let [game, ..] = GAMES;
    let lost =
        SEEDS.into_iter().find_map(|seed| Some((seed, play_seed(game, &*play, seed, 0).err()?)));
    let (seed, failure) = lost.ok_or("a model that is wrong was never contradicted")?;
    let told = failure.message().unwrap_or_default();
    let long = if is_long() { "ZOOP_TEST_LONG=1 " } else { "" };
    let command = format!(
        "\n{long}ZOOP_MODEL_SEED={seed} cargo test -p zoop-crm --test model {}\n",
        game.name
    );
    for part in [
        " tech: ",
        "\nthe product refuses: ",
        "\nthe model answers\n",
        "\n1 operations are left.",
        &command,
    ] {
        if !told.contains(part) {
            return Err(format!("{part:?} is not told:\n{told}").into());
        }
    }
    Ok(())
}
