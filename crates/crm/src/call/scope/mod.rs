//! Scopes, declared in one block for each area.
//!
//! A block says which roles have the area's scopes and how pages describe them. Everything else follows
//! from the blocks: the scopes' names, the grantable scopes, the scopes of each role and of the operator, the
//! read scope that belongs to each write scope, and the command line's help. To add an area, add a block. An
//! incomplete block does not compile. An area that nobody writes to, such as the history, has no write scope.

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
    jobs {
        read ReadJobs {
            title: "Read jobs",
            about: "See jobs: when they are, who works on them and what they come to. The crew sees only its own.",
            roles: [owner, office, tech],
        }
        write WriteJobs {
            title: "Change jobs",
            about: "Add, change and cancel jobs, as far as the role allows: the crew only says that its own are done.",
            roles: [owner, office, tech],
        }
    }
    quotes {
        read ReadQuotes {
            title: "Read quotes",
            about: "See quotes, their lines and what they come to.",
            roles: [owner, office, tech],
            also: ["read:estimates"],
        }
        write WriteQuotes {
            title: "Change quotes",
            about: "Add, change, send and archive quotes, as far as the role allows: only owners do.",
            roles: [owner, office, tech],
            also: ["write:estimates"],
        }
    }
    tax_rates {
        read ReadTaxRates {
            title: "Read tax rates",
            about: "See tax rates.",
            roles: [owner, office, tech],
        }
        write WriteTaxRates {
            title: "Change tax rates",
            about: "Add, change and archive tax rates.",
            roles: [owner, office],
        }
    }
    catalog_categories {
        read ReadCatalogCategories {
            title: "Read price book categories",
            about: "See the categories of the price book.",
            roles: [owner, office, tech],
            also: ["read:catalog"],
        }
        write WriteCatalogCategories {
            title: "Change price book categories",
            about: "Add, change and delete categories of the price book.",
            roles: [owner, office],
            also: ["write:catalog"],
        }
    }
    catalog_items {
        read ReadCatalogItems {
            title: "Read the price book",
            about: "See catalog items and their prices; what they cost you is shown to owners only.",
            roles: [owner, office, tech],
            also: ["read:catalog"],
        }
        write WriteCatalogItems {
            title: "Change the price book",
            about: "Add, change and archive catalog items.",
            roles: [owner, office],
            also: ["write:catalog"],
        }
    }
    history {
        read ReadHistory {
            title: "Read the history",
            about: "See who changed which record, as far as your other rights allow reading the record.",
            roles: [owner, office],
        }
    }
}
