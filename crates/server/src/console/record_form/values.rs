//! The values of a form: as typed, and as a tool's arguments.

use std::collections::{BTreeMap, HashMap};

use zoop_crm::call::argument::{Arguments, Json, Object};

use super::declaration::{Declaration, Input, Placed, Usage, yes_or_no};
use crate::web::form::Form;

/// The values of a form's fields, by their names in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::console) struct Values(HashMap<String, String>);

impl Values {
    /// What the form for a new record begins with.
    pub(in crate::console) fn initial(declaration: &Declaration) -> Self {
        let fields = declaration.placed(Usage::New).into_iter();
        Self(fields.map(|it| (it.path, it.field.initial().to_owned())).collect())
    }

    /// What was typed. A browser does not send a box that is not checked.
    pub(in crate::console) fn typed(declaration: &Declaration, usage: Usage, form: &Form) -> Self {
        let value = |it: &Placed| match it.field.input {
            Input::Check(_) => yes_or_no(form.text(&it.path) == "true").to_owned(),
            _ => form.text(&it.path).to_owned(),
        };
        let fields = declaration.placed(usage).into_iter();
        Self(fields.map(|it| (it.path.clone(), value(&it))).collect())
    }

    /// All values in one text.
    pub(in crate::console) fn whole(&self) -> String {
        format!("{:?}", self.0.iter().collect::<BTreeMap<_, _>>())
    }

    pub(in crate::console) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Adds a stored value.
    #[must_use]
    pub(in crate::console) fn with<'v>(
        mut self,
        name: &str,
        value: impl Into<Option<&'v str>>,
    ) -> Self {
        self.set(name, value.into().unwrap_or_default());
        self
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The arguments of a new record: the fields that say something else than what the tool assumes anyway.
    pub(in crate::console) fn of_new_record<T>(&self, declaration: &Declaration) -> Arguments<T> {
        let mut arguments = Arguments::none();
        let mut nested: BTreeMap<&str, Object> = BTreeMap::new();
        for placed in declaration.placed(Usage::New) {
            let value = self.get(&placed.path);
            let normal = normal(&placed, value);
            if !placed.is_for(self) || normal.is_empty() || normal == placed.field.default() {
                continue;
            }
            let (name, value) = (placed.field.name, json(&placed, value));
            match placed.within {
                Some(outer) => nested.entry(outer).or_default().push((name.to_owned(), value)),
                None => arguments = arguments.with(name, value),
            }
        }
        nested.into_iter().fold(arguments, |arguments, (outer, fields)| {
            arguments.with(outer, Json::Object(fields))
        })
    }

    /// The arguments of a change: these fields. An empty field is cleared.
    pub(super) fn of_change<T>(&self, fields: &[Placed]) -> Arguments<T> {
        fields.iter().fold(Arguments::none(), |arguments, placed| {
            let value = self.get(&placed.path);
            let is_empty = normal(placed, value).is_empty();
            let value = if is_empty { Json::Null } else { json(placed, value) };
            arguments.with(placed.field.name, value)
        })
    }
}

/// A value without what makes no difference: spaces around it, and how a browser ends lines.
pub(super) fn normal(placed: &Placed, value: &str) -> String {
    let value = value.replace("\r\n", "\n").trim().to_owned();
    match placed.field.input {
        Input::Number => value.parse::<f64>().map_or(value, |number| number.to_string()),
        _ => value,
    }
}

fn json(placed: &Placed, value: &str) -> Json {
    let text = || Json::Text(value.to_owned());
    match placed.field.input {
        Input::Check(_) => Json::Boolean(value == "true"),
        // The tool says what is wrong with a text that is no number.
        Input::Number => {
            let number = value.trim().parse().ok().and_then(serde_json::Number::from_f64);
            number.map_or_else(text, Json::Number)
        }
        _ => text(),
    }
}
