//! How long single calls, each as large as the limits allow, hold SQLite's only writer. A call's proof is read when
//! the call is prepared, and again when its write begins. The time counts from the second read to the answer, so it
//! includes a durable commit. If a call writes in parts, the longest part counts.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value, json};
use zoop_crm::call::access::Access;
use zoop_crm::call::proof::Proof;
use zoop_crm::call::run::Runner;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::catalog;
use zoop_crm::identity::authenticate::{Bearer, Operator};
use zoop_crm::schema;
use zoop_crm::values::clock::Environment;
use zoop_crm::values::id::Id;
use zoop_db::{Db, Migrate, Options, ReadTx};

use super::Run;
use crate::results::{Results, median};
use crate::say;

/// The prefix for the names of these results.
pub(crate) const HOLD: &str = "hold: ";
const ROUNDS: usize = 9;
const TIMEOUT: Duration = Duration::from_secs(60);
/// The fullest customer has this many active contacts, and as many locations: one less than the limit.
const NEARLY_FULL: usize = 199;
const UNKNOWN_FIELDS: usize = 160_000;
/// The number of customers with the tag that is deleted.
const TAGGED: usize = 1_000;
/// The number of contacts, of locations and of notes that a merge moves. With the placeholder that they replace, it
/// changes a thousand records.
const MERGED: [usize; 3] = [199, 199, 601];

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let holds = measure_holds(&run.plan.folder)?;
    run.results.facts.extend(holds.facts);
    Ok(())
}

/// Measures only these holds.
pub(crate) fn measure_holds(folder: &Path) -> Result<Results> {
    let path = folder.join("holds.db");
    for suffix in ["", "-wal", "-shm"] {
        // An interrupted run may have left these files.
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let fixture = Fixture::open(&path)?;
    let mut results = Results::default();
    for round in 0..ROUNDS {
        for (kind, hold) in fixture.round(round)? {
            results.note(&format!("{HOLD}{kind}"), 0, hold.as_secs_f64() * 1e6);
        }
    }
    for kind in kinds(&results) {
        let holds = results.facts.iter().filter(|fact| fact.name == format!("{HOLD}{kind}"));
        let hold = median(holds.map(|fact| fact.value).collect()).unwrap_or_default();
        say(&format!("{hold:8.0} µs  {kind}"));
    }
    Ok(results)
}

/// The kinds of calls that were measured, in the order of their first result.
pub(crate) fn kinds(results: &Results) -> Vec<&str> {
    let mut kinds: Vec<&str> = Vec::new();
    for kind in results.facts.iter().filter_map(|fact| fact.name.strip_prefix(HOLD)) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// A key's proof that records the times at which it is read.
struct TimedProof {
    bearer: Bearer,
    read_at: Arc<Mutex<Vec<Instant>>>,
}

impl Proof for TimedProof {
    type Refusal = <Bearer as Proof>::Refusal;

    fn access(
        &self,
        tx: &mut ReadTx<'_>,
        environment: &Environment,
    ) -> Result<Access, Self::Refusal> {
        self.read_at.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        self.bearer.access(tx, environment)
    }
}

/// A database with one business and one customer, whose contacts and locations nearly reach the limit.
struct Fixture {
    db: Db,
    environment: Environment,
    key: String,
    operator: Operator,
    customer: Value,
    contact: Value,
    location: Value,
    /// The customers that get a tag.
    others: Vec<Value>,
    /// A customer with a thousand records, and the one that it is merged into.
    merged: [Value; 2],
}

/// A call's answer or refusal, and how long the call held the writer.
type Answer = (Result<Value, String>, Duration);

impl Fixture {
    fn open(path: &Path) -> Result<Self> {
        let url = format!("sqlite://{}", path.display());
        let db = Db::open(&url, &Options::default(), schema::MIGRATIONS, Migrate::Run)?;
        let environment = Environment { note_writes_per_minute: 0, ..Environment::from_system()? };
        let key = String::new();
        let (customer, contact, location) = (Value::Null, Value::Null, Value::Null);
        let (operator, others) = (Operator::OUTSIDE_TENANTS, Vec::new());
        let merged = [Value::Null, Value::Null];
        let mut fixture =
            Self { db, environment, key, operator, customer, contact, location, others, merged };
        fixture.create_business()?;
        let created = fixture.create(
            "customers.create",
            json!({ "customer_type": "company", "company_name": long(256, 0) }),
        )?;
        fixture.customer = created["id"].clone();
        for number in 0..NEARLY_FULL {
            fixture.contact =
                fixture.create("contacts.create", fixture.longest_contact(number))?["id"].take();
            fixture.location =
                fixture.create("locations.create", fixture.longest_location(number))?["id"].take();
        }
        for number in 0..TAGGED {
            let company =
                json!({ "customer_type": "company", "company_name": format!("Company {number}") });
            let created = fixture.create("customers.create", company)?["id"].take();
            fixture.others.push(created);
        }
        fixture.merged = fixture.create_merged()?;
        Ok(fixture)
    }

    /// Creates a customer with a thousand records, and one without.
    fn create_merged(&self) -> Result<[Value; 2]> {
        let company = |name: &str| json!({ "customer_type": "company", "company_name": name });
        let full = self.create("customers.create", company("Harbor Hotel"))?["id"].take();
        let [contacts, locations, notes] = MERGED;
        for number in 0..contacts {
            let contact =
                json!({ "customer_id": full, "first_name": word(number), "last_name": "Lee" });
            self.create("contacts.create", contact)?;
        }
        for number in 0..locations {
            let location = json!({
                "customer_id": full, "address_line1": format!("{number} Main Street"),
                "city": "Oakland", "state": "CA", "postal_code": "94607",
            });
            self.create("locations.create", location)?;
        }
        for number in 0..notes {
            let body = format!("Replaced valve {number} and tested the whole zone, all good.");
            let note = json!({ "body": body, "subject_type": "customer", "subject_id": full });
            self.create("notes.create", note)?;
        }
        let kept = self.create("customers.create", company("The Harbor Hotel"))?["id"].take();
        Ok([full, kept])
    }

    /// Creates a business and its owner's key.
    fn create_business(&mut self) -> Result<()> {
        let tenant = json!({ "name": "B", "owner_name": "O", "owner_email": "o@business.example" });
        let created =
            self.call_as_operator(Operator::OUTSIDE_TENANTS, "tenants.create", &tenant)?;
        let tenant = created["tenant_id"].as_str().and_then(Id::parse).context("a tenant")?;
        let scopes = Scopes::of(Scope::GRANTABLE).list();
        let key = json!({ "user": created["owner_id"], "scopes": scopes, "name": "bench" });
        self.operator = Operator::of(tenant);
        let created = self.call_as_operator(self.operator, "keys.create", &key)?;
        created["key"].as_str().context("a key")?.clone_into(&mut self.key);
        Ok(())
    }

    /// Creates a tag, and attaches it to many customers.
    fn create_common_tag(&self, round: usize) -> Result<Value> {
        let name = json!({ "name": format!("Tag {round}") });
        let tag = self.create("tags.create", name)?["id"].take();
        for customer in &self.others {
            let assignment = json!({ "id": tag, "customer_id": customer });
            self.call_as_operator(self.operator, "tags.attach", &assignment)?;
        }
        Ok(tag)
    }

    fn runner(&self) -> Runner<'_> {
        let deadline = Instant::now() + TIMEOUT;
        Runner { db: &self.db, environment: &self.environment, deadline }
    }

    fn call_as_operator(&self, operator: Operator, tool: &str, arguments: &Value) -> Result<Value> {
        let tool = catalog::find(tool).context("a tool")?;
        let answer = self.runner().call(operator, tool, arguments.to_string(), None).wait();
        let answer = answer.map_err(|error| anyhow!("{}: {error:?}", tool.name))?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Makes a call with the owner's key.
    fn call(&self, tool: &str, arguments: String) -> Result<Answer> {
        let tool = catalog::find(tool).context("a tool")?;
        let read_at = Arc::<Mutex<Vec<Instant>>>::default();
        let proof = TimedProof { bearer: Bearer::new(self.key.clone()), read_at: read_at.clone() };
        let answer = self.runner().call(proof, tool, arguments, None).wait();
        let answered = Instant::now();
        let mut read_at = read_at.lock().unwrap_or_else(PoisonError::into_inner);
        read_at.push(answered);
        // The time after the first read belongs to the preparation, which does not hold the writer.
        let holds = read_at.windows(2).skip(1).map(|times| times[1] - times[0]);
        let hold = holds.max().unwrap_or_default();
        let answer = match answer {
            Ok(answer) => Ok(serde_json::from_str(&answer)?),
            Err(refusal) => Err(format!("{refusal:?}")),
        };
        Ok((answer, hold))
    }

    fn create(&self, tool: &str, arguments: Value) -> Result<Value> {
        let (answer, _) = self.call(tool, arguments.to_string())?;
        answer.map_err(|refusal| anyhow!("{tool}: {refusal}"))
    }

    fn longest_contact(&self, number: usize) -> Value {
        json!({
            "customer_id": self.customer,
            "first_name": long(128, number), "last_name": long(128, number + 1_000),
            "title": long(128, number), "email": format!("{}@business.example", "e".repeat(200)),
            "phone": format!("(510) 555-{number:04}"),
        })
    }

    fn longest_location(&self, number: usize) -> Value {
        json!({
            "customer_id": self.customer,
            "address_line1": long(256, number), "city": long(128, number), "state": "CA",
            "postal_code": "94607", "access_notes": long(10_000, number),
            "parking_notes": long(10_000, number), "service_notes": long(10_000, number),
        })
    }

    /// Makes every kind of call once, and returns how long each held the writer.
    fn round(&self, round: usize) -> Result<Vec<(&'static str, Duration)>> {
        let mut measured = Vec::new();
        let mut call = |kind: &'static str, tool: &str, arguments: Value| -> Result<Value> {
            let (answer, hold) = self.call(tool, arguments.to_string())?;
            measured.push((kind, hold));
            answer.map_err(|refusal| anyhow!("{kind}: {refusal}"))
        };
        let customer = &self.customer;
        let change = |id: &Value, field: &str, value: Value| json!({ "id": id, "customer_id": customer, field: value });
        let person = json!({ "customer_type": "individual", "first_name": "Ann", "last_name": "Lee", "phone": "(510) 555-0199", "email": "ann@example.com" });
        call("customers.create", "customers.create", person)?;
        let mut contact = without(&self.longest_contact(round), "customer_id");
        contact["phone_can_sms"] = json!(true);
        let location = without(&self.longest_location(round), "customer_id");
        let company = json!({
            "customer_type": "company", "company_name": long(256, round), "phone": "(510) 555-0199",
            "email": "c@example.com", "notes_internal": long(10_000, round), "source": long(64, round),
            "primary_contact": contact, "location": location,
        });
        call("customers.create, the longest texts", "customers.create", company)?;
        let words = call(
            "notes.create, 20,000 different words",
            "notes.create",
            json!({ "body": words(20_000) }),
        )?;
        call(
            "notes.create, 3,000 different words of 16,000",
            "notes.create",
            json!({ "body": repeated(3_000, 16_000) }),
        )?;
        let han = call(
            "notes.create, 100,000 Han characters",
            "notes.create",
            json!({ "body": han(100_000) }),
        )?;
        call(
            "notes.create, 100,000 ligatures (U+FDFA)",
            "notes.create",
            json!({ "body": "\u{fdfa}".repeat(100_000) }),
        )?;
        call(
            "notes.update, pins 100,000 Han characters",
            "notes.update",
            json!({ "id": han["id"], "pinned": true }),
        )?;
        call(
            "notes.update, another body of 20,000 words",
            "notes.update",
            json!({ "id": words["id"], "body": words_from(round, 20_000) }),
        )?;
        let added = call(
            "contacts.create, the 200th, the longest names",
            "contacts.create",
            self.longest_contact(round + 500),
        )?;
        call(
            "contacts.update, a name beside 199 others",
            "contacts.update",
            change(&self.contact, "first_name", json!(long(128, round + 2_000))),
        )?;
        call(
            "contacts.update, a title beside 199 others",
            "contacts.update",
            change(&self.contact, "title", json!(long(128, round))),
        )?;
        call(
            "contacts.archive, one of 200",
            "contacts.archive",
            json!({ "id": added["id"], "customer_id": customer }),
        )?;
        let added = call(
            "locations.create, the 200th, the longest texts",
            "locations.create",
            self.longest_location(round),
        )?;
        call(
            "locations.update, one of 200",
            "locations.update",
            change(&self.location, "access_notes", json!(long(10_000, round + 7))),
        )?;
        call(
            "locations.archive, one of 200",
            "locations.archive",
            json!({ "id": added["id"], "customer_id": customer }),
        )?;
        call(
            "customers.update, the name, 199 contacts",
            "customers.update",
            json!({ "id": customer, "company_name": long(256, round + 5) }),
        )?;
        let tag = self.create_common_tag(round)?;
        call("tags.delete, from 1,000 customers", "tags.delete", json!({ "id": tag }))?;
        let [full, kept] = &self.merged;
        call(
            "customers.merge, 1,000 records",
            "customers.merge",
            json!({ "keep_id": kept, "merge_id": full }),
        )?;
        let newest =
            self.create("changes.list", json!({ "tool": "customers.merge", "limit": 1 }))?;
        call(
            "changes.revert, a merge of 1,000 records",
            "changes.revert",
            json!({ "id": newest["rows"][0]["id"] }),
        )?;
        let unknown = (0..UNKNOWN_FIELDS).map(|number| (format!("f{number}"), json!(1)));
        let unknown = Value::Object(unknown.collect::<Map<_, _>>());
        let (answer, hold) = self.call("customers.create", unknown.to_string())?;
        measured.push(("customers.create, 160,000 unknown fields, refused", hold));
        anyhow::ensure!(answer.is_err(), "unknown fields were accepted");
        Ok(measured)
    }
}

fn without(object: &Value, field: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().and_then(|members| members.remove(field));
    object
}

/// Text with words of twelve letters, each letter of four bytes.
fn long(characters: usize, seed: usize) -> String {
    let letter = |index: usize| {
        let number = (index * 7_919 + seed * 104_729 + index * index) % 40_000;
        char::from_u32(0x2_0000 + u32::try_from(number).unwrap_or_default()).unwrap_or('a')
    };
    let is_space = |index: usize| index % 13 == 12 && index + 1 < characters;
    (0..characters).map(|index| if is_space(index) { ' ' } else { letter(index) }).collect()
}

/// Different words of four letters.
fn words(count: usize) -> String {
    words_from(0, count)
}

fn words_from(seed: usize, count: usize) -> String {
    (0..count).map(|number| word(number + seed) + " ").collect()
}

/// `count` words, of which `distinct` are distinct.
fn repeated(distinct: usize, count: usize) -> String {
    (0..count).map(|number| word(number % distinct) + "s ").collect::<String>()
}

fn word(number: usize) -> String {
    let letter = |index: usize| char::from(b'a' + u8::try_from(index % 26).unwrap_or_default());
    [number, number / 26, number / 676, number / 17_576].map(letter).into_iter().collect()
}

fn han(count: usize) -> String {
    let letter = |index: usize| {
        let number = (index * 7_919 + index * index * 31) % 20_000;
        char::from_u32(0x4e00 + u32::try_from(number).unwrap_or_default()).unwrap_or('a')
    };
    (0..count).map(letter).collect()
}
