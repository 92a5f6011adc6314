//! Asks before an irreversible command.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

use crate::arguments::Confirmation;

/// Asks the question; fails unless the answer is yes. Without a terminal no one can answer, so it is not asked.
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
