//! The model of locations.

use serde_json::{Value, json};

use super::arguments::Object;
use super::state::{
    CONFLICT, Customer, Fresh, NOT_FOUND, Predicted, Tenant, argument, argument_or, creation,
    is_archived, time,
};

/// Fields without a default or a rule.
const OPTIONAL: &[&str] = &[
    "address_line2",
    "label",
    "access_notes",
    "parking_notes",
    "service_notes",
    "latitude",
    "longitude",
    "place_id",
];
const REQUIRED: &[&str] = &["address_line1", "city", "state", "postal_code"];

impl Customer {
    /// The active locations of a type in creation order, except the one with this id.
    fn others(&mut self, location_type: &Value, id: &Value) -> Vec<&mut Value> {
        let active = self.locations.iter_mut().filter(|location| !is_archived(location));
        let of_type = active.filter(|location| location["location_type"] == *location_type);
        of_type.filter(|location| location["id"] != *id).collect()
    }

    fn active_location(&mut self, id: &Value) -> Predicted<&mut Value> {
        let found = self.locations.iter_mut().find(|location| location["id"] == *id);
        found.filter(|location| !is_archived(location)).ok_or(NOT_FOUND)
    }

    pub(super) fn add_location(&mut self, arguments: &Object, id: &str, created: i64) -> Predicted {
        let location_type = argument_or(arguments, "location_type", "service");
        let wants_primary = arguments.get("is_primary") == Some(&json!(true));
        let others = self.others(&location_type, &Value::Null);
        if wants_primary && others.iter().any(|other| other["is_primary"] == true) {
            return Err(CONFLICT);
        }
        let is_primary = wants_primary || others.is_empty();
        let at = time(created);
        let mut location = json!({
            "id": id, "customer_id": self.id(), "location_type": location_type,
            "country": argument_or(arguments, "country", "US"), "is_primary": is_primary,
            "created_at": at, "updated_at": at, "archived_at": null,
        });
        for field in OPTIONAL.iter().chain(REQUIRED) {
            location[*field] = argument(arguments, field);
        }
        self.locations.push(location.clone());
        Ok(location)
    }

    /// Makes the oldest active location of a type primary. Ignores the location with the id `except`.
    fn promote_oldest(&mut self, location_type: &Value, except: &Value, now: i64) {
        if let Some(oldest) = self.others(location_type, except).into_iter().next() {
            oldest["is_primary"] = json!(true);
            oldest["updated_at"] = json!(time(now));
        }
    }

    fn update_location(&mut self, arguments: &Object, now: i64) -> Predicted {
        let id = argument(arguments, "id");
        let old = self.active_location(&id)?.clone();
        let mut new = old.clone();
        for (field, value) in arguments {
            new[field.as_str()] = value.clone();
        }
        let moved = new["location_type"] != old["location_type"];
        let others = self.others(&new["location_type"], &id);
        let is_taken = others.iter().any(|other| other["is_primary"] == true);
        match arguments.get("is_primary") {
            Some(Value::Bool(true)) if is_taken => return Err(CONFLICT),
            None if moved => new["is_primary"] = json!(others.is_empty()),
            _ => {}
        }
        new["updated_at"] = json!(time(now));
        *self.active_location(&id)? = new.clone();
        if moved && old["is_primary"] == true {
            self.promote_oldest(&old["location_type"], &id, now);
        }
        Ok(new)
    }

    fn archive_location(&mut self, id: &Value, now: i64) -> Predicted {
        let location = self.active_location(id)?;
        let was_primary = location["is_primary"] == true;
        let location_type = location["location_type"].clone();
        location["is_primary"] = json!(false);
        location["archived_at"] = json!(time(now));
        location["updated_at"] = json!(time(now));
        if was_primary {
            self.promote_oldest(&location_type, id, now);
        }
        Ok(json!({ "archived": true, "id": id }))
    }
}

impl Tenant {
    pub(super) fn location_creation(&self, now: i64) -> i64 {
        creation(now, self.customers.iter().flat_map(|customer| &customer.locations))
    }

    pub(super) fn locations(
        &mut self,
        verb: &str,
        arguments: &Object,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted {
        let created = self.location_creation(now);
        let id = argument(arguments, "id");
        let customer_id = argument(arguments, "customer_id");
        match verb {
            "list" => {
                let customer_id = self.resolved(&customer_id);
                let customer = self.customer(&customer_id)?;
                let archived = || customer.locations.iter().filter(|row| is_archived(row));
                let rows: Vec<_> = match arguments.get("archived") {
                    Some(Value::Bool(true)) => archived().cloned().collect(),
                    _ => customer.active_locations(),
                };
                Ok(json!({ "rows": rows }))
            }
            "get" => {
                let mut locations = self.named_customers(&customer_id).flat_map(|it| &it.locations);
                locations.find(|location| location["id"] == id).cloned().ok_or(NOT_FOUND)
            }
            "create" => {
                self.active_customer(&customer_id)?.add_location(arguments, &fresh.id, created)
            }
            "update" => self.active_customer(&customer_id)?.update_location(arguments, now),
            "archive" => self.active_customer(&customer_id)?.archive_location(&id, now),
            "restore" => self.restore_location(&id, now),
            other => panic!("locations.{other}"),
        }
    }

    /// Restores a location. It becomes primary only if it is the only location of its type.
    fn restore_location(&mut self, id: &Value, now: i64) -> Predicted {
        let has = |customer: &Customer| customer.locations.iter().any(|own| own["id"] == *id);
        let customer = self.customers.iter_mut().find(|it| has(it)).ok_or(NOT_FOUND)?;
        if customer.is_archived() {
            return Err(NOT_FOUND);
        }
        let location = customer.locations.iter_mut().find(|location| location["id"] == *id);
        let location = location.filter(|location| is_archived(location)).ok_or(NOT_FOUND)?;
        location["archived_at"] = Value::Null;
        location["updated_at"] = json!(time(now));
        let location_type = location["location_type"].clone();
        let is_primary = customer.others(&location_type, id).is_empty();
        customer.active_location(id)?["is_primary"] = json!(is_primary);
        Ok(json!({ "restored": true, "id": id }))
    }
}
