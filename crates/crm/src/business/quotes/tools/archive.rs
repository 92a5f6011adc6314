//! `quotes.archive` and `quotes.restore`

use super::read::QuoteInput;
use crate::business::quotes::store;
use crate::call::answer::{Archived, Restored};
use crate::call::archive::{archive, restore};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::kinds;

/// `quotes.archive`
pub struct ArchiveQuote;

impl Tool for ArchiveQuote {
    const NAME: &'static str = "quotes.archive";
    const TITLE: &'static str = "Archive a quote";
    const ABOUT: &'static str =
        "Archives a quote; its status stays. changes.revert brings it back.";
    const SCOPE: Scope = Scope::WriteQuotes;
    const ACTOR: ActorRule = ActorRule::Owner;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{quote}"}"#;
    type Input = QuoteInput;
    type Output = Archived<kinds::Quote>;
}

impl Command for ArchiveQuote {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &QuoteInput) -> Result<Archived<kinds::Quote>> {
        let quote = store::get(ctx.tx, input.id)?;
        archive(ctx, &quote)
    }
}

/// `quotes.restore`
pub struct RestoreQuote;

impl Tool for RestoreQuote {
    const NAME: &'static str = "quotes.restore";
    const TITLE: &'static str = "Restore a quote";
    const ABOUT: &'static str = "Restores an archived quote.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = r#"{"id":"{archived_quote}"}"#;
    type Input = QuoteInput;
    type Output = Restored<kinds::Quote>;
}

impl Command for RestoreQuote {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &QuoteInput) -> Result<Restored<kinds::Quote>> {
        let quote = store::get(ctx.tx, input.id)?;
        restore(ctx, &quote)
    }
}
