//! The contract's rules for arguments that can be checked without stored data.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::contract::{Field, FieldType, Presence};
use super::pools;
use zoop_crm::values::fold;
use zoop_crm::values::text;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// Whether a value is `null` or a blank string.
pub(super) fn is_blank(value: &Value) -> bool {
    let is_empty = |text: &str| text::is_all_invisible(text) && text.chars().all(is_allowed);
    value.is_null() || value.as_str().is_some_and(is_empty)
}

/// The cleaned arguments, or the invalid fields.
pub(super) fn read(sent: &Object, fields: &[Field]) -> Result<Object, BTreeSet<String>> {
    let mut clean = Object::new();
    let mut invalid: BTreeSet<String> =
        sent.keys().filter(|key| !fields.iter().any(|field| field.0 == **key)).cloned().collect();
    for (name, field_type, presence) in fields {
        let value = sent.get(*name);
        match value {
            None if *presence == Presence::Required => drop(invalid.insert((*name).to_owned())),
            None => {}
            // An empty query has no word, so it is invalid; only null counts as not sent.
            Some(Value::Null) if *presence == Presence::Optional => {}
            Some(value) if is_blank(value) && !matches!(field_type, FieldType::Search) => {
                match presence {
                    Presence::Required | Presence::NotNull => {
                        invalid.insert((*name).to_owned());
                    }
                    Presence::Optional => {}
                    Presence::Clearable => drop(clean.insert((*name).to_owned(), Value::Null)),
                }
            }
            Some(value) => match clean_value(value, *field_type) {
                Ok(value) => drop(clean.insert((*name).to_owned(), value)),
                Err(inner) if inner.is_empty() => drop(invalid.insert((*name).to_owned())),
                Err(inner) => {
                    let dot = |inner: &String| if inner.starts_with('[') { "" } else { "." };
                    let paths = inner.iter().map(|inner| format!("{name}{}{inner}", dot(inner)));
                    invalid.extend(paths);
                }
            },
        }
    }
    check_coordinates(sent, fields, &mut invalid);
    if invalid.is_empty() { Ok(clean) } else { Err(invalid) }
}

/// Whether a string may contain this character.
fn is_allowed(character: char) -> bool {
    !character.is_control() || character == '\n' || character == '\t'
}

/// A new location has both coordinates or neither, and an update sets or clears both.
fn check_coordinates(sent: &Object, fields: &[Field], invalid: &mut BTreeSet<String>) {
    let is_filled = |name: &str| sent.get(name).is_some_and(|value| !is_blank(value));
    for (one, other) in [("latitude", "longitude"), ("longitude", "latitude")] {
        let is_new = fields.iter().any(|field| field.0 == one && field.2 == Presence::Optional);
        if is_new && is_filled(one) && !is_filled(other) {
            invalid.insert(other.to_owned());
        }
    }
    let is_update =
        fields.iter().any(|field| field.0 == "latitude" && field.2 == Presence::Clearable);
    let [latitude, longitude] =
        ["latitude", "longitude"].map(|name| (sent.contains_key(name), is_filled(name)));
    if is_update && latitude != longitude {
        invalid.extend(["latitude", "longitude"].map(str::to_owned));
    }
}

/// A cleaned value, or the invalid fields inside it. An empty set means that the value itself is invalid.
fn clean_value(value: &Value, field_type: FieldType) -> Result<Value, BTreeSet<String>> {
    let is_valid = match field_type {
        FieldType::Nested(fields) => {
            let Value::Object(inner) = value else { return Err(BTreeSet::new()) };
            return read(inner, fields).map(Value::Object);
        }
        FieldType::Tags => return clean_tags(value),
        FieldType::Words(words) => return clean_words(value, words),
        FieldType::Boolean => value.is_boolean(),
        FieldType::Degrees(max) => {
            let degrees = value.as_f64().filter(|degrees| degrees.abs() <= max);
            return degrees.map(|degrees| json!(degrees)).or_invalid();
        }
        FieldType::Limit { max } => value.as_u64().is_some_and(|limit| (1..=max).contains(&limit)),
        FieldType::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        FieldType::Id => {
            value.as_str().is_some_and(|id| id.len() == 36 && id.as_bytes()[8] == b'-')
        }
        FieldType::Text(max) => return clean_text(value, max),
        FieldType::Search => return clean_text(value, 256).and_then(require_word),
        FieldType::Email => {
            return clean_text(value, 254).and_then(|text| require_listed(text, pools::EMAILS));
        }
        FieldType::Color => {
            return clean_text(value, 64)
                .and_then(|text| require_listed(text, &["#112233", "#AbCdEf"]));
        }
        FieldType::Country => {
            let code =
                clean_text(value, 64).and_then(|text| require_listed(text, &["US", "us", "DE"]))?;
            return Ok(json!(code.as_str().expect("a string").to_uppercase()));
        }
        FieldType::Phone => {
            let phones: Vec<_> = pools::PHONES.iter().map(|phone| phone.typed).collect();
            return clean_text(value, 64).and_then(|text| require_listed(text, &phones));
        }
        FieldType::Time => {
            let text = value.as_str().unwrap_or_default();
            // Without an offset it is in the business's time zone, which is UTC here.
            let local = || match text.len() {
                10 => format!("{text}T00:00:00Z").parse().ok(),
                _ => format!("{text}Z").parse().ok(),
            };
            let time = text.parse::<jiff::Timestamp>().ok().or_else(local);
            return time.map(|time| json!(time.as_millisecond())).or_invalid();
        }
    };
    if is_valid { Ok(value.clone()) } else { Err(BTreeSet::new()) }
}

/// Turns `None` into an error about the value itself.
trait OrInvalid<T> {
    fn or_invalid(self) -> Result<T, BTreeSet<String>>;
}

impl<T> OrInvalid<T> for Option<T> {
    fn or_invalid(self) -> Result<T, BTreeSet<String>> {
        self.ok_or_else(BTreeSet::new)
    }
}

/// A list of ids or names of tags. The inner paths of invalid items are their indexes.
fn clean_tags(value: &Value) -> Result<Value, BTreeSet<String>> {
    let items = value.as_array().or_invalid()?;
    let clean = items.iter().map(|item| clean_text(item, 64).ok().filter(|item| !is_blank(item)));
    let clean: Vec<_> = clean.collect();
    let invalid = clean.iter().enumerate().filter(|(_, item)| item.is_none());
    let invalid: BTreeSet<_> = invalid.map(|(index, _)| format!("[{index}]")).collect();
    if invalid.is_empty() { Ok(clean.into_iter().flatten().collect()) } else { Err(invalid) }
}

/// A list of words. The inner paths of invalid items are their indexes.
fn clean_words(value: &Value, words: &[&str]) -> Result<Value, BTreeSet<String>> {
    let items = value.as_array().or_invalid()?;
    let is_known = |item: &Value| item.as_str().is_some_and(|word| words.contains(&word));
    let invalid = items.iter().enumerate().filter(|(_, item)| !is_known(item));
    let invalid: BTreeSet<_> = invalid.map(|(index, _)| format!("[{index}]")).collect();
    if invalid.is_empty() { Ok(value.clone()) } else { Err(invalid) }
}

fn clean_text(value: &Value, max: usize) -> Result<Value, BTreeSet<String>> {
    let text = value.as_str().or_invalid()?.replace("\r\n", "\n");
    let is_allowed = text.chars().all(is_allowed);
    let text = text::trim_keeping_modifiers(&text);
    let is_valid = text.chars().count() <= max && is_allowed;
    is_valid.then(|| json!(text)).or_invalid()
}

/// Accepts only listed values, which is enough because sequences send only a few different values.
fn require_listed(text: Value, valid: &[&str]) -> Result<Value, BTreeSet<String>> {
    let is_listed = valid.contains(&text.as_str().expect("a string"));
    is_listed.then_some(text).or_invalid()
}

fn require_word(text: Value) -> Result<Value, BTreeSet<String>> {
    let has_word = !fold::words(text.as_str().expect("a string")).is_empty();
    has_word.then_some(text).or_invalid()
}
