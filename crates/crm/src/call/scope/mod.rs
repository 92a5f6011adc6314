//! Scopes: one block here for each resource area, and everything that follows from it.
//!
//! A block says which role holds the area's two scopes and what the consent page calls them. The names, the
//! grantable set, the roles' and the operator's sets, the read scope of a write, the words of pages and the
//! help of the command line follow. To add an area is to add a block; what it leaves out does not compile.

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
            about: "Add, change and archive customers, contacts and addresses; change and delete tags.",
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
