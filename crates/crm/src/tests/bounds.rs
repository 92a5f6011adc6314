//! Every answer is bounded: in the largest business that the limits allow, no tool's answer is longer than its
//! bound, and the pages of a list contain every row exactly once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_both::both;

use crate::business::lines::MAX_LINES;
use crate::call::definition::ToolDef;
use crate::call::scope::{Scope, Scopes};
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv};

/// Number of active contacts, of active locations and of tags of the customer.
const ACTIVE: usize = 200;
/// Number of archived contacts and of archived locations of the customer. No limit applies to them.
const ARCHIVED: usize = 500;
const TAGS: usize = 2_000;
/// Number of notes, of users, of keys and of other tenants.
const MANY: usize = 120;
/// Number of connected programs. Connecting one takes several writes.
const PROGRAMS: usize = 70;
/// Maximum number of sample records that a list also contains.
const SAMPLES: usize = 10;

/// Text of this many characters, each of four bytes. It contains no word, so nothing has to be indexed.
fn long(characters: usize) -> String {
    "😀".repeat(characters)
}

/// Long text that begins with a number.
fn numbered(number: usize, characters: usize) -> String {
    format!("{number:04}{}", long(characters - 4))
}

/// The largest business that the limits allow.
struct Fixture {
    env: TestEnv,
    business: Business,
}

impl Fixture {
    fn new() -> Self {
        let env = TestEnv::new();
        let business = env.business("Acme");
        let fixture = Self { env, business };
        fixture.fill_customer();
        fixture.write_notes();
        fixture.write_quotes();
        fixture.write_jobs();
        fixture.make_tags();
        fixture.invite_and_connect();
        fixture
    }

    fn call_as_owner(&self, tool: &str, arguments: Value) -> Value {
        self.env.call(&self.business.owner, tool, arguments).expect(tool)
    }

    /// Makes calls of one tool, 50 in each transaction, and returns their answers.
    fn call_all(
        &self,
        caller: &Caller,
        tool: &str,
        arguments: impl Iterator<Item = Value>,
    ) -> Vec<Value> {
        let calls: Vec<_> = arguments.map(|arguments| (tool.to_owned(), arguments)).collect();
        calls.chunks(50).flat_map(|batch| self.env.write_all(caller, batch.to_vec())).collect()
    }

    /// Creates and archives the archived records first, because each call reads all active records.
    fn fill_customer(&self) {
        let customer_id = self.business.id("customer");
        let update = json!({
            "id": customer_id, "first_name": long(128), "last_name": long(128),
            "notes_internal": long(10_000), "do_not_contact": true,
            "do_not_contact_reason": long(500), "source": long(64),
        });
        self.call_as_owner("customers.update", update);
        // Only the title is long, because each change of a contact indexes all names again.
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
                let batch = std::iter::repeat_n(record.clone(), 50);
                let made = self.call_all(owner, &format!("{group}.create"), batch);
                let to_archive =
                    made.iter().map(|made| json!({ "customer_id": customer_id, "id": made["id"] }));
                self.call_all(owner, &format!("{group}.archive"), to_archive);
            }
        }
        // Two of the contacts and one location are sample records. The first locations are the longest.
        let longest = location(10_000, 10_000);
        let example = json!({
            "customer_id": customer_id, "id": self.business.id("location"),
            "access_notes": longest["access_notes"], "parking_notes": longest["parking_notes"],
            "service_notes": longest["service_notes"],
        });
        self.call_as_owner("locations.update", example);
        let lengths = (1..ACTIVE).map(|number| if number < 10 { 10_000 } else { 500 });
        let locations = lengths.map(|length| location(length, length));
        self.call_all(owner, "locations.create", locations);
        self.call_all(owner, "contacts.create", std::iter::repeat_n(contact, ACTIVE - 2));
    }

    fn write_notes(&self) {
        let job_note = |body: String| json!({ "body": body, "subject_type": "job", "subject_id": self.business.id("job") });
        for batch in 0..MANY / 20 {
            self.env.clock.advance(60_000);
            let body = |number| match batch {
                0 if number < 10 => long(100_000),
                _ => numbered(number, 2_000),
            };
            let bodies = (0..20).map(|number| job_note(body(number)));
            self.call_all(&self.business.owner, "notes.create", bodies);
        }
        let update = json!({ "id": self.business.id("note"), "body": long(100_000) });
        self.call_as_owner("notes.update", update.clone());
        self.call_as_owner(
            "notes.update",
            json!({ "id": update["id"], "body": numbered(1, 100_000) }),
        );
    }

    /// The sample quote gets the longest lines.
    fn write_quotes(&self) {
        let operator = Caller::operator(Some(self.business.account));
        let line = json!({ "section": long(200), "description": long(1_000), "unit_price": 85 });
        let lines = vec![line; MAX_LINES];
        let lines = json!({ "id": self.business.id("quote"), "line_items": lines });
        self.env.call(&operator, "quotes.set_lines", lines).expect("the longest lines");
        let customer_id = self.business.id("customer");
        let quote = json!({ "title": long(200), "customer_id": customer_id });
        self.call_all(&self.business.owner, "quotes.create", std::iter::repeat_n(quote, MANY));
    }

    /// The sample job gets the longest texts and lines.
    fn write_jobs(&self) {
        let line = json!({ "description": long(1_000), "unit_price": 85 });
        let job = json!({ "id": self.business.id("job"), "title": long(200), "description": long(10_000),
                          "line_items": vec![line; MAX_LINES] });
        self.call_as_owner("jobs.update", job);
    }

    fn make_tags(&self) {
        let customer_id = self.business.id("customer");
        let names = (1..TAGS).map(|number| json!({ "name": numbered(number, 64) }));
        let tags = self.call_all(&self.business.owner, "tags.create", names);
        let attached = tags.iter().take(ACTIVE);
        let assignments =
            attached.map(|tag| json!({ "id": tag["id"], "customer_id": customer_id }));
        self.call_all(&Caller::operator(Some(self.business.account)), "tags.attach", assignments);
    }

    /// Creates users, keys, connected programs, invitations and other tenants.
    fn invite_and_connect(&self) {
        let email = |number: usize| format!("{number:04}{}@example.com", "a".repeat(56));
        let operator = Caller::operator(Some(self.business.account));
        let people = (0..MANY).map(|number| {
            json!({ "name": numbered(number, 256), "email": email(number), "role": "office" })
        });
        let users = self.call_all(&operator, "users.create", people);
        let keys = users.iter().map(|user| {
            json!({
                "user": user["user_id"], "name": long(128),
                "scopes": Scopes::of(Scope::GRANTABLE).list(),
            })
        });
        self.call_all(&operator, "keys.create", keys);
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
        // A tenant may have a hundred open invitations. One is a sample record.
        let invited = (1..100).map(|number| {
            let email = format!("i{}", email(number));
            json!({ "name": numbered(number, 256), "email": email, "role": "office" })
        });
        self.call_all(&operator, "invitations.create", invited);
    }

    fn caller(&self, tool: &ToolDef) -> Caller {
        match tool.scope {
            _ if tool.is_public() => self.business.owner.clone(),
            Scope::Operate if tool.name.starts_with("tenants.") => Caller::operator(None),
            _ => Caller::operator(Some(self.business.account)),
        }
    }

    /// Calls a tool that reads, and checks that its answer is not longer than its bound.
    fn read(&self, tool: &ToolDef, arguments: &Value) -> Value {
        let caller = self.caller(tool);
        let answer = self.env.call_text(&caller, tool.name, &arguments.to_string());
        let answer = answer.expect(tool.name);
        let (bytes, max) = (answer.len(), tool.longest_answer());
        assert!(bytes <= max, "{} {arguments}: {bytes} bytes of {max}", tool.name);
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

/// Each list with its filters and the minimum number of rows that they find.
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
        ("catalog_items.list", json!({}), 1),
        ("customers.find_duplicates", json!({}), 0),
        ("notes.list", json!({}), MANY),
        ("notes.list", json!({ "subject_id": business.id("job"), "subject_type": "job" }), MANY),
        ("notes.list", json!({ "customer_id": customer_id }), MANY),
        ("quotes.list", json!({}), MANY),
        ("changes.list", json!({}), ACTIVE + 2 * ARCHIVED + TAGS),
        ("team.list", json!({}), MANY),
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
    let fixture = Fixture::new();
    let lists = lists(&fixture.business);
    for tool in catalog::tools() {
        let is_list = tool.fields().iter().any(|field| field.name == "cursor");
        assert_eq!(is_list, lists.iter().any(|(name, ..)| *name == tool.name), "{}", tool.name);
        // The ids in the example are those of the largest records.
        let example = fixture.business.fill(tool.example);
        if let Ok(answer) = fixture.env.try_out(&fixture.caller(tool), tool.name, &example) {
            let (bytes, max) = (answer.len(), tool.longest_answer());
            assert!(bytes <= max, "{}: {bytes} bytes of {max}", tool.name);
        }
    }
    for (name, filters, min_rows) in lists {
        let tool = catalog::find(name).expect("a tool");
        let rows = fixture.walk(tool, &filters, None);
        let distinct: BTreeSet<_> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len(), "{name}: a row is listed twice");
        assert!(rows.len() >= min_rows, "{name}: {} rows of {min_rows}", rows.len());
        if name != "changes.list" {
            assert!(rows.len() <= min_rows + SAMPLES, "{name}: {} rows of {min_rows}", rows.len());
        }
        assert_eq!(
            fixture.walk(tool, &filters, Some(67)),
            rows,
            "{name}: in pages of another size"
        );
    }
    a_long_customer_says_what_is_left_out(&fixture);
}

fn a_long_customer_says_what_is_left_out(fixture: &Fixture) {
    let tool = catalog::find("customers.get").expect("a tool");
    let full = fixture.read(tool, &json!({ "id": fixture.business.id("customer") }));
    for (children, list) in [("contacts", "contacts.list"), ("locations", "locations.list")] {
        let hint = full["truncated"][children].as_str().expect("a hint");
        assert!(hint.contains(list), "{hint}");
        let all = catalog::find(list).expect("a tool");
        let page = fixture.read(all, &json!({ "customer_id": fixture.business.id("customer") }));
        let shown = full[children].as_array().expect("rows");
        assert!(!shown.is_empty());
        assert_eq!(shown[..], page["rows"].as_array().expect("rows")[..shown.len()], "{children}");
    }
    assert_eq!(full["tags"].as_array().expect("tags").len(), ACTIVE);
}
