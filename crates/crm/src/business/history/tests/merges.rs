//! Merges among other random changes: after each call the records fit together, and undoing all of them, newest first,
//! leads back to the beginning.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::Dialect;

use super::revert::{assert_same, newest, state, without_reverted};
use super::rows;
use crate::testing::{Business, Caller, TestEnv, engine, error_json, text};

/// Calls of one game, most of which are refused at some point: a customer is archived or merged already.
const CALLS: usize = 60;

struct Game<'a> {
    env: &'a TestEnv,
    acme: &'a Business,
    random: StdRng,
    customers: Vec<String>,
    tags: Vec<String>,
    /// What was called with success, for the failure message.
    done: Vec<String>,
}

impl<'a> Game<'a> {
    fn new(env: &'a TestEnv, acme: &'a Business, seed: u64) -> Self {
        let owner = &acme.owner;
        let tag = |name: &str| env.create(owner, "tags.create", json!({ "name": name }));
        let tags: Vec<_> = ["Gate", "Dog", "Late"].iter().map(|name| tag(name)).collect();
        let address = json!({ "address_line1": "12 Oak Street", "city": "Oakland", "state": "CA",
                              "postal_code": "94607" });
        let person = |first: &str, tags: &[String]| {
            let fields = json!({ "customer_type": "individual", "first_name": first,
                "last_name": "Doe", "email": format!("{first}@example.com"), "tags": tags,
                "external_id": first, "location": address });
            env.create(owner, "customers.create", fields)
        };
        let company = |name: &str| {
            let fields = json!({ "customer_type": "company", "company_name": name });
            env.create(owner, "customers.create", fields)
        };
        let customers = vec![
            person("Bob", &tags[..1]),
            person("Rob", &tags[..2]),
            person("Ann", &[]),
            company("Doe Inc."),
            company("Doe"),
        ];
        let operator = Caller::operator(Some(acme.account));
        for customer in &customers {
            let job = json!({ "customer_id": customer, "title": "Repipe" });
            env.create(&acme.owner, "jobs.create", job);
            let invoice = json!({ "customer_id": customer, "subject_type": "invoice",
                                  "title": "Repipe", "status": "open" });
            env.create(&operator, "subjects.create", invoice);
        }
        Self { env, acme, random: StdRng::seed_from_u64(seed), customers, tags, done: Vec::new() }
    }

    fn pick(&mut self, from: &[String]) -> String {
        from.choose(&mut self.random).expect("one").clone()
    }

    /// The id of some contact or location of a customer, archived or not, or of the customer itself.
    fn part(&mut self, list: &str, customer: &str) -> String {
        let mut ids = Vec::new();
        for archived in [false, true] {
            let of = json!({ "customer_id": customer, "archived": archived });
            let page = self.env.call(&self.acme.owner, list, of).expect(list);
            let rows = page["rows"].as_array().expect("rows").iter();
            ids.extend(rows.map(|row| text(row, "id").to_owned()));
        }
        if ids.is_empty() { customer.to_owned() } else { self.pick(&ids) }
    }

    fn call(&mut self) {
        let customers = self.customers.clone();
        let (one, other) = (self.pick(&customers), self.pick(&customers));
        let tag = self.pick(&self.tags.clone());
        let contact = self.part("contacts.list", &one);
        let location = self.part("locations.list", &one);
        let word = format!("word{}", self.random.random_range(0..1_000));
        let of = |id: &str| json!({ "id": id, "customer_id": one });
        let with = |mut object: Value, field: &str, value: Value| {
            object[field] = value;
            object
        };
        let take: &[&str] = [&["email"][..], &["external_id", "notes_internal"], &[]]
            .choose(&mut self.random)
            .expect("one");
        let merge = json!({ "keep_id": one, "merge_id": other, "take": take });
        let address = json!({ "customer_id": one, "address_line1": word, "city": "Oakland",
                              "state": "CA", "postal_code": "94607" });
        let note =
            |kind: &str, id: &str| json!({ "body": word, "subject_type": kind, "subject_id": id });
        let (tool, arguments) = match self.random.random_range(0..21) {
            0..6 => ("customers.merge", merge),
            6 => ("customers.archive", json!({ "id": one })),
            7 => ("customers.restore", json!({ "id": one })),
            8 => ("customers.update", json!({ "id": one, "email": format!("{word}@example.com") })),
            9 => ("customers.update", json!({ "id": one, "external_id": word })),
            10 => (
                "contacts.create",
                json!({ "customer_id": one, "first_name": word, "last_name": "Doe" }),
            ),
            11 => ("contacts.update", with(of(&contact), "is_primary", json!(true))),
            12 => ("contacts.update", with(of(&contact), "title", json!(word))),
            13 => ("contacts.archive", of(&contact)),
            14 => ("locations.create", address),
            15 => ("locations.update", with(of(&location), "label", json!(word))),
            16 => ("locations.archive", of(&location)),
            17 => ("notes.create", note("customer", &one)),
            18 => ("notes.create", note("customer_contact", &contact)),
            19 => ("tags.attach", json!({ "id": tag, "customer_id": one })),
            _ => ("tags.detach", json!({ "id": tag, "customer_id": one })),
        };
        self.env.clock.advance(1_000_000);
        if self.env.call(&self.acme.owner, tool, arguments.clone()).is_ok() {
            self.done.push(format!("{tool} {arguments}"));
        }
    }

    /// Undoes an entry. Returns whether there was something to undo: a call may have put everything as it was already.
    fn undo(&self, entry: &Value) -> bool {
        self.env.clock.advance(1_000_000);
        let id = json!({ "id": entry["id"] });
        let Err(error) = self.env.call(&self.acme.owner, "changes.revert", id) else { return true };
        let error = error_json(&error).to_string();
        assert!(error.contains("nothing to undo"), "{error}: {entry}\n{}", self.done.join("\n"));
        false
    }

    /// Every customer that is not merged has its primary contact, no two primary locations of a kind, and is found.
    fn check(&self, state: &BTreeMap<String, Value>) {
        let done = || self.done.join("\n");
        let of = |id: &str, is: fn(&Value) -> bool| {
            let of_customer = state.values().filter(|it| it["customer_id"] == *id);
            of_customer.filter(|it| it["archived_at"].is_null() && is(it)).count()
        };
        let mut numbers = 0;
        for (id, customer) in state.iter().filter(|(_, it)| it["customer_number"].is_string()) {
            numbers += 1 + customer["merged_from"].as_array().map_or(0, Vec::len);
            let primary = of(id, |it| it["first_name"].is_string() && it["is_primary"] == true);
            assert_eq!(primary, 1, "primary contacts of {id}\n{}", done());
            let primary = of(id, |it| it["city"].is_string() && it["is_primary"] == true);
            assert!(primary <= 1, "primary locations of {id}\n{}", done());
            for number in
                [&customer["customer_number"], &customer["merged_from"][0]["customer_number"]]
            {
                if number.is_null() {
                    continue;
                }
                let search = json!({ "customer_number": number, "status": customer["status"] });
                let found =
                    self.env.call(&self.acme.owner, "customers.search", search).expect("a page");
                assert_eq!(found["rows"][0]["id"], json!(id), "{number}\n{}", done());
            }
        }
        assert_eq!(numbers, self.customers.len(), "each customer is there or merged\n{}", done());
        // No note is about a customer that is gone.
        for note in state.values().filter(|it| it["subject_id"].is_string()) {
            let customer = note["customer_id"].as_str().expect("a customer");
            assert!(state.contains_key(customer), "{note}\n{}", done());
        }
    }
}

#[both]
fn merges_among_other_changes_are_undone_in_reverse_order() {
    let games = if engine() == Dialect::Sqlite { 10 } else { 1 };
    let mut merges = 0;
    for seed in 0..games {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let mut game = Game::new(&env, &acme, seed);
        let before = state(&env, &acme);
        let first = rows(&env, &acme.owner, &json!({ "limit": 1 })).len();
        for _ in 0..CALLS {
            game.call();
        }
        game.check(&state(&env, &acme));
        let entries = rows(&env, &acme.owner, &json!({}));
        for entry in &entries[..entries.len() - first] {
            let was = (entry["tool"] == "customers.merge").then(|| state(&env, &acme));
            let undone = game.undo(entry);
            // A merge that is undone can be done again.
            if let (Some(was), true) = (was, undone) {
                let undoing = newest(&env, &acme.owner);
                assert!(game.undo(&undoing));
                let about = format!("game {seed}, {entry}:\n{}", game.done.join("\n"));
                assert_same(&state(&env, &acme), &was, &about);
                game.undo(entry);
                merges += 1;
            }
        }
        let after = without_reverted(state(&env, &acme), &before);
        game.check(&after);
        assert_same(&after, &before, &format!("game {seed}:\n{}", game.done.join("\n")));
    }
    assert!(merges > 3 * usize::try_from(games).expect("a number"), "{merges}");
}
