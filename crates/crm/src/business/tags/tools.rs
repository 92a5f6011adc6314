//! The tools for tags.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::hints::{ASSIGNMENT_HINTS, HINTS};
use super::{DEFAULT_COLOR, MAX_TAGS, Tag, store};
use crate::business::customers::{self, Customer};
use crate::call::answer::{Deleted, Page};
use crate::call::archive::Archivable as _;
use crate::call::argument::{Color, Fields, NotNull, Ranged, Text, input};
use crate::call::context::{ReadCtx, Recorded, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::history::change::DETACHED;
use crate::call::scope::Scope;
use crate::call::tool::{
    ActorRule, Command, Effect, Exposure, Found, List, Query, Receipt, Replay, Step, Tool,
};
use crate::values::id::{Id, kinds};

/// The tools for tags.
pub const GROUP: Group = Group {
    name: "tags",
    about: "Tags: the account's labels for customers.",
    tools: &[
        ToolDef::list::<ListTags>(),
        ToolDef::query::<GetTag>(),
        ToolDef::command::<CreateTag>(),
        ToolDef::command::<UpdateTag>(),
        ToolDef::command::<DeleteTag>(),
        ToolDef::command::<AttachTag>(),
        ToolDef::command::<DetachTag>(),
    ],
};

/// Maximum number of customers that lose a tag in one transaction.
pub(in crate::business) const DETACHED_AT_ONCE: usize = 200;

input! {
    /// No fields.
    pub struct ListTagsInput, hints = HINTS {}
}

/// `tags.list`
pub struct ListTags;

impl Tool for ListTags {
    const NAME: &'static str = "tags.list";
    const TITLE: &'static str = "List tags";
    const ABOUT: &'static str = "Lists the account's tags, sorted by name.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = "{}";
    type Input = ListTagsInput;
    type Output = Page<Tag>;
}

impl List for ListTags {
    type Row = Tag;
    /// The tag's name key.
    type Position = String;
    type Limit = Ranged<1, 1_000>;
    // Without a limit, a caller gets all tags of an ordinary tenant.
    const DEFAULT_LIMIT: u32 = 1_000;
    const AT_ONCE: usize = 1_000;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListTagsInput,
        after: Option<String>,
        count: usize,
    ) -> Result<Found<Tag, String>> {
        Ok(Found::all(store::list(ctx.tx, after.as_deref().unwrap_or_default(), count)?))
    }
}

input! {
    /// A tag.
    pub struct TagInput, hints = HINTS {
        /// The tag's id.
        pub id: Id<kinds::Tag>,
    }
}

/// `tags.get`
pub struct GetTag;

impl Tool for GetTag {
    const NAME: &'static str = "tags.get";
    const TITLE: &'static str = "Get a tag";
    const ABOUT: &'static str = "Returns one tag.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tag}"}"#;
    type Input = TagInput;
    type Output = Tag;
}

impl Query for GetTag {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &TagInput) -> Result<Tag> {
        store::get(ctx.tx, input.id)
    }
}

input! {
    /// A new tag.
    pub struct CreateTagInput, hints = HINTS {
        /// Unique in the account, ignoring case and invisible characters.
        pub name: Text<64>,
        /// #RRGGBB; default #6B7280.
        pub color: Option<Color>,
    }
}

/// `tags.create`
pub struct CreateTag;

impl Tool for CreateTag {
    const NAME: &'static str = "tags.create";
    const TITLE: &'static str = "Create a tag";
    const ABOUT: &'static str = "Creates a tag.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r##"{"name":"Seasonal","color":"#3B82F6"}"##;
    type Input = CreateTagInput;
    type Output = Tag;
}

impl Command for CreateTag {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, _, id| store::get(ctx.tx, Id::new(id)));

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateTagInput) -> Result<Tag> {
        require_unique_name(ctx, &input.name.0, None)?;
        add(ctx, &input.name.0, input.color.as_ref().map_or(DEFAULT_COLOR, |color| &color.0))
    }
}

/// Adds a tag whose name no other has.
pub(in crate::business) fn add(ctx: &mut WriteCtx<'_, '_>, name: &str, color: &str) -> Result<Tag> {
    let id = ctx.next_id::<kinds::Tag>(store::GREATEST_ID_BELOW)?;
    let tag = Tag {
        id,
        name: name.to_owned(),
        color: color.to_owned(),
        created_at: id.created_at(),
        updated_at: id.created_at(),
        created_by: ctx.access.actor.user(),
    };
    store::insert(ctx.tx, &tag)?;
    ctx.added(&tag)?;
    Ok(tag)
}

input! {
    /// The changes to a tag.
    pub struct UpdateTagInput, rules = update_rules, hints = HINTS {
        /// The tag's id.
        pub id: Id<kinds::Tag>,
        /// Unique in the account, ignoring case and invisible characters.
        pub name: NotNull<Text<64>>,
        /// #RRGGBB.
        pub color: NotNull<Color>,
    }
}

fn update_rules(sent: &mut Fields) {
    sent.require_change(&["id"]);
}

/// `tags.update`
pub struct UpdateTag;

impl Tool for UpdateTag {
    const NAME: &'static str = "tags.update";
    const TITLE: &'static str = "Update a tag";
    const ABOUT: &'static str = "Renames or recolors a tag.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tag}","name":"Winter"}"#;
    type Input = UpdateTagInput;
    type Output = Tag;
}

impl Command for UpdateTag {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateTagInput) -> Result<Tag> {
        let old = store::get(ctx.tx, input.id)?;
        let input = input.clone();
        let new = Tag {
            name: input.name.0.map_or_else(|| old.name.clone(), |name| name.0),
            color: input.color.0.map_or_else(|| old.color.clone(), |color| color.0),
            updated_at: ctx.moment(),
            ..old.clone()
        };
        require_unique_name(ctx, &new.name, Some(new.id))?;
        store::update(ctx.tx, &new)?;
        ctx.updated(&old, &new)?;
        Ok(new)
    }
}

/// Rejects a name that a tag other than `own` already has.
pub(super) fn require_unique_name(
    ctx: &mut WriteCtx<'_, '_>,
    name: &str,
    own: Option<Id<kinds::Tag>>,
) -> Result<()> {
    match store::by_name(ctx.tx, name)? {
        Some(found) if Some(found) != own => Err(Error::conflict(
            "A tag with this name already exists: use it, or choose another name.",
        )),
        _ => Ok(()),
    }
}

/// `tags.delete`
pub struct DeleteTag;

impl Tool for DeleteTag {
    const NAME: &'static str = "tags.delete";
    const TITLE: &'static str = "Delete a tag";
    const ABOUT: &'static str = "Deletes a tag and all its assignments to customers.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tag}"}"#;
    type Input = TagInput;
    type Output = Deleted<kinds::Tag>;
}

impl Command for DeleteTag {
    const EFFECT: Effect = Effect::Destroy;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn advance(ctx: &mut WriteCtx<'_, '_>, input: &TagInput) -> Result<Step<()>> {
        detach_some(ctx, input.id)
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &TagInput) -> Result<Deleted<kinds::Tag>> {
        let old = store::get(ctx.tx, input.id)?;
        store::delete(ctx.tx, input.id)?;
        ctx.removed(&old)?;
        Ok(Deleted::of(input.id))
    }
}

/// Takes a tag that is being deleted from its next customers. Done if it has no more customers then.
pub(in crate::business) fn detach_some(
    ctx: &mut WriteCtx<'_, '_>,
    tag: Id<kinds::Tag>,
) -> Result<Step<()>> {
    store::get(ctx.tx, tag)?;
    let customers = store::detach_first(ctx.tx, tag, DETACHED_AT_ONCE)?;
    for customer in &customers {
        // Each customer's own history shows that it lost the tag.
        ctx.changed(Customer::TYPE, customer.uuid(), "tag", json!(tag), json!(null));
    }
    if customers.len() < DETACHED_AT_ONCE {
        return Ok(Step::Done(()));
    }
    // By this, the entries of all parts are found through the tag.
    ctx.changed(Tag::TYPE, tag.uuid(), DETACHED, json!(null), json!(customers.len()));
    Ok(Step::Partial)
}

input! {
    /// A tag and a customer.
    pub struct AssignmentInput, hints = ASSIGNMENT_HINTS {
        /// The tag's id.
        pub id: Id<kinds::Tag>,
        /// The customer's id.
        pub customer_id: Id<kinds::Customer>,
    }
}

macro_rules! assignment_answer {
    ($(#[$about:meta])* $answer:ident, $(#[$flag_about:meta])* $flag:ident) => {
        $(#[$about])*
        #[derive(Debug, Serialize, JsonSchema)]
        pub struct $answer {
            $(#[$flag_about])*
            pub $flag: bool,
            /// The tag's id.
            pub id: Id<kinds::Tag>,
            /// The customer's id.
            pub customer_id: Id<kinds::Customer>,
        }
    };
}
assignment_answer!(
    /// What `tags.attach` returns.
    Attached,
    /// Always true: the customer has the tag now.
    attached
);
assignment_answer!(
    /// What `tags.detach` returns.
    Detached,
    /// Always true: the customer does not have the tag now.
    detached
);

/// `tags.attach`
pub struct AttachTag;

impl Tool for AttachTag {
    const NAME: &'static str = "tags.attach";
    const TITLE: &'static str = "Attach a tag";
    const ABOUT: &'static str = "Attaches a tag to a customer.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tag}","customer_id":"{customer}"}"#;
    type Input = AssignmentInput;
    type Output = Attached;
}

impl Command for AttachTag {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &AssignmentInput) -> Result<Attached> {
        let tag = store::get(ctx.tx, input.id)?;
        let customer = customers::store::get(ctx.tx, input.customer_id)?;
        let customer = customer.unless_archived(ctx.access)?;
        if store::attach(ctx.tx, customer.id, tag.id)? {
            require_room(ctx, customer.id)?;
            record_assignment(ctx, &customer, json!(null), json!(tag.id))?;
        }
        Ok(Attached { attached: true, id: tag.id, customer_id: customer.id })
    }
}

/// `tags.detach`
pub struct DetachTag;

impl Tool for DetachTag {
    const NAME: &'static str = "tags.detach";
    const TITLE: &'static str = "Detach a tag";
    const ABOUT: &'static str = "Detaches a tag from a customer.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tag}","customer_id":"{archived_customer}"}"#;
    type Input = AssignmentInput;
    type Output = Detached;
}

impl Command for DetachTag {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    /// An archived customer loses the tag too, as it does when the tag is deleted.
    fn run(ctx: &mut WriteCtx<'_, '_>, input: &AssignmentInput) -> Result<Detached> {
        let tag = store::get(ctx.tx, input.id)?;
        let customer = customers::store::get(ctx.tx, input.customer_id)?;
        let customer = customer.unless_merged(ctx.access)?;
        if store::detach(ctx.tx, customer.id, tag.id)? {
            record_assignment(ctx, &customer, json!(tag.id), json!(null))?;
        }
        Ok(Detached { detached: true, id: tag.id, customer_id: customer.id })
    }
}

/// Rejects a tag that a customer has got, if it has too many now.
pub(super) fn require_room(
    ctx: &mut WriteCtx<'_, '_>,
    customer: Id<kinds::Customer>,
) -> Result<()> {
    if customers::store::tags(ctx.tx, customer)?.len() <= MAX_TAGS {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "This customer already has {MAX_TAGS} tags, the maximum: detach one first."
    )))
}

/// Records a customer's change of tags in the search index and in its history.
fn record_assignment(
    ctx: &mut WriteCtx<'_, '_>,
    customer: &Customer,
    old: Value,
    new: Value,
) -> Result<()> {
    customers::store::reindex(ctx.tx, customer)?;
    ctx.changed(Customer::TYPE, customer.id.uuid(), "tag", old, new);
    Ok(())
}
