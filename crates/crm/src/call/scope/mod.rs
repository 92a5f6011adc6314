//! Scopes: each area is one block here, and everything else follows from it.
//!
//! A block says which roles have the area's two scopes and what the consent page calls them. The scopes'
//! names, the grantable scopes, the scopes of the roles and of the operator, the read scope that belongs to
//! each write scope, the wording of pages and the command line's help follow from it. To add an area, add a
//! block. An incomplete block does not compile.

mod declare;
#[cfg(test)]
mod tests;

declare::areas! {
    customers {
        read ReadCustomers {
            title: "Read customers",
            about: "See customers, their contacts, addresses and tags.",
            roles: [owner, office, tech],
        }
        write WriteCustomers {
            title: "Change customers",
            about: "Add, change and archive customers, contacts and addresses; add, change and delete tags.",
            roles: [owner, office],
        }
    }
    notes {
        read ReadNotes {
            title: "Read notes",
            about: "See the notes that the team has written.",
            roles: [owner, office, tech],
        }
        write WriteNotes {
            title: "Write notes",
            about: "Add, change and archive notes in your name.",
            roles: [owner, office, tech],
        }
    }
}
