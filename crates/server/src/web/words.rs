//! How pages describe roles, scopes and programs.

use zoop_crm::call::access::Role;
use zoop_crm::call::scope::{ScopeNames, Scopes};
use zoop_crm::catalog;
use zoop_crm::identity::oauth::grants::GrantRecord;

/// A title and one sentence of description.
pub(crate) struct Words {
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
}

/// The title of a role, and what a user with that role may do.
pub(crate) const fn role(role: Role) -> Words {
    let (title, about) = match role {
        Role::Owner => {
            ("Owner", "Does everything: customers, everyone's notes, people and their roles.")
        }
        Role::Office => (
            "Office",
            "Reads and changes customers; reads and writes notes; sees who changed what.",
        ),
        Role::Tech => ("Tech", "Reads customers; reads and writes notes."),
    };
    Words { title, about }
}

/// What scopes allow, to follow "It may".
pub(crate) fn scopes(names: ScopeNames) -> String {
    titles(names.scopes())
}

/// [`scopes`], for a key that acts for the business: without what only users can do.
pub(crate) fn scopes_of_business(names: ScopeNames) -> String {
    let of_use = titles(names.scopes().and(catalog::scopes_without_user()));
    if of_use.is_empty() { "do nothing".to_owned() } else { of_use }
}

fn titles(scopes: Scopes) -> String {
    scopes.iter().map(|scope| scope.title().to_lowercase()).collect::<Vec<_>>().join(", ")
}

/// Where a connected program is from, because programs' names are not unique.
pub(crate) fn host(grant: &GrantRecord) -> String {
    if grant.client_is_local {
        format!("this device ({})", grant.client_host)
    } else {
        grant.client_host.clone()
    }
}
