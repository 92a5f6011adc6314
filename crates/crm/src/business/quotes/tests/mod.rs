//! Tests of the tools for quotes, through the pipeline.

mod lines;
mod moved;
mod steps;

use serde_json::{Value, json};

use crate::testing::{Business, Caller, TestEnv, error_json};

/// A business with a customer and a quote for that customer.
struct Desk {
    env: TestEnv,
    acme: Business,
    operator: Caller,
    customer: String,
    quote: String,
}

impl Desk {
    fn new() -> Self {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let operator = Caller::operator(Some(acme.account));
        let customer = json!({ "customer_type": "individual", "first_name": "Hana" });
        let customer = env.create(&acme.owner, "customers.create", customer);
        let quote = json!({ "title": "Repipe", "customer_id": customer });
        let quote = env.create(&acme.owner, "quotes.create", quote);
        Self { env, acme, operator, customer, quote }
    }

    /// What a call of the owner answers.
    fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.env.call(&self.acme.owner, tool, arguments);
        answer.unwrap_or_else(|error| panic!("{tool}: {error:?}"))
    }

    /// Why a call of the owner is refused.
    fn refused(&self, tool: &str, arguments: Value) -> Value {
        error_json(&self.env.call(&self.acme.owner, tool, arguments).expect_err(tool))
    }

    /// The quote with these lines.
    fn lines(&self, line_items: Value) -> Result<Value, Value> {
        let lines = json!({ "id": self.quote, "line_items": line_items });
        let answer = self.env.call(&self.operator, "quotes.set_lines", lines);
        answer.map_err(|error| error_json(&error))
    }

    /// The fields that are refused, with their problems.
    fn problems(&self, line_items: Value) -> Vec<(String, String)> {
        let refused = self.lines(line_items).expect_err("the lines are refused");
        assert_eq!(refused["kind"], "invalid_input", "{refused}");
        let fields = refused["fields"].as_array().expect("fields").iter();
        let text = |field: &Value, key: &str| field[key].as_str().expect(key).to_owned();
        fields.map(|field| (text(field, "field"), text(field, "problem"))).collect()
    }

    /// A tax rate.
    fn rate(&self, name: &str, percent: f64) -> String {
        let rate = json!({ "name": name, "rate_percentage": percent });
        self.env.create(&self.acme.owner, "tax_rates.create", rate)
    }
}
