//! The parts of the site. The navigation, the pages to come back to after signing in, and the tests of every page
//! follow from this list, so a new part is covered as soon as it is listed.

use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::access::Role;
use zoop_crm::call::scope::Scope;

use super::page;

/// A part of the site, to which a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The customers of a business.
    Customers,
    /// The notes of a business.
    Notes,
    /// The tags of a business.
    Tags,
    /// Who changed what in a business.
    Activity,
    /// The members of a business.
    Team,
    /// The API keys of a business.
    Keys,
    /// The programs that the people of a business have connected.
    Apps,
    /// What quotes and invoices of a business add for taxes.
    TaxRates,
    /// What is set for a business.
    Settings,
    /// The user's own account, in all their businesses.
    Account,
}

/// What the navigation needs to know about a section.
struct Part {
    label: &'static str,
    /// The first page.
    path: &'static str,
    /// What a user must be allowed to do in a business to use the section there.
    scope: Scope,
}

impl Section {
    /// Every section, in the order of the navigation.
    pub(crate) const ALL: &[Self] = &[
        Self::Customers,
        Self::Notes,
        Self::Tags,
        Self::Activity,
        Self::Team,
        Self::Keys,
        Self::Apps,
        Self::TaxRates,
        Self::Settings,
        Self::Account,
    ];

    const fn part(self) -> Part {
        let (label, path, scope) = match self {
            Self::Customers => ("Customers", "/customers", Scope::ReadCustomers),
            Self::Notes => ("Notes", "/notes", Scope::ReadNotes),
            Self::Tags => ("Tags", "/tags", Scope::ReadCustomers),
            Self::Activity => ("Activity", "/activity", Scope::ReadHistory),
            Self::Team => ("Team", "/team", Scope::Administer),
            Self::Keys => ("API keys", "/keys", Scope::Administer),
            Self::Apps => ("Connected apps", "/apps", Scope::Administer),
            Self::TaxRates => ("Tax rates", "/settings/tax-rates", Scope::ReadTaxRates),
            Self::Settings => ("Settings", "/settings", Scope::Administer),
            Self::Account => ("Account", "/account", Scope::Nothing),
        };
        Part { label, path, scope }
    }

    /// The section's name in the navigation.
    pub(crate) const fn label(self) -> &'static str {
        self.part().label
    }

    /// The section's first page. Also the page to come back to after signing in again.
    pub(crate) const fn path(self) -> &'static str {
        self.part().path
    }

    /// Whether members with this role use the section. The tools decide what they may do there.
    pub(crate) const fn is_for(self, role: Role) -> bool {
        role.session_scopes().has(self.part().scope)
    }

    /// Whether the navigation leads members with this role to the section. The settings lead to the tax rates, so the
    /// navigation does so only for those who change tax rates without the settings.
    pub(super) const fn is_offered_to(self, role: Role) -> bool {
        match self {
            Self::TaxRates => {
                role.session_scopes().has(Scope::WriteTaxRates) && !Self::Settings.is_for(role)
            }
            section => section.is_for(role),
        }
    }

    /// The section that the navigation marks on a page of this one, for members with this role.
    pub(super) const fn marked_for(self, role: Role) -> Self {
        match self {
            Self::TaxRates if Self::Settings.is_for(role) => Self::Settings,
            section => section,
        }
    }

    /// Whether the query of the section's first page says what to search for.
    pub(crate) const fn has_search(self) -> bool {
        matches!(self, Self::Customers | Self::Notes | Self::Activity)
    }

    /// The answer to a user who does not use the section in this business, or in any.
    pub(super) fn not_used(self) -> Response {
        let message = match self {
            Self::Team => "Only owners can manage the team. Ask an owner of your business.",
            Self::Activity => "Only owners and the office can see the activity.",
            Self::Keys | Self::Apps | Self::Settings => {
                "Only owners can open this. Ask an owner of your business."
            }
            Self::Customers | Self::Notes | Self::Tags | Self::TaxRates | Self::Account => {
                "You belong to no business. Ask an owner to invite you."
            }
        };
        page::stop(StatusCode::FORBIDDEN, "You cannot do this", message)
    }
}
