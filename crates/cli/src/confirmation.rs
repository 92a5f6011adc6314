//! Asks before an irreversible command.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

use crate::arguments::Confirmation;

/// Asks the question, and fails unless the answer is yes. With `--yes` or without a terminal it asks nothing, and the
/// command continues.
pub(crate) fn confirm(confirmation: &Confirmation, question: &str) -> Result<()> {
    if confirmation.yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(());
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    bail!("nothing was changed");
}
