//! The tools for quotes.

mod archive;
mod create;
mod read;
mod set_lines;
mod update;

pub use archive::{ArchiveQuote, RestoreQuote};
pub use create::{CreateQuote, CreateQuoteInput};
pub use read::{GetQuote, ListQuotes, ListQuotesInput, QuoteInput};
pub use set_lines::{SetLines, SetLinesInput};
pub use update::{UpdateQuote, UpdateQuoteInput};

use crate::call::definition::{Group, ToolDef};

/// The tools for quotes.
pub const GROUP: Group = Group {
    name: "quotes",
    about: "Quotes: what work would cost, as customers are offered it.",
    tools: &[
        ToolDef::list::<ListQuotes>(),
        ToolDef::query::<GetQuote>(),
        ToolDef::command::<CreateQuote>(),
        ToolDef::command::<UpdateQuote>(),
        ToolDef::command::<ArchiveQuote>(),
        ToolDef::command::<SetLines>(),
        ToolDef::command::<RestoreQuote>(),
    ],
};
