//! A tool's arguments: everything that is accepted matches the published schema, and so does the answer.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;
use zoop_crm::call::argument::CLIENT_ADDED_KEYS;
use zoop_crm::call::definition::ToolDef;
use zoop_crm::catalog;

use crate::business::place;
use crate::line_and_rest;

struct Published {
    tool: &'static ToolDef,
    input: Validator,
    output: Validator,
}

fn published() -> &'static BTreeMap<&'static str, Published> {
    static PUBLISHED: OnceLock<BTreeMap<&'static str, Published>> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let validator = |schema: &Value| jsonschema::validator_for(schema).expect("a schema");
        let of_tool = |tool: &'static ToolDef| {
            let input = validator(&Value::Object(tool.input_schema()));
            let output = validator(&tool.output_schema());
            (tool.name, Published { tool, input, output })
        };
        catalog::tools().map(of_tool).collect()
    })
}

/// The first line names a tool, the rest is its arguments. `{customer}` and the other placeholders of the
/// tools' examples are replaced by ids.
///
/// # Panics
/// When the property does not hold.
pub fn arguments(input: &[u8]) {
    let Some((name, text)) = line_and_rest(input) else { return };
    let Some(Published { tool, input, output }) = published().get(name) else { return };
    let place = place();
    let text = place.business.fill(text);
    let refusal = match place.call(tool, &text) {
        Ok(answer) => {
            let answer: Value = serde_json::from_str(&answer).expect("an answer in JSON");
            assert!(output.is_valid(&answer), "{name} answers {answer}");
            None
        }
        Err(error) => Some(error),
    };
    let kind = refusal.as_ref().map_or("none", |error| error.kind());
    assert_ne!(kind, "internal", "{name} {text}: {refusal:?}");
    if kind != "invalid_input" {
        let sent: Value = serde_json::from_str(&text).expect("what was accepted is JSON");
        let mut meant = in_own_names(meant(sent).expect("an object"), tool.aliases);
        // Every write takes it, although no list repeats it for each tool.
        meant.as_object_mut().expect("an object").remove("idempotency_key");
        in_listed_types(&mut meant);
        let problem = input.iter_errors(&meant).next().map(|problem| problem.to_string());
        assert_eq!(problem, None, "{name} took {text}");
    }
}

/// The arguments with the names that the schema gives them: it does not show other names that the tool accepts.
fn in_own_names(mut arguments: Value, aliases: &[(&str, &str)]) -> Value {
    for (alias, name) in aliases {
        if let Some(value) = arguments.as_object_mut().and_then(|members| members.remove(*alias)) {
            arguments[*name] = value;
        }
    }
    arguments
}

/// Prices are listed as texts and quantities and percentages as numbers, and both are taken as the other too.
fn in_listed_types(arguments: &mut Value) {
    match arguments {
        Value::Array(items) => items.iter_mut().for_each(in_listed_types),
        Value::Object(members) => {
            for (name, value) in members {
                let as_text = matches!(&**name, "unit_price" | "price" | "cost" | "flat_price");
                let as_number =
                    matches!(&**name, "quantity" | "discount_percent" | "rate_percentage");
                match value {
                    Value::Number(number) if as_text => *value = number.to_string().into(),
                    Value::String(text) if as_number => {
                        if let Ok(number) = text.trim().parse::<f64>() {
                            *value = number.into();
                        }
                    }
                    other => in_listed_types(other),
                }
            }
        }
        _ => {}
    }
}

/// How the contract normalizes arguments before it checks them: texts are trimmed, and empty values and
/// fields that clients add on their own are dropped.
fn meant(sent: Value) -> Option<Value> {
    match sent {
        Value::Null => None,
        Value::String(text) => {
            let text = text.replace("\r\n", "\n");
            let text = text.trim();
            (!text.is_empty()).then(|| text.into())
        }
        Value::Object(members) => {
            let mut kept = serde_json::Map::new();
            for (name, value) in members {
                if let (false, Some(value)) = (CLIENT_ADDED_KEYS.contains(&&*name), meant(value)) {
                    kept.insert(name, value);
                }
            }
            Some(kept.into())
        }
        other => Some(other),
    }
}
