//! The receipts that a caller with only the write scope gets, compared with the tools' declarations and with what
//! was sent. Nothing here uses the product's code for receipts.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::{ToolDef, ToolKind};
use crate::call::tool::Receipt;
use crate::catalog;
use crate::testing::{Business, TestEnv};

#[both]
fn a_write_only_caller_gets_nothing_beyond_the_tools_receipt() {
    let env = TestEnv::new();
    for tool in catalog::tools().filter(|tool| tool.scope.is_grantable()) {
        let ToolKind::Command { receipt, .. } = tool.kind else { continue };
        // It needs the scopes that read and write the records, so nobody may run it and not read its answer.
        if tool.name == "changes.revert" {
            continue;
        }
        assert!(tool.scope.name().starts_with("write:"), "{} has a write scope", tool.name);
        let business = env.business(tool.name);
        let owner = Business::user(&business.owner).to_string();
        let writer = env.access(&env.key(business.account, Some(&owner), &[tool.scope]));
        let example: Value = serde_json::from_str(&business.fill(tool.example)).expect("JSON");
        // The second call with a key is a replay.
        let mut keyed = example.clone();
        keyed["idempotency_key"] = json!("once");
        for _ in 0..2 {
            let answer = env.call(&writer, tool.name, keyed.clone());
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}", tool.name));
            check(tool, receipt, &keyed, &answer);
        }
        for name in clearable(tool) {
            let mut cleared = example.clone();
            cleared[name] = Value::Null;
            match env.call(&writer, tool.name, cleared.clone()) {
                Ok(answer) => check(tool, receipt, &cleared, &answer),
                Err(error) => assert!(PAIRED.contains(&name), "{} {name}: {error:?}", tool.name),
            }
        }
    }
}

/// Fields that cannot be cleared one by one.
const PAIRED: &[&str] = &["latitude", "longitude", "subject_type", "subject_id"];

fn clearable(tool: &ToolDef) -> impl Iterator<Item = &'static str> {
    let fields = tool.fields().into_iter();
    fields.filter(|field| field.about.ends_with("null clears it.")).map(|field| field.name)
}

fn check(tool: &ToolDef, receipt: Receipt, sent: &Value, answer: &Value) {
    for (key, value) in answer.as_object().expect("an object") {
        let is_allowed = match receipt {
            // Only flags that are true, and fields with the values that were sent.
            Receipt::Whole => *value == json!(true) || sent.get(key) == Some(value),
            Receipt::Keys(keys) => keys.contains(&key.as_str()),
            Receipt::Document { always, left_out, beside } => {
                let is_sent = |name: &str| sent.get(name).is_some() && !left_out.contains(&name);
                let is_beside =
                    |(name, keys): &(&str, &[&str])| is_sent(name) && keys.contains(&key.as_str());
                always.contains(&key.as_str()) || is_sent(key) || beside.iter().any(is_beside)
            }
            Receipt::Sent { always, renamed } => {
                let stored_as = |name: &String| {
                    renamed
                        .iter()
                        .find(|(sent, _)| sent == name)
                        .map_or(name.clone(), |it| it.1.into())
                };
                let mut sent = sent.as_object().expect("an object").iter();
                // If the call cleared a field, any value but null would come from another record.
                always.contains(&key.as_str())
                    || sent.any(|(name, sent)| {
                        stored_as(name) == *key && (!sent.is_null() || value.is_null())
                    })
            }
        };
        assert!(is_allowed, "{}: {key} in {answer} after {sent}", tool.name);
    }
}
