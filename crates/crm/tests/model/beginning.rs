//! How every sequence begins: a database with two businesses, their people and their keys, made
//! once and copied.

use zoop_crm::access::{Access, Scope};
use zoop_crm::testing::{Business, World};

use super::contract::OPERATE;
use super::process::Credential;
use super::state::{Caller, Tenant};

const EVERYTHING: &[&str] = &["read:customers", "write:customers", "read:notes", "write:notes"];

pub(super) struct Beginning {
    /// The database's file.
    pub(super) database: Vec<u8>,
    pub(super) tenants: Vec<Tenant>,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

impl Beginning {
    pub(super) fn new() -> Self {
        let world = World::new();
        let tenants = ["Acme", "Beta"].map(|name| tenant(&world, &world.empty_business(name)));
        let now = world.environment.clock.now().0 / 1_000;
        let path = world.path();
        // Closed, the database is one file.
        drop(world.db);
        let database = std::fs::read(path).expect("the database's file");
        Self { database, tenants: tenants.into(), now }
    }
}

/// A business as the model knows it.
fn tenant(world: &World, business: &Business) -> Tenant {
    let user = |access: &Access| Business::user(access).to_string();
    let key = |person: Option<&Access>, scopes: &[Scope]| {
        Credential::Key(world.key(business.account, person.map(user).as_deref(), scopes))
    };
    let (owner, office, tech) =
        (Some(&business.owner), Some(&business.office), Some(&business.tech));
    let all = Scope::GRANTABLE;
    let reads = [Scope::ReadCustomers, Scope::ReadNotes];
    let writes = [Scope::WriteCustomers, Scope::WriteNotes];
    let operator = Credential::Operator(business.account.id.to_string());
    let callers: [(&'static str, &'static [&'static str], Option<&Access>, Credential); 8] = [
        ("owner", EVERYTHING, owner, key(owner, all)),
        ("office", EVERYTHING, office, key(office, all)),
        ("tech", EVERYTHING, tech, key(tech, all)),
        ("tenant", EVERYTHING, None, key(None, all)),
        ("writer", &["write:customers", "write:notes"], office, key(office, &writes)),
        ("reader", &["read:customers", "read:notes"], office, key(office, &reads)),
        ("keeper", &["write:customers"], None, key(None, &[Scope::WriteCustomers])),
        (
            "operator",
            &["read:customers", "write:customers", "read:notes", "write:notes", OPERATE],
            None,
            operator,
        ),
    ];
    let callers = callers.map(|(name, granted, person, credential)| Caller {
        name,
        credential,
        granted,
        user: person.map(user),
    });
    let roles = [(owner, "owner"), (office, "office"), (tech, "tech")];
    let roles = roles.map(|(person, role)| (user(person.expect("a person")), role));
    Tenant { callers: callers.into(), roles: roles.into(), ..Tenant::default() }
}
