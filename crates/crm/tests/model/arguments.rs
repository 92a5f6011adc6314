//! The contract's checks of a call's arguments that need no stored data.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::contract::{Field, Holds, Use};
use super::pools;
use zoop_crm::values::fold;
use zoop_crm::values::text;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// Whether a value is `null` or a blank text.
pub(super) fn is_blank(value: &Value) -> bool {
    let is_empty = |text: &str| text::shows_nothing(text) && text.chars().all(is_allowed);
    value.is_null() || value.as_str().is_some_and(is_empty)
}

/// The cleaned arguments, or the invalid fields.
pub(super) fn read(sent: &Object, fields: &[Field]) -> Result<Object, BTreeSet<String>> {
    let mut clean = Object::new();
    let mut wrong: BTreeSet<String> =
        sent.keys().filter(|key| !fields.iter().any(|field| field.0 == **key)).cloned().collect();
    for (name, holds, usage) in fields {
        let value = sent.get(*name);
        match value {
            None if *usage == Use::Required => drop(wrong.insert((*name).to_owned())),
            None => {}
            // An empty query has no word and is invalid; only null counts as not sent.
            Some(Value::Null) if *usage == Use::Optional => {}
            Some(value) if is_blank(value) && !matches!(holds, Holds::Search) => match usage {
                Use::Required | Use::Kept => drop(wrong.insert((*name).to_owned())),
                Use::Optional => {}
                Use::Clearable => drop(clean.insert((*name).to_owned(), Value::Null)),
            },
            Some(value) => match cleaned(value, *holds) {
                Ok(value) => drop(clean.insert((*name).to_owned(), value)),
                Err(inner) if inner.is_empty() => drop(wrong.insert((*name).to_owned())),
                Err(inner) => wrong.extend(inner.iter().map(|field| format!("{name}.{field}"))),
            },
        }
    }
    coordinates(sent, fields, &mut wrong);
    if wrong.is_empty() { Ok(clean) } else { Err(wrong) }
}

/// Whether a text may contain this character.
fn is_allowed(letter: char) -> bool {
    !letter.is_control() || letter == '\n' || letter == '\t'
}

/// A new location has both coordinates or neither, and an update sets or clears both.
fn coordinates(sent: &Object, fields: &[Field], wrong: &mut BTreeSet<String>) {
    let holds = |name: &str| sent.get(name).is_some_and(|value| !is_blank(value));
    for (one, other) in [("latitude", "longitude"), ("longitude", "latitude")] {
        let is_new = fields.iter().any(|field| field.0 == one && field.2 == Use::Optional);
        if is_new && holds(one) && !holds(other) {
            wrong.insert(other.to_owned());
        }
    }
    let is_update = fields.iter().any(|field| field.0 == "latitude" && field.2 == Use::Clearable);
    let [latitude, longitude] =
        ["latitude", "longitude"].map(|name| (sent.contains_key(name), holds(name)));
    if is_update && latitude != longitude {
        wrong.extend(["latitude", "longitude"].map(str::to_owned));
    }
}

/// A cleaned value, or the invalid fields inside it; an empty set means that the whole value is invalid.
fn cleaned(value: &Value, holds: Holds) -> Result<Value, BTreeSet<String>> {
    let is_right = match holds {
        Holds::Nested(fields) => {
            let Value::Object(inner) = value else { return Err(BTreeSet::new()) };
            return read(inner, fields).map(Value::Object);
        }
        Holds::Truth => value.is_boolean(),
        Holds::Degrees(most) => {
            let degrees = value.as_f64().filter(|degrees| degrees.abs() <= most);
            return degrees.map(|degrees| json!(degrees)).or_wrong();
        }
        Holds::Limit { most } => value.as_u64().is_some_and(|limit| (1..=most).contains(&limit)),
        Holds::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Holds::Id => value.as_str().is_some_and(|id| id.len() == 36 && id.as_bytes()[8] == b'-'),
        Holds::Text(most) => return text(value, most),
        Holds::Search => return text(value, 256).and_then(worded),
        Holds::Email => return text(value, 254).and_then(|text| known(text, pools::EMAILS)),
        Holds::Color => {
            return text(value, 64).and_then(|text| known(text, &["#112233", "#AbCdEf"]));
        }
        Holds::Country => {
            let code = text(value, 64).and_then(|text| known(text, &["US", "us", "DE"]))?;
            return Ok(json!(code.as_str().expect("a text").to_uppercase()));
        }
        Holds::Phone => {
            let phones: Vec<_> = pools::PHONES.iter().map(|phone| phone.typed).collect();
            return text(value, 64).and_then(|text| known(text, &phones));
        }
        Holds::Time => {
            let time = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
            return time.map(|time| json!(time.as_millisecond())).or_wrong();
        }
    };
    if is_right { Ok(value.clone()) } else { Err(BTreeSet::new()) }
}

/// Turns `None` into an error about the whole value.
trait OrWrong<T> {
    fn or_wrong(self) -> Result<T, BTreeSet<String>>;
}

impl<T> OrWrong<T> for Option<T> {
    fn or_wrong(self) -> Result<T, BTreeSet<String>> {
        self.ok_or_else(BTreeSet::new)
    }
}

fn text(value: &Value, most: usize) -> Result<Value, BTreeSet<String>> {
    let text = value.as_str().or_wrong()?.replace("\r\n", "\n");
    let is_allowed = text.chars().all(is_allowed);
    let text = text::trim_around(&text);
    let is_right = text.chars().count() <= most && is_allowed;
    is_right.then(|| json!(text)).or_wrong()
}

/// Accepts only a listed text: sequences send a few valid and a few invalid values.
fn known(text: Value, right: &[&str]) -> Result<Value, BTreeSet<String>> {
    let is_known = right.contains(&text.as_str().expect("a text"));
    is_known.then_some(text).or_wrong()
}

fn worded(text: Value) -> Result<Value, BTreeSet<String>> {
    let has_word = !fold::words(text.as_str().expect("a text")).is_empty();
    has_word.then_some(text).or_wrong()
}
