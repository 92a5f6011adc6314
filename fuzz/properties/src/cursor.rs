//! Cursors: one that was never issued is rejected, and a forged one reads like plain filters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zoop_crm::catalog;

use crate::business::place;
use crate::line_and_rest;

/// The first line names a list, the rest is a cursor, or the content of a forged one.
///
/// # Panics
/// When the property does not hold.
pub fn cursor(input: &[u8]) {
    let Some((name, text)) = line_and_rest(input) else { return };
    let paged = |tool: &&zoop_crm::call::definition::ToolDef| {
        tool.name == name && tool.fields().iter().any(|field| field.name == "cursor")
    };
    let Some(tool) = catalog::tools().find(paged) else { return };
    let kind = |cursor: &str| {
        let answer = place().call(tool, &json!({ "cursor": cursor }).to_string());
        answer.map_or_else(|error| error.kind(), |page| page_kind(&page))
    };
    // A check value of 64 bits is not matched by chance.
    assert_eq!(kind(text), "invalid_input", "{name} takes {text:?}");
    let forged = kind(&forged(name, text));
    assert!(["page", "invalid_input"].contains(&forged), "{name} is {forged} for {text:?}");
}

fn page_kind(page: &str) -> &'static str {
    let page: Value = serde_json::from_str(page).expect("an answer in JSON");
    if page["rows"].is_array() { "page" } else { "no page" }
}

/// A cursor with any content, sealed as the product seals its own.
fn forged(name: &str, text: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(name);
    digest.update(place().business.account.number.0.to_be_bytes());
    digest.update(text);
    let seal = digest.finalize();
    URL_SAFE_NO_PAD.encode([text.as_bytes(), &seal[..8]].concat())
}
