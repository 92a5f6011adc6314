//! The tool that creates subjects, which are records that notes can be about. Only the operator may call the tool;
//! `zoop demo` calls it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Subject, SubjectKind, store};
use crate::business::customers;
use crate::call::archive::Archivable;
use crate::call::argument::{Text, input};
use crate::call::context::WriteCtx;
use crate::call::definition::{Group, ToolDef};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

/// The tools for subjects.
pub const GROUP: Group = Group {
    name: "subjects",
    about: "Invoices and lawn estimates, as the subjects of notes.",
    tools: &[ToolDef::command::<CreateSubject>()],
};

input! {
    /// A new subject.
    pub struct CreateSubjectInput {
        /// The customer's id.
        pub customer_id: Id<kinds::Customer>,
        /// The kind of the subject.
        pub subject_type: SubjectKind,
        /// The subject's title.
        pub title: Text<128>,
        /// The subject's status, such as open.
        pub status: Text<64>,
    }
}

/// What `subjects.create` returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedSubject {
    /// The subject's id.
    pub id: Id<kinds::Subject>,
}

/// `subjects.create`
pub struct CreateSubject;

impl Tool for CreateSubject {
    const NAME: &'static str = "subjects.create";
    const TITLE: &'static str = "Create a subject";
    const ABOUT: &'static str =
        "Creates an invoice or lawn estimate of a customer, as a subject for notes.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str =
        r#"{"customer_id":"{customer}","subject_type":"invoice","title":"Repipe","status":"sent"}"#;
    type Input = CreateSubjectInput;
    type Output = CreatedSubject;
}

impl Command for CreateSubject {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateSubjectInput) -> Result<CreatedSubject> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let id = ctx.next_id::<kinds::Subject>(store::GREATEST_ID_BELOW)?;
        let subject = Subject {
            id,
            subject_type: input.subject_type,
            customer_id: customer.id,
            title: input.title.0.clone(),
            status: input.status.0.clone(),
            created_at: id.created_at(),
            updated_at: id.created_at(),
        };
        store::insert(ctx.tx, &subject)?;
        ctx.added(&subject)?;
        Ok(CreatedSubject { id })
    }
}
