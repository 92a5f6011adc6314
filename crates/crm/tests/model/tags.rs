//! The model of tags.

use serde_json::json;

use super::arguments::Object;
use super::state::{
    CONFLICT, Fresh, NOT_FOUND, Predicted, Tenant, argument, argument_or, caseless, creation, time,
};

impl Tenant {
    pub(super) fn tags(
        &mut self,
        verb: &str,
        arguments: &Object,
        caller: usize,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted {
        let id = argument(arguments, "id");
        let customer_id = argument(arguments, "customer_id");
        if verb == "list" {
            let mut rows = self.tags.clone();
            rows.sort_by_key(|tag| caseless(&tag["name"]));
            return Ok(json!({ "rows": rows }));
        }
        let name = arguments.get("name").map(caseless);
        let mut others = self.tags.iter().filter(|tag| tag["id"] != id);
        let is_taken = others.any(|tag| Some(caseless(&tag["name"])) == name);
        if verb == "create" {
            if is_taken {
                return Err(CONFLICT);
            }
            let at = time(creation(now, self.tags.iter()));
            let tag = json!({
                "id": fresh.id, "name": arguments["name"],
                "color": argument_or(arguments, "color", "#6B7280"),
                "created_at": at, "updated_at": at, "created_by": self.callers[caller].user,
            });
            self.tags.push(tag.clone());
            return Ok(tag);
        }
        let index = self.tags.iter().position(|tag| tag["id"] == id).ok_or(NOT_FOUND)?;
        let text = id.as_str().expect("an id").to_owned();
        match verb {
            "get" => Ok(self.tags[index].clone()),
            "update" if is_taken => Err(CONFLICT),
            "update" => {
                let tag = &mut self.tags[index];
                for (field, value) in arguments {
                    tag[field.as_str()] = value.clone();
                }
                tag["updated_at"] = json!(time(now));
                Ok(tag.clone())
            }
            "delete" => {
                self.tags.remove(index);
                for customer in &mut self.customers {
                    customer.tags.remove(&text);
                }
                Ok(json!({ "deleted": true, "id": id }))
            }
            "attach" => {
                self.active_customer(&customer_id)?.tags.insert(text);
                Ok(json!({ "attached": true, "id": id, "customer_id": customer_id }))
            }
            "detach" => {
                self.unmerged_customer(&customer_id)?.tags.remove(&text);
                Ok(json!({ "detached": true, "id": id, "customer_id": customer_id }))
            }
            other => panic!("tags.{other}"),
        }
    }
}
