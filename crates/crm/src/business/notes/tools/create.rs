//! `notes.create`

use crate::business::notes::hints::HINTS;
use crate::business::notes::{
    KnownWords, MAX_BODY, Note, ShownNote, SubjectType, access, limit, record, store,
};
use crate::call::argument::{Argument, Field, Fields, Input, Json, Text, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// A new note.
    pub struct CreateNoteInput, rules = rules, hints = HINTS {
        /// The record's type, with subject_id; without both, the note is standalone.
        pub subject_type: Option<SubjectType>,
        /// The record's id.
        pub subject_id: Option<Id<kinds::Subject>>,
        /// Default false.
        pub pinned: Option<bool>,
        ..text: NoteText
    }
}

/// The subject's type and id must be sent together.
fn rules(sent: &mut Fields) {
    for (field, other) in [("subject_type", "subject_id"), ("subject_id", "subject_type")] {
        if sent.is_filled(other) && !sent.is_filled(field) {
            sent.refuse::<()>(field, format!("is required when {other} is sent"));
        }
    }
}

/// A new note's text, and whether it is a draft. Only a draft may have no text. `Input` is
/// implemented by hand, so that missing text is reported together with all other problems.
#[derive(Debug, Clone)]
pub struct NoteText {
    /// The text; empty only in a draft.
    pub body: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// The words of the text.
    pub words: KnownWords,
}

impl Input for NoteText {
    fn fields() -> Vec<Field> {
        vec![
            Field {
                name: "body",
                about: "Required unless draft is true.".to_owned(),
                schema: <Option<Text<MAX_BODY>> as Argument>::schema(),
                required: false,
            },
            Field {
                name: "draft",
                about: "true: only you see it, and it expires after a day unless notes.update commits it."
                    .to_owned(),
                schema: <Option<bool> as Argument>::schema(),
                required: false,
            },
        ]
    }

    fn canonical(_: &str, value: &Json) -> Json {
        value.clone()
    }

    fn read(sent: &mut Fields) -> Option<Self> {
        let body = sent.take::<Option<Text<MAX_BODY>>>("body");
        let draft = sent.take::<Option<bool>>("draft").map(|draft| draft == Some(true));
        if let (Some(None), Some(false)) = (&body, draft) {
            return sent.refuse("body", "is required unless draft is true");
        }
        let body = body?.map_or_else(String::new, |text| text.0);
        Some(Self { body, draft: draft?, words: KnownWords::default() })
    }
}

/// `notes.create`
pub struct CreateNote;

impl Tool for CreateNote {
    const NAME: &'static str = "notes.create";
    const TITLE: &'static str = "Create a note";
    const ABOUT: &'static str = "Creates a note, on a record or standalone.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"body":"Inspector visit scheduled for Friday.","subject_type":"job","subject_id":"{job}"}"#;
    type Input = CreateNoteInput;
    type Output = ShownNote;
}

impl Command for CreateNote {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> =
        Replay::Reread(|ctx, _, id| access::visible(ctx.tx, ctx.access, ctx.now, Id::new(id)));

    fn prepare(_: &mut ReadCtx<'_, '_>, mut input: CreateNoteInput) -> Result<CreateNoteInput> {
        if !input.text.draft {
            input.text.words = KnownWords::of(&input.text.body);
        }
        Ok(input)
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateNoteInput) -> Result<ShownNote> {
        if let (Some(subject_type), Some(id)) = (input.subject_type, input.subject_id) {
            access::require_subject(ctx.tx, ctx.access, subject_type, id)?;
        }
        let created_by = limit::count(ctx)?;
        let note = add(ctx, input, created_by)?;
        store::shown(ctx.tx, note)
    }
}

fn add(
    ctx: &mut WriteCtx<'_, '_>,
    input: &CreateNoteInput,
    created_by: Id<kinds::User>,
) -> Result<Note> {
    let id = store::next_id(ctx)?;
    let mut note = Note {
        id,
        body: input.text.body.clone(),
        pinned: input.pinned.unwrap_or(false),
        draft: input.text.draft,
        created_by,
        created_at: id.created_at(),
        updated_at: id.created_at(),
        subject_type: input.subject_type,
        subject_id: input.subject_id,
        attachments: Vec::new(),
        n: 0,
        archived_at: None,
    };
    note.n = store::insert(ctx.tx, &note)?;
    store::index(ctx.tx, &note, &input.text.words)?;
    record(ctx, None, &note)?;
    Ok(note)
}

/// Adds a note about a customer that this call has added. It does not count towards the limit on a user's note writes:
/// an import has a limit of its own.
pub(in crate::business) fn add_about(
    ctx: &mut WriteCtx<'_, '_>,
    customer: Id<kinds::Customer>,
    body: &str,
    words: &KnownWords,
) -> Result<()> {
    let Some(author) = ctx.access.actor.user() else {
        return Err(Error::internal("a note's author must be a user"));
    };
    let text = NoteText { body: body.to_owned(), draft: false, words: words.clone() };
    let subject_type = Some(SubjectType::Customer);
    let subject_id = Some(Id::new(customer.uuid()));
    let input = CreateNoteInput { subject_type, subject_id, pinned: None, text };
    add(ctx, &input, author).map(drop)
}
