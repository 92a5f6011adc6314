//! `notes.update`

use crate::business::notes::hints::HINTS;
use crate::business::notes::{
    KnownWords, MAX_BODY, Note, ShownNote, SubjectType, access, limit, save, store,
};
use crate::call::archive::Archivable;
use crate::call::argument::{Fields, NotNull, Patch, Text, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The changes to a note.
    pub struct UpdateNoteInput, rules = rules, hints = HINTS {
        /// The note's id.
        pub id: Id<kinds::Note>,
        /// The new text.
        pub body: NotNull<Text<MAX_BODY>>,
        /// Pinned.
        pub pinned: NotNull<bool>,
        /// With subject_id; null in both detaches the note.
        pub subject_type: Patch<SubjectType>,
        /// The record's id.
        pub subject_id: Patch<Id<kinds::Subject>>,
        /// false commits a draft.
        pub draft: NotNull<bool>,
        ..words: KnownWords
    }
}

/// The subject's type and id must be sent together, and cleared together.
fn rules(sent: &mut Fields) {
    for (field, other) in [("subject_type", "subject_id"), ("subject_id", "subject_type")] {
        if sent.was_sent(other) && !sent.was_sent(field) {
            sent.refuse::<()>(field, format!("is required when {other} is sent"));
        } else if sent.was_sent(field) && sent.is_filled(other) && !sent.is_filled(field) {
            sent.refuse::<()>(field, format!("cannot be null by itself: send null as {other} too"));
        }
    }
    sent.require_change(&["id"]);
}

/// `notes.update`
pub struct UpdateNote;

impl Tool for UpdateNote {
    const NAME: &'static str = "notes.update";
    const TITLE: &'static str = "Update a note";
    const ABOUT: &'static str = "Changes the fields sent and keeps the others. Only \
        its author or an owner may.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{note}","pinned":true}"#;
    type Input = UpdateNoteInput;
    type Output = ShownNote;
}

impl Command for UpdateNote {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> =
        Replay::Reread(|ctx, _, id| access::visible(ctx.tx, ctx.access, ctx.now, Id::new(id)));

    /// Computes the words even if the body does not change: the index has all tokens of a note in one row, so any
    /// change writes the words again.
    fn prepare(ctx: &mut ReadCtx<'_, '_>, mut input: UpdateNoteInput) -> Result<UpdateNoteInput> {
        input.words = match &input.body.0 {
            Some(body) => KnownWords::of(&body.0),
            None => KnownWords::of_stored(ctx, input.id)?,
        };
        Ok(input)
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateNoteInput) -> Result<ShownNote> {
        let old = access::changeable(ctx, input.id)?.unless_archived(ctx.access)?;
        if !old.draft && input.draft.0 == Some(true) {
            return Err(Error::field("draft", "cannot be true: the note is committed already"));
        }
        let input = input.clone();
        let new = Note {
            body: input.body.0.map_or_else(|| old.body.clone(), |body| body.0),
            pinned: input.pinned.0.unwrap_or(old.pinned),
            draft: input.draft.0.unwrap_or(old.draft),
            subject_type: input.subject_type.apply(old.subject_type),
            subject_id: input.subject_id.apply(old.subject_id),
            updated_at: ctx.moment(),
            ..old.clone()
        };
        if !new.draft && new.body.is_empty() {
            return Err(Error::field("body", "is required to commit this draft, which has none"));
        }
        if let (Some(subject_type), Some(id)) = (new.subject_type, new.subject_id)
            && (old.draft
                || (old.subject_type, old.subject_id) != (new.subject_type, new.subject_id))
        {
            access::require_subject(ctx.tx, ctx.access, subject_type, id)?;
        }
        if new.draft {
            limit::count_draft(ctx, &new.body)?;
        } else {
            limit::count(ctx)?;
        }
        save(ctx, &old, &new, &input.words)?;
        store::shown(ctx.tx, new)
    }
}
