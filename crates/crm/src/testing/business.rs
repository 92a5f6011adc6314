//! A sample business: its users, their callers, and a few records.

use serde_json::json;

use super::{Caller, TestEnv, text};
use crate::call::access::Account;
use crate::call::scope::{Scope, Scopes};
use crate::identity::tenants;
use crate::values::id::{Id, kinds};

/// One business of a test environment: its users, their callers, and a few records.
pub struct Business {
    /// The tenant, as calls need it.
    pub account: Account,
    /// The owner, with every scope.
    pub owner: Caller,
    /// A user with the role office and every scope.
    pub office: Caller,
    /// A user with the role tech and every scope that this role can have.
    pub tech: Caller,
    /// The tenant key, with every scope.
    pub tenant: Caller,
    /// The secret of the owner's key.
    pub owner_key: String,
    /// The secret of the tenant key.
    pub tenant_key: String,
    /// The ids of the sample records, by the name in the tools' examples.
    pub ids: Vec<(&'static str, String)>,
}

impl Business {
    /// The id of a sample record.
    ///
    /// # Panics
    /// If there is no such record.
    pub fn id(&self, name: &str) -> &str {
        let found = self.ids.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("a sample record called {name}")).1
    }

    /// An example with the ids of this business filled in.
    pub fn fill(&self, example: &str) -> String {
        self.ids
            .iter()
            .fold(example.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }

    /// The id of the user that a caller acts for.
    ///
    /// # Panics
    /// If the caller is not a user.
    pub fn user(access: &Caller) -> Id<kinds::User> {
        access.actor.user().expect("a user")
    }
}

impl TestEnv {
    /// A business with users and keys, but without records.
    ///
    /// # Panics
    /// If it cannot be created.
    pub fn empty_business(&self, name: &str) -> Business {
        let email = |who: &str| format!("{who}@{}.example", name.to_lowercase());
        let created = self.call_as_operator(
            None,
            "tenants.create",
            json!({
                "name": name, "owner_name": "Olive Owner", "owner_email": email("owner"),
            }),
        );
        let id = Id::parse(text(&created, "tenant_id")).expect("a tenant's id");
        let account = self.read(move |tx| tenants::account(tx, id)).expect("the account");
        let user = |who: &str, role: &str| {
            let arguments = json!({ "name": who, "email": email(role), "role": role });
            text(&self.call_as_operator(Some(account), "users.create", arguments), "user_id")
                .to_owned()
        };
        let owner = text(&created, "owner_id").to_owned();
        let office = user("Oscar Office", "office");
        let tech = user("Tessa Tech", "tech");
        let owner_key = self.key(account, Some(&owner), Scope::GRANTABLE);
        let tenant_key = self.key(account, None, Scope::GRANTABLE);
        let ids = vec![("office_user", office.clone())];
        Business {
            account,
            owner: self.access(&owner_key),
            office: self.access(&self.key(account, Some(&office), Scope::GRANTABLE)),
            tech: self.access(&self.key(account, Some(&tech), Scope::GRANTABLE)),
            tenant: self.access(&tenant_key),
            owner_key,
            tenant_key,
            ids,
        }
    }

    /// A business with the records that the tools' examples name.
    ///
    /// # Panics
    /// If it cannot be created.
    pub fn business(&self, name: &str) -> Business {
        let mut business = self.empty_business(name);
        let owner = business.owner.clone();
        let customer = self.create(
            &owner,
            "customers.create",
            json!({
                "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
                "phone": "(510) 555-0123", "email": "hana@example.com",
                "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                              "postal_code": "94607" },
            }),
        );
        let full =
            self.call(&owner, "customers.get", json!({ "id": customer })).expect("the customer");
        let contact = text(&full["contacts"][0], "id").to_owned();
        let location = text(&full["locations"][0], "id").to_owned();
        let other_contact = self.create(
            &owner,
            "contacts.create",
            json!({
                "customer_id": customer, "first_name": "Ben", "last_name": "Nguyen",
            }),
        );
        let tag = self.create(&owner, "tags.create", json!({ "name": "HOA" }));
        let people = [Business::user(&business.tech), Business::user(&business.office)];
        let people = people.map(|user| user.to_string());
        let job = json!({ "customer_id": customer, "title": "Repipe", "assignee_ids": people });
        let job = self.create(&owner, "jobs.create", job);
        let invoice = json!({
            "customer_id": customer, "subject_type": "invoice", "title": "Repipe", "status": "open",
        });
        let invoice = self.call_as_operator(Some(business.account), "subjects.create", invoice);
        let note = self.create(&owner, "notes.create", json!({ "body": "Gate sticks." }));
        let file = self.add_file(&owner, &note, "gate.txt", b"The code is 4711.").expect("a file");
        let key = self.call_as_operator(
            Some(business.account),
            "keys.create",
            json!({
                "scopes": "read:customers",
            }),
        );
        let owner_id = Business::user(&owner);
        let (grant, _) = self.connect(business.account, owner_id, Scopes::of(Scope::GRANTABLE));
        let invitation = self.call_as_operator(
            Some(business.account),
            "invitations.create",
            json!({ "name": "Ines Invited", "email": "invited@example.com", "role": "tech" }),
        );
        let tax_rate = self.create(
            &owner,
            "tax_rates.create",
            json!({ "name": "County", "rate_percentage": 8.25, "is_default": true }),
        );
        let category = json!({ "name": "Plumbing" });
        let catalog_category = self.create(&owner, "catalog_categories.create", category);
        let catalog_item = self.create(
            &owner,
            "catalog_items.create",
            json!({ "kind": "service", "name": "Drain camera", "price": "95.00" }),
        );
        let bundle = self.create(
            &owner,
            "catalog_items.create",
            json!({
                "kind": "bundle", "name": "Spring visit", "price": "180.00",
                "components": [{ "catalog_item_id": catalog_item, "quantity": 2 }],
            }),
        );
        let quote = json!({ "title": "Repipe", "customer_id": customer });
        let quote = self.create(&owner, "quotes.create", quote);
        self.archive_samples(&mut business, &customer, &tag);
        let cancelled = self.create(&owner, "jobs.create", json!({ "title": "Not wanted" }));
        self.call(&owner, "jobs.cancel", json!({ "id": cancelled })).expect("a cancelled job");
        business.ids.push(("cancelled_job", cancelled));
        let archived = json!({ "record_id": business.id("archived_contact"), "limit": 1 });
        let archived = self.call(&owner, "changes.list", archived).expect("the history");
        business.ids.push(("entry", text(&archived["rows"][0], "id").to_owned()));
        business.ids.extend([
            ("customer", customer),
            ("contact", contact),
            ("other_contact", other_contact),
            ("location", location),
            ("tag", tag),
            ("tax_rate", tax_rate),
            ("catalog_category", catalog_category),
            ("catalog_item", catalog_item),
            ("bundle", bundle),
            ("quote", quote),
            ("job", job),
            ("invoice", text(&invoice, "id").to_owned()),
            ("note", note),
            ("file", file.id.to_string()),
            ("key", text(&key, "key_id").to_owned()),
            ("grant", grant.to_string()),
            ("invitation", text(&invitation, "invitation_id").to_owned()),
        ]);
        business
    }

    /// Creates one archived record of each kind that can be restored. The archived customer has the tag.
    fn archive_samples(&self, business: &mut Business, customer: &str, tag: &str) {
        let owner = business.owner.clone();
        let samples = [
            (
                "archived_customer",
                "customers",
                json!({
                    "customer_type": "company", "company_name": "Closed Down",
                }),
            ),
            (
                "archived_contact",
                "contacts",
                json!({
                    "customer_id": customer, "first_name": "Moved", "last_name": "Away",
                }),
            ),
            (
                "archived_location",
                "locations",
                json!({
                    "customer_id": customer, "address_line1": "1 Sold Street", "city": "Oakland",
                    "state": "CA", "postal_code": "94607",
                }),
            ),
            ("archived_note", "notes", json!({ "body": "Out of date." })),
            ("archived_tax_rate", "tax_rates", json!({ "name": "Old", "rate_percentage": 7 })),
            (
                "archived_catalog_item",
                "catalog_items",
                json!({ "kind": "fee", "name": "Trip", "price": "40.00" }),
            ),
            ("archived_quote", "quotes", json!({ "title": "Old", "customer_id": customer })),
        ];
        for (name, group, arguments) in samples {
            let id = self.create(&owner, &format!("{group}.create"), arguments.clone());
            let mut target = json!({ "id": id });
            if group == "customers" {
                let assignment = json!({ "id": tag, "customer_id": id });
                self.call(&owner, "tags.attach", assignment).expect("the tag is attached");
            }
            if !arguments["customer_id"].is_null() && group != "quotes" {
                target["customer_id"] = json!(customer);
            }
            self.call(&owner, &format!("{group}.archive"), target).expect("the sample is archived");
            business.ids.push((name, id));
        }
    }
}
