//! The tools for invitations. Pages and the command line use them.

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::{Timestamp, Uuid};

use super::{InvitationRecord, LIFETIME, store};
use crate::call::access::Role;
use crate::call::answer::{Page, done};
use crate::call::argument::{Email, Name, Ranged, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Found, List, Receipt, Replay, Tool};
use crate::identity::users;
use crate::values::clock::Moment;
use crate::values::email;
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

/// Maximum number of open invitations of a tenant.
const MAX_OPEN: usize = 100;

/// The group of these tools.
pub const GROUP: Group = Group {
    name: "invitations",
    about: "The people who are invited to join an account.",
    tools: &[
        ToolDef::command::<CreateInvitation>(),
        ToolDef::list::<ListInvitations>(),
        ToolDef::command::<RevokeInvitation>(),
    ],
};

input! {
    /// Whom to invite.
    pub struct CreateInvitationInput {
        /// The person's name.
        pub name: Name,
        /// The person's e-mail address.
        pub email: Email,
        /// What they will be allowed to do.
        pub role: Role,
    }
}

/// A new invitation. Its link is shown only now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedInvitation {
    /// The invitation's id.
    pub invitation_id: Id<kinds::Invitation>,
    /// The path of its link on this server. Pass it on: it is not shown again.
    pub path: String,
    /// When the link stops working.
    pub expires_at: Moment,
}

/// `invitations.create`
pub struct CreateInvitation;

impl Tool for CreateInvitation {
    const NAME: &'static str = "invitations.create";
    const TITLE: &'static str = "Invite a person";
    const ABOUT: &'static str = "Creates a link with which a person joins the account. It works once, within seven \
                                 days. An open invitation to the same e-mail address is revoked.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str =
        r#"{"name":"Robin Example","email":"robin@example.com","role":"office"}"#;
    type Input = CreateInvitationInput;
    type Output = CreatedInvitation;
}

impl Command for CreateInvitation {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateInvitationInput) -> Result<CreatedInvitation> {
        let key = email::key(&input.email.0);
        if users::store::members(ctx.tx)?.iter().any(|member| email::key(&member.email) == key) {
            return Err(Error::conflict(
                "This person is already a member: change their role instead.",
            ));
        }
        let open = store::open(ctx.tx, ctx.now, Uuid::nil(), usize::MAX)?;
        for earlier in open.iter().filter(|earlier| email::key(&earlier.email) == key) {
            revoke(ctx, earlier)?;
        }
        if open.len() >= MAX_OPEN {
            return Err(Error::conflict(
                "There are already 100 open invitations: revoke one that is not needed.",
            ));
        }
        let secret = Secret::generate(SecretKind::Invitation, &ctx.environment.entropy);
        let id = ctx.next_global_id::<kinds::Invitation>(store::GREATEST_ID_BELOW)?;
        let record = InvitationRecord {
            id,
            name: input.name.0.clone(),
            email: input.email.0.clone(),
            role: input.role,
            invited_by: ctx.access.actor.user(),
            created_at: id.created_at(),
            expires_at: Moment(Timestamp(ctx.now.0 + LIFETIME)),
            accepted_at: None,
            revoked_at: None,
        };
        store::insert(ctx.tx, &secret, &record)?;
        ctx.added(&record)?;
        let path = format!("/invitations/{}", secret.expose());
        Ok(CreatedInvitation { invitation_id: id, path, expires_at: record.expires_at })
    }
}

input! {
    /// No fields.
    pub struct ListInvitationsInput {}
}

/// `invitations.list`
pub struct ListInvitations;

impl Tool for ListInvitations {
    const NAME: &'static str = "invitations.list";
    const TITLE: &'static str = "List open invitations";
    const ABOUT: &'static str = "Lists the invitations whose links still work, in creation order.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = ListInvitationsInput;
    type Output = Page<InvitationRecord>;
}

impl List for ListInvitations {
    type Row = InvitationRecord;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListInvitationsInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<InvitationRecord, Uuid>> {
        let found = store::open(ctx.tx, ctx.now, after.unwrap_or(Uuid::nil()), count)?;
        Ok(page::with_positions(found, |row| row.id.uuid()))
    }
}

input! {
    /// An invitation to revoke.
    pub struct RevokeInvitationInput {
        /// The invitation's id.
        pub id: Id<kinds::Invitation>,
    }
}

done!(
    /// What `invitations.revoke` returns.
    RevokedInvitation, revoked, "The invitation's id."
);

/// `invitations.revoke`
pub struct RevokeInvitation;

impl Tool for RevokeInvitation {
    const NAME: &'static str = "invitations.revoke";
    const TITLE: &'static str = "Revoke an invitation";
    const ABOUT: &'static str = "Stops an invitation's link at once.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{invitation}"}"#;
    type Input = RevokeInvitationInput;
    type Output = RevokedInvitation<kinds::Invitation>;
}

impl Command for RevokeInvitation {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RevokeInvitationInput,
    ) -> Result<RevokedInvitation<kinds::Invitation>> {
        let invitation = store::by_id(ctx.tx, input.id)?;
        if !invitation.is_open(ctx.moment()) {
            return Err(Error::conflict(
                "This invitation has already ended and can no longer be accepted.",
            ));
        }
        revoke(ctx, &invitation)?;
        Ok(RevokedInvitation::of(input.id))
    }
}

fn revoke(ctx: &mut WriteCtx<'_, '_>, old: &InvitationRecord) -> Result<()> {
    store::revoke(ctx.tx, old.id, ctx.now)?;
    ctx.updated(old, &InvitationRecord { revoked_at: Some(ctx.moment()), ..old.clone() })
}
