//! Tests of the job tools, through the pipeline.

mod list;
mod moved;
mod people;
mod places;
mod quoted;
mod status;
mod times;
mod undone;

use serde_json::{Value, json};

use crate::testing::{Business, Caller, TestEnv, error_json};

/// A business in New York with a customer who has a primary service location.
struct Board {
    env: TestEnv,
    acme: Business,
    operator: Caller,
    customer: String,
    location: String,
}

impl Board {
    fn new() -> Self {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let operator = Caller::operator(Some(acme.account));
        let zone = json!({ "time_zone": "America/New_York" });
        env.call(&operator, "tenants.update", zone).expect("a time zone");
        let customer = json!({ "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
            "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                          "postal_code": "94607" } });
        let customer = env.create(&acme.owner, "customers.create", customer);
        let shown = env.call(&acme.owner, "customers.get", json!({ "id": customer }));
        let location = shown.expect("the customer")["locations"][0]["id"].clone();
        let location = location.as_str().expect("an id").to_owned();
        Self { env, acme, operator, customer, location }
    }

    /// What a call of the office answers.
    fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.env.call(&self.acme.office, tool, arguments);
        answer.unwrap_or_else(|error| panic!("{tool}: {error:?}"))
    }

    /// Why a call of a caller is refused.
    fn refused_to(&self, caller: &Caller, tool: &str, arguments: Value) -> Value {
        error_json(&self.env.call(caller, tool, arguments).expect_err(tool))
    }

    /// Why a call of the office is refused: the kind, and the fields or the message.
    fn refused(&self, tool: &str, arguments: Value) -> (String, String) {
        let error = self.refused_to(&self.acme.office, tool, arguments);
        let fields = error["fields"].as_array().into_iter().flatten();
        let fields: Vec<_> = fields.filter_map(|it| it["field"].as_str()).collect();
        let kind = error["kind"].as_str().expect("a kind").to_owned();
        let message = error["message"].as_str().expect("a message").to_owned();
        (kind, if fields.is_empty() { message } else { fields.join(" ") })
    }

    /// A new job.
    fn job(&self, fields: Value) -> Value {
        let mut job = json!({ "title": "Replace water heater" });
        let fields = fields.as_object().expect("fields").clone();
        job.as_object_mut().expect("a job").extend(fields);
        self.call("jobs.create", job)
    }

    /// The job after these changes.
    fn update(&self, job: &Value, fields: Value) -> Value {
        self.call("jobs.update", with_id(job, fields))
    }

    /// Why these changes of a job are refused.
    fn refused_update(&self, job: &Value, fields: Value) -> (String, String) {
        self.refused("jobs.update", with_id(job, fields))
    }

    /// The job as it is.
    fn get(&self, job: &Value) -> Value {
        self.call("jobs.get", json!({ "id": job["id"] }))
    }

    /// The id of a member.
    fn user(caller: &Caller) -> Value {
        json!(Business::user(caller).to_string())
    }
}

fn with_id(job: &Value, mut fields: Value) -> Value {
    fields["id"] = job["id"].clone();
    fields
}

/// The values of some fields.
fn of<const N: usize>(record: &Value, fields: [&str; N]) -> [Value; N] {
    fields.map(|field| record[field].clone())
}
