//! `notes.list`

use zoop_db::Uuid;

use crate::business::customers;
use crate::business::files::store as files;
use crate::business::notes::hints::HINTS;
use crate::business::notes::index::{NoteQuery, NoteWords};
use crate::business::notes::listing::{self, Candidates, Filters, Range, Verified};
use crate::business::notes::{ShownNote, SubjectFilter};
use crate::call::answer::Page;
use crate::call::argument::{Author, DateOrTime, Fields, Ranged, SearchText, input};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::identity::{tenants, users};
use crate::values::id::{Id, kinds};

input! {
    /// The filters of the list.
    pub struct ListNotesInput, rules = rules, hints = HINTS {
        /// true lists only pinned ones.
        pub pinned: Option<bool>,
        /// standalone lists notes on no record.
        pub subject_type: Option<SubjectFilter>,
        /// Not with standalone.
        pub subject_id: Option<Id<kinds::Subject>>,
        /// Notes on a customer and on its contacts, locations, jobs …; not with standalone.
        pub customer_id: Option<Id<kinds::Customer>>,
        /// Words of the body, their beginnings or other forms (heaters, heater); not with standalone.
        pub q: Option<SearchText>,
        /// At or after this RFC 3339 time, date or local time.
        pub created_after: Option<DateOrTime>,
        /// Before this time.
        pub created_before: Option<DateOrTime>,
        /// Author's user id, or me.
        pub created_by: Option<Author>,
    }
}

/// Rejects filters that do not apply to standalone notes.
fn rules(sent: &mut Fields) {
    if sent.short_string("subject_type") == Some(SubjectFilter::STANDALONE) {
        for field in ["subject_id", "customer_id", "q"] {
            if sent.is_filled(field) {
                sent.refuse::<()>(field, "must not be sent when subject_type is standalone");
            }
        }
    }
}

/// `notes.list`
pub struct ListNotes;

impl Tool for ListNotes {
    const NAME: &'static str = "notes.list";
    const TITLE: &'static str = "List notes";
    const ABOUT: &'static str =
        "Lists or searches notes, newest first. Drafts and archived notes are left out.";
    const SCOPE: Scope = Scope::ReadNotes;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"subject_type":"job","subject_id":"{job}","pinned":true,"limit":25}"#;
    type Input = ListNotesInput;
    type Output = Page<ShownNote>;
}

impl List for ListNotes {
    type Row = ShownNote;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 25;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListNotesInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<ShownNote, Uuid>> {
        let found = page(ctx, input, after, count)?;
        // A customer that was merged into another one has no notes any more.
        match if found.rows.is_empty() { of_kept(ctx, input)? } else { None } {
            Some(input) => page(ctx, &input, after, count),
            None => Ok(found),
        }
    }
}

/// The same filters for the customers that those in them were merged into. `None` if none was.
fn of_kept(ctx: &mut ReadCtx<'_, '_>, input: &ListNotesInput) -> Result<Option<ListNotesInput>> {
    let mut kept = input.clone();
    if let Some(customer) = &mut kept.customer_id {
        *customer = kept_id(ctx, *customer)?;
    }
    // The subject may be a customer.
    if let Some(subject) = &mut kept.subject_id {
        *subject = Id::new(kept_id(ctx, Id::new(subject.uuid()))?.uuid());
    }
    let is_same = (kept.customer_id, kept.subject_id) == (input.customer_id, input.subject_id);
    Ok((!is_same).then_some(kept))
}

/// The id of the customer that this one was merged into, or its own. An id of another record stays too.
fn kept_id(ctx: &mut ReadCtx<'_, '_>, id: Id<kinds::Customer>) -> Result<Id<kinds::Customer>> {
    match customers::store::resolved(ctx.tx, id) {
        Ok(customer) => Ok(customer.id),
        Err(Error::NotFound { .. }) => Ok(id),
        Err(other) => Err(other),
    }
}

fn page(
    ctx: &mut ReadCtx<'_, '_>,
    input: &ListNotesInput,
    after: Option<Uuid>,
    count: usize,
) -> Result<Found<ShownNote, Uuid>> {
    let words = input.q.as_ref().map(|q| NoteWords::new(&q.0)).transpose();
    let words = words.map_err(|problem| Error::field("q", problem.text()))?;
    let Some(candidates) = candidates(ctx, input, words.as_ref())? else {
        return Ok(Found::all(Vec::new()));
    };
    let in_index = matches!(candidates, Candidates::Found(_));
    let verified = words
        .as_ref()
        .map(|words| Verified { words, every: !in_index || words.needs_verification() });
    let (from, before) = (input.created_after, input.created_before);
    let range = Range { ids: tenants::ids_between(ctx.tx, from, before)?, after };
    let mut found =
        listing::list(ctx.tx, ctx.access, &candidates, &range, verified.as_ref(), count)?;
    files::attach(ctx.tx, found.rows.iter_mut().map(|(shown, _)| shown))?;
    Ok(found)
}

/// The source of the rows: the notes of a customer or of a subject, or else the search index. `None` if the index
/// has no rows because `created_by` is not a user.
fn candidates(
    ctx: &mut ReadCtx<'_, '_>,
    input: &ListNotesInput,
    words: Option<&NoteWords>,
) -> Result<Option<Candidates>> {
    let pinned = input.pinned == Some(true);
    let created_by =
        input.created_by.map(|author| author.user(ctx.access, "created_by")).transpose()?;
    let filters = Filters {
        pinned,
        created_by,
        subject_type: input.subject_type.and_then(SubjectFilter::subject_type),
    };
    if let Some(customer) = input.customer_id {
        return Ok(Some(Candidates::OfCustomer(customer, input.subject_id, filters)));
    }
    if let Some(subject) = input.subject_id {
        return Ok(Some(Candidates::OfSubject(subject, filters)));
    }
    let created_by = match created_by {
        None => None,
        Some(user) => match users::store::number(ctx.tx, user)? {
            None => return Ok(None),
            known => known,
        },
    };
    let query = NoteQuery { words, pinned, created_by, subject: input.subject_type };
    Ok(Some(Candidates::Found(query.expression(customers::store::mark(ctx.tx)?))))
}
