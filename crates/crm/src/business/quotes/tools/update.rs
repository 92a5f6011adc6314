//! `quotes.update`

use crate::business::customers;
use crate::business::quotes::hints::HINTS;
use crate::business::quotes::{Quote, QuoteStatus, ShownQuote, store};
use crate::call::archive::Archivable;
use crate::call::argument::{Fields, NotNull, Text, choices, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

choices! {
    /// What a quote becomes.
    pub enum NextStatus {
        /// The customer has it.
        Sent = "sent",
        /// The customer wants the work.
        Accepted = "accepted",
        /// The customer does not want it.
        Declined = "declined",
    }
}

impl From<NextStatus> for QuoteStatus {
    fn from(next: NextStatus) -> Self {
        match next {
            NextStatus::Sent => Self::Sent,
            NextStatus::Accepted => Self::Accepted,
            NextStatus::Declined => Self::Declined,
        }
    }
}

input! {
    /// The changes to a quote.
    pub struct UpdateQuoteInput, rules = update_rules, hints = HINTS {
        /// The quote's id.
        pub id: Id<kinds::Quote>,
        /// Only of a draft.
        pub title: NotNull<Text<200>>,
        /// Only of a draft.
        pub customer_id: NotNull<Id<kinds::Customer>>,
        /// draft → sent → accepted or declined; neither goes back.
        pub status: NotNull<NextStatus>,
    }
}

fn update_rules(sent: &mut Fields) {
    sent.require_change(&["id"]);
}

/// `quotes.update`
pub struct UpdateQuote;

impl Tool for UpdateQuote {
    const NAME: &'static str = "quotes.update";
    const TITLE: &'static str = "Update a quote";
    const ABOUT: &'static str = "Changes a draft quote, or notes that a quote was sent, accepted or \
        declined. Nothing is mailed.";
    const SCOPE: Scope = Scope::WriteQuotes;
    const ACTOR: ActorRule = ActorRule::Owner;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{quote}","status":"sent"}"#;
    type Input = UpdateQuoteInput;
    type Output = ShownQuote;
}

impl Command for UpdateQuote {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> =
        Replay::Reread(|ctx, _, id| store::shown(ctx.tx, ctx.access, Id::new(id)));

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateQuoteInput) -> Result<ShownQuote> {
        let old = store::get(ctx.tx, input.id)?.unless_archived(ctx.access)?;
        let mut new = old.clone();
        if let Some(title) = &input.title.0 {
            new.title.clone_from(&title.0);
        }
        if let Some(customer) = input.customer_id.0.filter(|id| *id != old.customer_id) {
            let customer = customers::store::get(ctx.tx, customer)?.unless_archived(ctx.access)?;
            new.customer_id = customer.id;
        }
        let is_rewritten = new != old;
        if is_rewritten && old.status != QuoteStatus::Draft {
            return Err(Error::conflict(format!(
                "This quote is {}: its title and customer can only change while it is a draft.",
                old.status.word()
            )));
        }
        if let Some(status) = input.status.0.map(QuoteStatus::from).filter(|it| *it != old.status) {
            step(old.status, status)?;
            new.status = status;
            match status {
                QuoteStatus::Sent => new.sent_at = Some(ctx.moment()),
                _ => new.decided_at = Some(ctx.moment()),
            }
        }
        Quote::save(ctx, &old, &Quote { updated_at: ctx.moment(), ..new })?;
        store::shown(ctx.tx, ctx.access, input.id)
    }
}

/// Rejects a step that a quote cannot take, and says which it can.
fn step(from: QuoteStatus, to: QuoteStatus) -> Result<()> {
    let next = match (from, to) {
        (QuoteStatus::Draft, QuoteStatus::Sent)
        | (QuoteStatus::Sent, QuoteStatus::Accepted | QuoteStatus::Declined) => return Ok(()),
        (QuoteStatus::Draft, _) => "it can only be sent now",
        (QuoteStatus::Sent, _) => "it can only be accepted or declined now",
        (QuoteStatus::Accepted | QuoteStatus::Declined, _) => {
            "that is final: create another quote instead"
        }
    };
    Err(Error::conflict(format!("This quote is {}: {next}.", from.word())))
}
