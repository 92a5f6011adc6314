//! Every answer is bounded: in the largest business that the limits allow, no tool's answer is longer than its
//! bound, and the pages of a list hold every row exactly once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::ToolDef;
use crate::call::scope::{Scope, Scopes};
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv};

/// Active contacts and locations of the customer.
const ACTIVE: usize = 200;
/// Archived contacts and locations of the customer: no limit holds them.
const ARCHIVED: usize = 500;
const TAGS: usize = 2_000;
/// Notes, tags of the customer, people, keys, invitations and so on.
const MANY: usize = 120;
/// Connected programs, each of which takes several writes.
const PROGRAMS: usize = 70;
/// Beside the sample records of every business.
const SAMPLES: usize = 10;

/// A text of this many characters of four bytes each. It has no word, so that nothing has to be indexed.
fn long(characters: usize) -> String {
    "😀".repeat(characters)
}

/// A long text that begins with a number.
fn numbered(number: usize, characters: usize) -> String {
    format!("{number:04}{}", long(characters - 4))
}

/// The largest business.
struct World {
    env: TestEnv,
    business: Business,
}

impl World {
    fn new() -> Self {
        let env = TestEnv::new();
        let business = env.business("Acme");
        let world = Self { env, business };
        world.fill_customer();
        world.write_notes();
        world.make_tags();
        world.invite_and_connect();
        world
    }

    fn owner(&self, tool: &str, arguments: Value) -> Value {
        self.env.call(&self.business.owner, tool, arguments).expect(tool)
    }

    /// Calls of one tool, many in a transaction.
    fn all(
        &self,
        caller: &Caller,
        tool: &str,
        arguments: impl Iterator<Item = Value>,
    ) -> Vec<Value> {
        let calls: Vec<_> = arguments.map(|arguments| (tool.to_owned(), arguments)).collect();
        calls.chunks(50).flat_map(|some| self.env.write_all(caller, some.to_vec())).collect()
    }

    /// First the archived ones, a few at a time, because each call reads all active ones.
    fn fill_customer(&self) {
        let customer_id = self.business.id("customer");
        let update = json!({
            "id": customer_id, "first_name": long(128), "last_name": long(128),
            "notes_internal": long(10_000), "do_not_contact": true,
            "do_not_contact_reason": long(500), "source": long(64),
        });
        self.owner("customers.update", update);
        // Only the title is long: every name is indexed again with each change of a contact.
        let contact = json!({
            "customer_id": customer_id, "first_name": "Kai", "last_name": "Z",
            "phone": format!("+1 415 555 0177{}", " ".repeat(10)), "title": long(128),
            "email": format!("{}@example.com", "a".repeat(60)),
        });
        let location = |access: usize, notes: usize| {
            json!({
                "customer_id": customer_id, "address_line1": long(256),
                "address_line2": long(256), "city": long(128), "state": long(128),
                "postal_code": long(16), "label": long(128), "access_notes": long(access),
                "parking_notes": long(notes), "service_notes": long(notes), "place_id": long(512),
            })
        };
        let owner = &self.business.owner;
        for (group, record) in [("contacts", &contact), ("locations", &location(500, 1))] {
            for _ in 0..ARCHIVED / 50 {
                let some = std::iter::repeat_n(record.clone(), 50);
                let made = self.all(owner, &format!("{group}.create"), some);
                let which =
                    made.iter().map(|made| json!({ "customer_id": customer_id, "id": made["id"] }));
                self.all(owner, &format!("{group}.archive"), which);
            }
        }
        // Two contacts and a location are sample records. The first locations are the longest.
        self.all(owner, "contacts.create", std::iter::repeat_n(contact, ACTIVE - 2));
        let longest = location(10_000, 10_000);
        let example = json!({
            "customer_id": customer_id, "id": self.business.id("location"),
            "access_notes": longest["access_notes"], "parking_notes": longest["parking_notes"],
            "service_notes": longest["service_notes"],
        });
        self.owner("locations.update", example);
        let lengths = (1..ACTIVE).map(|number| if number < 10 { 10_000 } else { 500 });
        let locations = lengths.map(|length| location(length, length));
        self.all(owner, "locations.create", locations);
    }

    fn write_notes(&self) {
        let of_job = |body: String| json!({ "body": body, "subject_type": "job", "subject_id": self.business.id("job") });
        for some in 0..MANY / 20 {
            self.env.clock.advance(60_000);
            let body = |number| match some {
                0 if number < 10 => long(100_000),
                _ => numbered(number, 2_000),
            };
            let bodies = (0..20).map(|number| of_job(body(number)));
            self.all(&self.business.owner, "notes.create", bodies);
        }
        let update = json!({ "id": self.business.id("note"), "body": long(100_000) });
        self.owner("notes.update", update.clone());
        self.owner("notes.update", json!({ "id": update["id"], "body": numbered(1, 100_000) }));
    }

    fn make_tags(&self) {
        let customer_id = self.business.id("customer");
        let names = (1..TAGS).map(|number| json!({ "name": numbered(number, 64) }));
        let tags = self.all(&self.business.owner, "tags.create", names);
        let some = tags.iter().take(ACTIVE);
        let assignments = some.map(|tag| json!({ "id": tag["id"], "customer_id": customer_id }));
        self.all(&Caller::operator(Some(self.business.account)), "tags.attach", assignments);
    }

    /// People, keys, programs and invitations, and other businesses.
    fn invite_and_connect(&self) {
        let email = |number: usize| format!("{number:04}{}@example.com", "a".repeat(56));
        let operator = Caller::operator(Some(self.business.account));
        let people = (0..MANY).map(|number| {
            json!({ "name": numbered(number, 256), "email": email(number), "role": "office" })
        });
        let users = self.all(&operator, "users.create", people);
        let keys = users.iter().map(|user| {
            json!({
                "user": user["user_id"], "name": long(128),
                "scopes": Scopes::of(Scope::GRANTABLE).list(),
            })
        });
        self.all(&operator, "keys.create", keys);
        for number in 0..MANY {
            let business = json!({
                "name": numbered(number, 256), "owner_name": "Other",
                "owner_email": format!("other{number}@example.com"),
            });
            self.env.call_as_operator(None, "tenants.create", business);
        }
        let owner = Business::user(&self.business.owner);
        for _ in 1..PROGRAMS {
            self.env.connect(self.business.account, owner, Scopes::of(Scope::GRANTABLE));
        }
        // There may be a hundred open ones; one is a sample record.
        let invited = (1..100).map(|number| {
            let email = format!("i{}", email(number));
            json!({ "name": numbered(number, 256), "email": email, "role": "office" })
        });
        self.all(&operator, "invitations.create", invited);
    }

    fn caller(&self, tool: &ToolDef) -> Caller {
        match tool.scope {
            scope if scope.is_grantable() => self.business.owner.clone(),
            Scope::Operate if tool.name.starts_with("tenants.") => Caller::operator(None),
            _ => Caller::operator(Some(self.business.account)),
        }
    }

    /// A read tool's answer, which must not be longer than its bound.
    fn read(&self, tool: &ToolDef, arguments: &Value) -> Value {
        let caller = self.caller(tool);
        let answer = self.env.call_text(&caller, tool.name, &arguments.to_string());
        let answer = answer.expect(tool.name);
        let (bytes, most) = (answer.len(), tool.longest_answer());
        assert!(bytes <= most, "{} {arguments}: {bytes} bytes of {most}", tool.name);
        serde_json::from_str(&answer).expect("JSON")
    }

    /// The ids of all rows of a list, in order.
    fn walk(&self, tool: &ToolDef, filters: &Value, limit: Option<u32>) -> Vec<String> {
        let mut rows = Vec::new();
        let mut arguments = filters.clone();
        loop {
            if let Some(limit) = limit {
                arguments["limit"] = json!(limit);
            }
            let page = self.read(tool, &arguments);
            let found = page["rows"].as_array().expect("rows");
            assert!(!found.is_empty() || rows.is_empty(), "{}: an empty page", tool.name);
            let id = |row: &Value| row["id"].as_str().expect("an id").to_owned();
            rows.extend(found.iter().map(id));
            assert_eq!(page["hasMore"], page["nextCursor"].is_string(), "{}", tool.name);
            match page["nextCursor"].as_str() {
                Some(cursor) => arguments = json!({ "cursor": cursor }),
                None => return rows,
            }
        }
    }
}

/// The filters of each list, and the rows that it must have at least.
fn lists(business: &Business) -> Vec<(&'static str, Value, usize)> {
    let customer_id = business.id("customer");
    let archived = json!({ "customer_id": customer_id, "archived": true });
    vec![
        ("contacts.list", json!({ "customer_id": customer_id }), ACTIVE),
        ("contacts.list", archived.clone(), ARCHIVED),
        ("locations.list", json!({ "customer_id": customer_id }), ACTIVE),
        ("locations.list", archived, ARCHIVED),
        ("tags.list", json!({}), TAGS),
        ("customers.search", json!({}), 1),
        ("notes.list", json!({}), MANY),
        ("notes.list", json!({ "subject_id": business.id("job"), "subject_type": "job" }), MANY),
        ("history.list", json!({}), ACTIVE + 2 * ARCHIVED + TAGS),
        ("users.list", json!({}), MANY),
        ("keys.list", json!({}), MANY),
        ("grants.list", json!({}), PROGRAMS),
        ("invitations.list", json!({}), 100),
        ("tenants.list", json!({}), MANY),
        ("clients.list", json!({}), PROGRAMS),
    ]
}

#[both]
fn no_answer_exceeds_its_bound_and_pages_hold_every_row_once() {
    let world = World::new();
    let lists = lists(&world.business);
    for tool in catalog::tools() {
        let is_list = tool.fields().iter().any(|field| field.name == "cursor");
        assert_eq!(is_list, lists.iter().any(|(name, ..)| *name == tool.name), "{}", tool.name);
        // Each of the other tools, too, is called about the largest records.
        let example = world.business.fill(tool.example);
        if let Ok(answer) = world.env.try_out(&world.caller(tool), tool.name, &example) {
            let (bytes, most) = (answer.len(), tool.longest_answer());
            assert!(bytes <= most, "{}: {bytes} bytes of {most}", tool.name);
        }
    }
    for (name, filters, least) in lists {
        let tool = catalog::find(name).expect("a tool");
        let rows = world.walk(tool, &filters, None);
        let distinct: BTreeSet<_> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len(), "{name}: a row is there twice");
        assert!(rows.len() >= least, "{name}: {} rows of {least}", rows.len());
        if name != "history.list" {
            assert!(rows.len() <= least + SAMPLES, "{name}: {} rows of {least}", rows.len());
        }
        assert_eq!(world.walk(tool, &filters, Some(67)), rows, "{name}: in pages of another size");
    }
    a_long_customer_says_what_is_left_out(&world);
}

fn a_long_customer_says_what_is_left_out(world: &World) {
    let tool = catalog::find("customers.get").expect("a tool");
    let full = world.read(tool, &json!({ "id": world.business.id("customer") }));
    for (children, list) in [("contacts", "contacts.list"), ("locations", "locations.list")] {
        let told = full["truncated"][children].as_str().expect("what is left out");
        assert!(told.contains(list), "{told}");
        let all = catalog::find(list).expect("a tool");
        let page = world.read(all, &json!({ "customer_id": world.business.id("customer") }));
        let shown = full[children].as_array().expect("rows");
        assert!(!shown.is_empty());
        assert_eq!(shown[..], page["rows"].as_array().expect("rows")[..shown.len()], "{children}");
    }
    assert_eq!(full["tags"].as_array().expect("tags").len(), ACTIVE);
}
