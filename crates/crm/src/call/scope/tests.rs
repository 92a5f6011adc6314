//! Tests of scopes. They declare areas with aliases and an umbrella, because the product has none yet.

use std::collections::BTreeSet;

use super::{NAMES, Scope};
use crate::call::access::Role;

/// Four areas: one with aliases, two whose read scopes are under an umbrella, and one that nobody writes to.
#[expect(dead_code, unreachable_pub, reason = "the tests use only some of what `areas!` declares")]
mod shop {
    super::super::declare::areas! {
        quotes {
            read ReadQuotes {
                title: "Read quotes",
                about: "See quotes.",
                roles: [owner, office, tech],
                also: ["read:estimates"],
            }
            write WriteQuotes {
                title: "Write quotes",
                about: "Add and change quotes.",
                roles: [owner],
                also: ["write:estimates"],
            }
        }
        items {
            read ReadItems {
                title: "Read items",
                about: "See items.",
                roles: [owner, tech],
                also: ["read:catalog"],
            }
            write WriteItems {
                title: "Write items",
                about: "Add and change items.",
                roles: [owner, office],
            }
        }
        categories {
            read ReadCategories {
                title: "Read categories",
                about: "See categories.",
                roles: [owner, office],
                also: ["read:catalog"],
            }
            write WriteCategories {
                title: "Write categories",
                about: "Add and change categories.",
                roles: [owner, office],
            }
        }
        sales {
            read ReadSales {
                title: "Read sales",
                about: "See what was sold.",
                roles: [owner],
            }
        }
    }
}

use shop::{ROLE_SCOPES, Scope as ShopScope, ScopeNames, Scopes};

fn names(list: &str) -> ScopeNames {
    ScopeNames::parse(list.split(' ')).expect("known names")
}

#[test]
fn an_area_gives_its_scopes_their_names_and_counterparts() {
    let own: Vec<_> = ShopScope::GRANTABLE.iter().map(|scope| scope.name()).collect();
    assert_eq!(
        own,
        [
            "read:quotes",
            "write:quotes",
            "read:items",
            "write:items",
            "read:categories",
            "write:categories",
            "read:sales"
        ]
    );
    assert_eq!(ShopScope::WriteItems.read_counterpart(), ShopScope::ReadItems);
    assert_eq!(ShopScope::ReadItems.read_counterpart(), ShopScope::ReadItems);
    assert_eq!(ShopScope::ReadSales.read_counterpart(), ShopScope::ReadSales);
    assert_eq!(ShopScope::WriteQuotes.title(), "Write quotes");
    assert_eq!(ShopScope::WriteQuotes.about(), "Add and change quotes.");
}

#[test]
fn an_area_gives_each_role_its_scopes() {
    assert_eq!(ROLE_SCOPES.owner, Scopes::of(ShopScope::GRANTABLE));
    assert_eq!(ROLE_SCOPES.tech, Scopes::of(&[ShopScope::ReadQuotes, ShopScope::ReadItems]));
    assert!(
        !ROLE_SCOPES.office.has(ShopScope::WriteQuotes)
            && ROLE_SCOPES.office.has(ShopScope::WriteItems)
    );
    assert!(Scopes::ALL.has(ShopScope::Administer) && Scopes::ALL.has(ShopScope::Operate));
    assert_eq!(Scopes::ALL.list(), Scopes::of(ShopScope::GRANTABLE).list());
}

#[test]
fn an_alias_and_an_umbrella_stand_for_their_scopes_and_keep_their_names() {
    let both = Scopes::of(&[ShopScope::ReadItems, ShopScope::ReadCategories]);
    assert_eq!(names("read:catalog").scopes(), both);
    assert_eq!(names("read:estimates").scopes(), names("read:quotes").scopes());
    assert_eq!(names("read:catalog").scopes().list(), "read:items read:categories");
    let given = names("read:catalog write:items read:estimates read:catalog");
    assert_eq!(
        given.list(),
        "write:items read:estimates read:catalog",
        "each name appears once, in order"
    );
    assert_eq!(names(&given.list()), given);
    assert_eq!(ScopeNames::own(given.scopes()).list(), given.scopes().list());
    assert_eq!(
        serde_json::to_value(given).expect("JSON"),
        serde_json::json!(["write:items", "read:estimates", "read:catalog"])
    );
}

#[test]
fn an_unknown_name_is_reported_or_ignored() {
    assert_eq!(ScopeNames::parse(["read:items", "read:all", "x"]), Err("read:all"));
    assert_eq!(
        ScopeNames::parse(["operate"]),
        Err("operate"),
        "no credential can be granted this scope"
    );
    assert_eq!(ScopeNames::parse_known(" read:all  read:items\tadminister ").list(), "read:items");
    assert!(ScopeNames::parse_known("").is_empty());
    assert_eq!(ScopeNames::ALL.scopes(), Scopes::of(ShopScope::GRANTABLE));
}

#[test]
fn a_name_that_is_granted_in_part_becomes_the_names_of_its_scopes() {
    let requested = names("read:catalog write:estimates");
    let within = |granted: &[ShopScope]| requested.within(Scopes::of(granted)).list();
    assert_eq!(within(ShopScope::GRANTABLE), "write:estimates read:catalog");
    assert_eq!(
        within(&[ShopScope::ReadItems, ShopScope::WriteQuotes]),
        "read:items write:estimates"
    );
    assert_eq!(within(&[ShopScope::ReadQuotes]), "");
    let twice = names("read:catalog read:items").within(Scopes::of(&[ShopScope::ReadItems]));
    assert_eq!(twice.list(), "read:items");
}

#[test]
fn the_names_of_the_declared_areas_are_distinct_and_never_mix_reading_and_writing() {
    let (own, more) = NAMES.split_at(Scope::GRANTABLE.len());
    let own: BTreeSet<_> = own.iter().map(|(name, _)| *name).collect();
    assert_eq!(own.len(), Scope::GRANTABLE.len());
    assert!(more.iter().all(|(name, _)| !own.contains(name)));
    for (name, scope) in NAMES {
        let verb = |name: &str| name.split_once(':').expect("a verb").0.to_owned();
        assert_eq!(verb(name), verb(scope.name()));
    }
}

#[test]
fn an_owner_can_have_every_scope_and_no_role_writes_what_it_cannot_read() {
    assert_eq!(Role::Owner.scopes(), super::Scopes::of(Scope::GRANTABLE));
    for role in Role::ALL {
        for scope in role.scopes().iter() {
            assert!(role.scopes().has(scope.read_counterpart()), "{} {scope:?}", role.word());
        }
    }
}

#[test]
fn only_owners_and_the_office_read_the_history() {
    let readers = Role::ALL.iter().filter(|role| role.scopes().has(Scope::ReadHistory));
    assert_eq!(readers.collect::<Vec<_>>(), [&Role::Owner, &Role::Office]);
}

#[test]
fn only_sessions_of_owners_manage() {
    let session_only = [Scope::Administer, Scope::Operate];
    let has = |role: Role| session_only.map(|scope| role.session_scopes().has(scope));
    assert_eq!(has(Role::Owner), [true, false]);
    assert_eq!(has(Role::Office), [false, false]);
    assert_eq!(has(Role::Tech), [false, false]);
    for scope in session_only {
        assert!(!scope.is_grantable(), "{scope:?}");
        assert!(super::ScopeNames::parse([scope.name()]).is_err(), "no credential can name it");
        assert!(!super::ScopeNames::ALL.scopes().has(scope), "{scope:?}");
        assert!(Role::ALL.iter().all(|role| !role.scopes().has(scope)), "{scope:?}");
        assert!(!Scope::READING.contains(&scope), "it does not count as any scope that reads");
    }
}

#[test]
fn any_scope_that_reads_allows_what_every_reader_may_do() {
    use super::Scopes;
    let (reader, writer) =
        (Scopes::of(&[Scope::ReadNotes]), Scopes::of(&[Scope::WriteNotes, Scope::WriteCustomers]));
    assert!(reader.has(Scope::AnyRead) && Scopes::ALL.has(Scope::AnyRead));
    assert!(!writer.has(Scope::AnyRead) && !Scopes::NONE.has(Scope::AnyRead));
    assert!([reader, writer, Scopes::NONE].iter().all(|scopes| scopes.has(Scope::Nothing)));
    assert_eq!(Scope::AnyRead.to_request(reader.or(writer)), Scope::ReadNotes);
    assert_eq!(Scope::AnyRead.to_request(writer), Scope::ReadCustomers);
    assert_eq!(Scope::WriteNotes.to_request(reader), Scope::WriteNotes);
}
