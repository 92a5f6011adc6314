//! The frame around every page of a signed-in user: the navigation, and who is signed in.

use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::identity::sign_in::sessions::Membership;

use super::tenant_context::{Section, TenantContext};

/// What the frame shows.
pub(crate) struct Frame {
    pub(crate) name: String,
    /// Whether the user belongs to a business, and so can open its customers.
    pub(crate) has_customers: bool,
    /// Whether the user may read the notes of a business.
    pub(crate) has_notes: bool,
    /// Whether the user owns a business, and so can open the team page.
    pub(crate) has_team: bool,
    pub(crate) here: &'static str,
}

impl Frame {
    pub(crate) fn of(signed_in: &SignedIn, memberships: &[Membership], here: &'static str) -> Self {
        let has =
            |section: Section| memberships.iter().any(|membership| section.is_for(membership.role));
        Self {
            name: signed_in.name.clone(),
            has_customers: has(Section::Customers),
            has_notes: has(Section::Notes),
            has_team: has(Section::Team),
            here,
        }
    }

    /// The frame of a page of one of the user's businesses.
    pub(crate) fn within(tenant_context: &TenantContext, here: &'static str) -> Self {
        Self::of(&tenant_context.signed_in, &tenant_context.memberships, here)
    }
}
