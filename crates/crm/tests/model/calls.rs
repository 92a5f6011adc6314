//! Generates calls whose arguments collide with stored records.

use serde_json::{Value, json};

use super::arguments::Object;
use super::contract::{self, ADMINISTER, Field, FieldType, OPERATE, Presence, TOOLS, Tool};
use super::ids::{Kind, children, ids};
use super::pools;
use super::rng::Rng;
use super::state::{Customer, Tenant, time};

/// A call of a tool in a tenant.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) tenant: usize,
    pub(super) caller: usize,
    pub(super) tool: &'static Tool,
    pub(super) arguments: Value,
}

/// A call of a random tool.
pub(super) fn random_call(rng: &mut Rng, tenants: &[&Tenant], tenant: usize, now: i64) -> Call {
    let total: usize = TOOLS.iter().map(|tool| tool.weight).sum();
    let mut left = rng.roll(total);
    let chosen = TOOLS.iter().find(|tool| {
        let is_chosen = left < tool.weight;
        left = left.saturating_sub(tool.weight);
        is_chosen
    });
    let chosen = chosen.expect("the weights should add up");
    let tool = tool_or_creator(rng, tenants[tenant], chosen);
    call(rng, tenants, tenant, tool, now)
}

/// A call of this tool.
pub(super) fn call(
    rng: &mut Rng,
    tenants: &[&Tenant],
    tenant: usize,
    tool: &'static Tool,
    now: i64,
) -> Call {
    let caller = caller(rng, tenants[tenant], tool);
    let mut generator = Generator { rng, tenants, tenant, now };
    let arguments = generator.arguments(tool);
    Call { tenant, caller, tool, arguments: Value::Object(arguments) }
}

/// Usually the tool that creates such records if there are few or none that `tool` can work on, otherwise `tool`.
fn tool_or_creator(rng: &mut Rng, tenant: &Tenant, tool: &'static Tool) -> &'static Tool {
    let (kind, created_by) = match tool.group() {
        _ if rng.roll(12) == 0 => return tool,
        _ if tenant.customers.len() < 2 => return contract::find("customers.create"),
        "contacts" => (Kind::Contact, "contacts.create"),
        "locations" => (Kind::Location, "locations.create"),
        "tags" => (Kind::Tag, "tags.create"),
        "notes" => (Kind::Note, "notes.create"),
        _ => return tool,
    };
    let found = ids(tenant, kind);
    let needs_more = rng.roll(8) < 3usize.saturating_sub(found.len());
    let archived = found.iter().any(|(_, is_archived)| *is_archived);
    let is_useless = found.is_empty() || (tool.verb() == "restore" && !archived);
    if needs_more || is_useless { contract::find(created_by) } else { tool }
}

/// Usually a caller with the required rights.
fn caller(rng: &mut Rng, tenant: &Tenant, tool: &Tool) -> usize {
    let any = rng.roll(tenant.callers.len());
    let is_allowed = |caller: &usize| {
        tenant.may(*caller, tool.scope)
            && tenant.may_act(*caller, tool.callers)
            && tenant.may(*caller, OPERATE) == [ADMINISTER, OPERATE].contains(&tool.scope)
    };
    let allowed: Vec<_> = (0..tenant.callers.len()).filter(is_allowed).collect();
    if rng.one_in(10) { any } else { *rng.pick(&allowed) }
}

struct Generator<'a> {
    rng: &'a mut Rng,
    tenants: &'a [&'a Tenant],
    tenant: usize,
    now: i64,
}

impl Generator<'_> {
    fn arguments(&mut self, tool: &Tool) -> Object {
        let mut sent = self.object(tool, tool.fields);
        match tool.name {
            "customers.create" => self.shape_customer(&mut sent),
            "customers.update" => self.shape_update(&mut sent),
            "notes.create" | "notes.update" | "notes.list" => self.shape_note(tool, &mut sent),
            "customers.find_duplicates" => self.shape_duplicate(&mut sent),
            "customers.merge" => self.shape_merge(&mut sent),
            _ => {}
        }
        self.shape_child(tool, &mut sent);
        if tool.verb() == "update" && !self.rng.one_in(30) {
            self.add_change(tool, &mut sent);
        }
        if self.rng.one_in(40) {
            sent.insert("surname".to_owned(), json!("x"));
        }
        if self.rng.one_in(20) {
            let name = *self.rng.pick(pools::CLIENT_ADDED_KEYS);
            sent.insert(name.to_owned(), json!({ "any": 1 }));
        }
        if !tool.is_read() && self.rng.one_in(5) {
            let key = match self.rng.roll(16) {
                0 => json!("k".repeat(256)),
                1 => json!(7),
                2 => Value::Null,
                3 => json!("k".repeat(255)),
                _ => json!(self.rng.pick(pools::KEYS)),
            };
            sent.insert("idempotency_key".to_owned(), key);
        }
        sent
    }

    fn object(&mut self, tool: &Tool, fields: &[Field]) -> Object {
        let mut sent = Object::new();
        for (name, field_type, presence) in fields {
            let is_sent = match presence {
                Presence::Required => !self.rng.one_in(60),
                Presence::Optional | Presence::Clearable | Presence::NotNull => self.rng.one_in(3),
            };
            if is_sent {
                let value = match presence {
                    Presence::Required if self.rng.one_in(60) => self.blank(),
                    Presence::NotNull if self.rng.one_in(60) => Value::Null,
                    Presence::Optional | Presence::Clearable if self.rng.one_in(6) => Value::Null,
                    _ if self.rng.one_in(90) => self.invalid(*field_type),
                    _ => self.valid(tool, name, *field_type),
                };
                sent.insert((*name).to_owned(), value);
            }
        }
        for (one, other) in [("latitude", "longitude"), ("longitude", "latitude")] {
            if sent.contains_key(one) && !sent.contains_key(other) && !self.rng.one_in(8) {
                sent.insert(other.to_owned(), sent[one].clone());
            }
        }
        sent
    }

    fn blank(&mut self) -> Value {
        if self.rng.one_in(2) { json!(" ") } else { Value::Null }
    }

    fn invalid(&mut self, field_type: FieldType) -> Value {
        match field_type {
            FieldType::Text(max) => match self.rng.roll(3) {
                0 => json!("x".repeat(max + 1)),
                1 => json!("a\u{1}b"),
                _ => json!(7),
            },
            FieldType::Search => json!(*self.rng.pick(pools::WORDLESS)),
            FieldType::Phone => json!(*self.rng.pick(pools::WRONG_PHONES)),
            FieldType::Email => json!(*self.rng.pick(pools::WRONG_EMAILS)),
            FieldType::Degrees(max) => json!(max + 1.0),
            FieldType::Limit { max } => match self.rng.roll(3) {
                0 => json!(0),
                1 => json!(max + 1),
                _ => json!(-1),
            },
            FieldType::Boolean => json!("true"),
            _ => json!(*self.rng.pick(&["nonsense", "#12345", "ZZ"])),
        }
    }

    fn valid(&mut self, tool: &Tool, name: &str, field_type: FieldType) -> Value {
        match field_type {
            FieldType::Id => {
                let kind = match (name, tool.group()) {
                    ("customer_id" | "other_id" | "keep_id" | "merge_id", _)
                    | ("id", "customers") => Kind::Customer,
                    ("id", "contacts") => Kind::Contact,
                    ("id", "locations") => Kind::Location,
                    ("id", "tags") | ("tag", _) => Kind::Tag,
                    ("created_by", _) | ("id", "users") => Kind::User,
                    ("id", _) if tool.name == "notes.remove_file" => Kind::File,
                    _ => Kind::Note,
                };
                self.id(kind, name == "id" && tool.verb() == "restore")
            }
            FieldType::Text(_) => json!(*self.rng.pick(match name {
                "first_name" | "last_name" | "company_name" => pools::NAMES,
                "body" => pools::BODIES,
                "name" => pools::TAG_NAMES,
                "state" | "postal_code" => pools::SHORT,
                "customer_number" => pools::NUMBERS,
                "external_id" => pools::EXTERNAL_IDS,
                _ => pools::TEXTS,
            })),
            FieldType::Tags => {
                let item = |generator: &mut Self| match generator.rng.roll(3) {
                    0 => json!(*generator.rng.pick(pools::TAG_NAMES)),
                    _ => generator.id(Kind::Tag, false),
                };
                (0..self.rng.roll(3)).map(|_| item(self)).collect()
            }
            FieldType::Words(words) => {
                (0..self.rng.roll(4)).map(|_| json!(*self.rng.pick(words))).collect()
            }
            FieldType::Search if tool.group() == "notes" => {
                json!(*self.rng.pick(pools::NOTE_SEARCHES))
            }
            FieldType::Search => json!(*self.rng.pick(pools::SEARCHES)),
            FieldType::Phone => json!(self.rng.pick(pools::PHONES).typed),
            FieldType::Email => json!(*self.rng.pick(pools::EMAILS)),
            FieldType::Boolean => json!(self.rng.roll(2) == 0),
            FieldType::Word(words) => json!(*self.rng.pick(words)),
            FieldType::Color => json!(*self.rng.pick(&["#112233", "#AbCdEf"])),
            FieldType::Country => json!(*self.rng.pick(&["US", "us", "DE"])),
            FieldType::Degrees(max) => json!(*self.rng.pick(&[0.0, 37.804_363, -max, max])),
            FieldType::Limit { .. } => json!(self.rng.roll(5) + 1),
            FieldType::Nested(fields) => Value::Object(self.object(tool, fields)),
            FieldType::Time => {
                let notes = &self.tenants[self.tenant].notes;
                let at = if notes.is_empty() { self.now } else { self.rng.pick(notes).created };
                let utc = time(at + *self.rng.pick(&[0, 0, 1, -1]));
                match self.rng.roll(6) {
                    // The same moment, written with an offset.
                    0 | 1 => json!(utc.replace('Z', "+00:00")),
                    // Local times, to the second, and dates.
                    2 => json!(utc[..19]),
                    3 => json!(utc[..10]),
                    _ => json!(utc),
                }
            }
        }
    }

    /// Usually an id of this tenant; sometimes an id of the other tenant, an unknown id, or an invalid id.
    /// `archived` says whether to prefer archived records.
    fn id(&mut self, kind: Kind, archived: bool) -> Value {
        if self.rng.one_in(50) {
            return json!("nobody");
        }
        if self.rng.one_in(40) {
            return json!(pools::NOBODY);
        }
        let is_foreign = self.rng.one_in(20);
        let tenant = if is_foreign { 1 - self.tenant } else { self.tenant };
        let ids = ids(self.tenants[tenant], kind);
        self.pick(ids, archived)
    }

    /// One of these ids, preferably of a new record. `archived` says whether to prefer archived or active records.
    fn pick(&mut self, mut ids: Vec<(Value, bool)>, archived: bool) -> Value {
        if ids.iter().any(|id| id.1 == archived) && self.rng.roll(6) != 0 {
            ids.retain(|id| id.1 == archived);
        }
        let ids: Vec<_> = ids.into_iter().map(|(id, _)| id).collect();
        if ids.is_empty() {
            return json!(pools::NOBODY);
        }
        let newest = &ids[ids.len().saturating_sub(4)..];
        if self.rng.roll(2) == 0 {
            self.rng.pick(newest).clone()
        } else {
            self.rng.pick(&ids).clone()
        }
    }

    /// Usually gives a new customer the fields of its type.
    fn shape_customer(&mut self, sent: &mut Object) {
        if self.rng.one_in(12) {
            return;
        }
        let (required, foreign) = match sent.get("customer_type").and_then(Value::as_str) {
            Some("company") => ("company_name", ["first_name", "last_name"]),
            _ => ("first_name", ["company_name", "primary_contact"]),
        };
        for name in foreign {
            sent.remove(name);
        }
        sent.insert(required.to_owned(), json!(*self.rng.pick(pools::NAMES)));
    }

    /// Usually limits an update to the fields of the customer's type.
    fn shape_update(&mut self, sent: &mut Object) {
        if self.rng.one_in(30) {
            sent.insert("customer_type".to_owned(), json!("company"));
        }
        if self.rng.one_in(8) {
            return;
        }
        let customers = &self.tenants[self.tenant].customers;
        let customer =
            customers.iter().find(|customer| Some(&customer.own["id"]) == sent.get("id"));
        let foreign: &[&str] = match customer.map(Customer::is_company) {
            Some(true) => &["first_name", "last_name"],
            _ => &["company_name"],
        };
        for name in foreign {
            sent.remove(*name);
        }
    }

    /// Usually makes an update change something.
    fn add_change(&mut self, tool: &Tool, sent: &mut Object) {
        let fields: Vec<_> =
            tool.fields.iter().filter(|field| field.2 != Presence::Required).copied().collect();
        if fields.iter().any(|field| sent.contains_key(field.0)) {
            return;
        }
        let plain = |field: &&Field| matches!(field.1, FieldType::Boolean | FieldType::Color);
        let (name, field_type, _) = *fields.iter().find(plain).unwrap_or(&fields[0]);
        let value = self.valid(tool, name, field_type);
        sent.insert(name.to_owned(), value);
    }

    /// Usually gives a note a body and an existing subject.
    fn shape_note(&mut self, tool: &Tool, sent: &mut Object) {
        if tool.verb() == "create" && !self.rng.one_in(6) {
            sent.insert("body".to_owned(), json!(*self.rng.pick(pools::BODIES)));
        }
        let has = ["subject_type", "subject_id"].iter().any(|name| sent.contains_key(*name));
        if !has || self.rng.one_in(5) {
            return;
        }
        let kind = *self.rng.pick(super::contract::SUBJECT_TYPES);
        let id = match kind {
            "customer" => self.id(Kind::Customer, false),
            "customer_contact" => self.id(Kind::Contact, false),
            "customer_location" => self.id(Kind::Location, false),
            _ => self.id(Kind::Work, false),
        };
        let is_cleared = tool.verb() == "update" && self.rng.one_in(4);
        let (kind, id) = if is_cleared { (Value::Null, Value::Null) } else { (json!(kind), id) };
        sent.insert("subject_type".to_owned(), kind);
        sent.insert("subject_id".to_owned(), id);
    }

    /// Usually asks for the duplicates of one customer, or of fields, and for all of them.
    fn shape_duplicate(&mut self, sent: &mut Object) {
        if sent.contains_key("customer_id") && !self.rng.one_in(12) {
            sent.retain(|name, _| ["customer_id", "limit"].contains(&name.as_str()));
        }
        if !self.rng.one_in(8) {
            sent.insert("limit".to_owned(), json!(100));
        }
    }

    /// Usually merges two customers that were not merged yet, sometimes by a plan, and usually takes only fields of the
    /// kept customer's type.
    fn shape_merge(&mut self, sent: &mut Object) {
        let tenant = self.tenants[self.tenant];
        if let Some(plan) = tenant.plans.last().filter(|_| self.rng.roll(3) == 0) {
            sent.extend(plan.arguments.clone());
            sent.insert("plan".to_owned(), plan.id.clone());
            return;
        }
        if !self.rng.one_in(20) {
            sent.remove("plan");
        }
        if self.rng.roll(4) == 0 {
            sent.insert("dry_run".to_owned(), json!(true));
        }
        let is_company = |id: &Value| {
            let mut customers = tenant.customers.iter();
            customers.find(|it| it.own["id"] == *id).is_some_and(Customer::is_company)
        };
        let is_company = sent.get("keep_id").is_some_and(is_company);
        let foreign: &[&str] =
            if is_company { &["first_name", "last_name"] } else { &["company_name"] };
        let is_shaped = !self.rng.one_in(8);
        if let Some(Value::Array(take)) = sent.get_mut("take").filter(|_| is_shaped) {
            take.retain(|field| foreign.iter().all(|name| *field != **name));
        }
    }

    /// Usually sends a contact or location with its own customer, and prefers a contact or location with siblings.
    fn shape_child(&mut self, tool: &Tool, sent: &mut Object) {
        let is_child = matches!(tool.group(), "contacts" | "locations");
        let has_both = sent.contains_key("id") && sent.contains_key("customer_id");
        if !is_child || !has_both || self.rng.one_in(15) {
            return;
        }
        let kind = if tool.group() == "contacts" { Kind::Contact } else { Kind::Location };
        let tenant = self.tenants[self.tenant];
        let owner = |child: &Value| {
            let customers = tenant.customers.iter();
            let mut of_kind = customers.filter(|customer| !children(customer, kind).is_empty());
            of_kind.find(|customer| children(customer, kind).iter().any(|(id, _)| id == child))
        };
        let all = ids(tenant, kind);
        let siblings =
            |child: &Value| owner(child).map_or(0, |customer| children(customer, kind).len());
        let with_siblings: Vec<_> =
            all.iter().filter(|child| siblings(&child.0) > 1).cloned().collect();
        let from =
            if with_siblings.is_empty() || self.rng.roll(3) == 0 { all } else { with_siblings };
        let id = self.pick(from, false);
        if let Some(customer) = owner(&id) {
            sent.insert("customer_id".to_owned(), customer.own["id"].clone());
            sent.insert("id".to_owned(), id);
        }
    }
}
