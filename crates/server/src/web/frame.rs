//! The frame around every page of a signed-in user: the navigation, and who is signed in.

use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::page_context::PageContext;
use super::section::Section;
use super::tenant_context::TenantContext;
use super::times::Times;

/// What the frame shows.
pub(crate) struct Frame {
    pub(crate) name: String,
    /// Whose notes the browser keeps while they are typed.
    pub(crate) person: Id<kinds::User>,
    /// The sections that the user uses, except those to which another one leads.
    pub(crate) links: Vec<NavLink>,
    /// How the page writes times.
    pub(crate) times: Times,
}

/// A link of the navigation.
pub(crate) struct NavLink {
    pub(crate) address: String,
    pub(crate) label: &'static str,
    /// Whether the page belongs to this section.
    pub(crate) is_here: bool,
}

impl Frame {
    /// The frame of a page of one of the user's businesses. The navigation stays in this business.
    pub(crate) fn within(tenant_context: &TenantContext) -> Self {
        let TenantContext { context, signed_in, membership, memberships, section, .. } =
            tenant_context;
        let times = Times::of(Some(membership), context.now());
        let here = section.marked_for(membership.role);
        Self::new(signed_in, memberships, Some(membership), here, times)
    }

    /// The frame of a page of one of the user's businesses that belongs to no section.
    pub(crate) fn of_no_section(tenant_context: &TenantContext) -> Self {
        let mut frame = Self::within(tenant_context);
        frame.links.iter_mut().for_each(|link| link.is_here = false);
        frame
    }

    /// The frame of a page of the user's own account. The navigation leads back to the business that the URL names.
    pub(crate) fn of_account(
        context: &PageContext,
        signed_in: &SignedIn,
        memberships: &[Membership],
    ) -> Self {
        let business = context.query.text("business");
        let business = memberships.iter().find(|it| it.account.id.to_string() == business);
        let times = Times::of(business.or(memberships.first()), context.now());
        Self::new(signed_in, memberships, business, Section::Account, times)
    }

    fn new(
        signed_in: &SignedIn,
        memberships: &[Membership],
        business: Option<&Membership>,
        here: Section,
        times: Times,
    ) -> Self {
        // Without a business in the link, a section opens in the first business that uses it.
        let business = business.filter(|_| memberships.len() > 1);
        let offered = business.map_or(memberships, std::slice::from_ref);
        let is_offered = |section: &Section| {
            *section == Section::Account || offered.iter().any(|it| section.is_offered_to(it.role))
        };
        let link = |section: Section| NavLink {
            address: address(section.path(), business),
            label: section.label(),
            is_here: section == here,
        };
        let links = Section::ALL.iter().copied().filter(is_offered).map(link).collect();
        Self { name: signed_in.name.clone(), person: signed_in.user, links, times }
    }
}

fn address(path: &str, business: Option<&Membership>) -> String {
    match business {
        Some(business) => format!("{path}?business={}", business.account.id),
        None => path.to_owned(),
    }
}
