//! Records by what people call them: wherever a command takes an id, it takes the e-mail address or name
//! of a person, the number or name of a customer, the name of a tag, the name or the first characters of
//! a key, and the name of a connected program. What could be several records is never guessed at.

use anyhow::{Result, bail};
use serde_json::{Value, json};
use zoop_crm::id::{Id, kinds};

use crate::operator::{About, Operator};
use crate::output::cell;

/// Candidates that a refusal names.
const CANDIDATES: usize = 5;

/// A record that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its id.
    pub(crate) id: String,
    /// What to call it, with what tells it from others of its name.
    pub(crate) shown: String,
}

/// The kinds of records that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A member of the business.
    User,
    /// A customer that is not archived.
    Customer,
    /// A customer that is archived.
    ArchivedCustomer,
    /// A tag.
    Tag,
    /// A key that was not revoked.
    Key,
    /// A connected program.
    Grant,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::User => "person",
            Self::Customer => "customer",
            Self::ArchivedCustomer => "archived customer",
            Self::Tag => "tag",
            Self::Key => "key",
            Self::Grant => "connected program",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::User => "people",
            Self::Customer => "customers",
            Self::ArchivedCustomer => "archived customers",
            Self::Tag => "tags",
            Self::Key => "keys",
            Self::Grant => "connected programs",
        }
    }

    /// What a command takes for it.
    fn accepted(self) -> &'static str {
        match self {
            Self::User => {
                "write an id, an e-mail address or a whole name; `zoop user list` shows them"
            }
            Self::Customer | Self::ArchivedCustomer => {
                "write an id, a number such as C-0042 or a whole name"
            }
            Self::Tag => "write an id or a whole name",
            Self::Key => {
                "write an id, a whole name or the first characters; `zoop key list` shows them"
            }
            Self::Grant => "write an id or a program's whole name; `zoop grant list` shows them",
        }
    }
}

impl Operator {
    /// The record of a business that is named.
    pub(crate) fn named(&self, about: &About, kind: Kind, name: &str) -> Result<Named> {
        let name = name.trim();
        if let Some(id) = Id::<kinds::Record>::parse(name) {
            return Ok(self.known(about, kind, &id.to_string()));
        }
        let found = self.called(about, kind, name)?;
        let (word, accepted, name) = (kind.word(), kind.accepted(), cell(&json!(name)));
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => bail!("there is no {word} called {name}: {accepted}"),
            several => bail!(
                "{} {} are called {name}: write the id of one of {}",
                several.len(),
                kind.plural(),
                listed(several)
            ),
        }
    }

    /// Any record of a business that is named, of whatever kind.
    pub(crate) fn any_named(&self, about: &About, name: &str) -> Result<Named> {
        if let Some(id) = Id::<kinds::Record>::parse(name.trim()) {
            return Ok(Named { id: id.to_string(), shown: id.to_string() });
        }
        let mut found = Vec::new();
        for kind in [Kind::User, Kind::Customer, Kind::ArchivedCustomer, Kind::Tag, Kind::Key] {
            found.extend(self.called(about, kind, name.trim())?);
        }
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => bail!(
                "there is no record called {}: write an id, a customer's number or name, an e-mail \
                 address, or the name of a tag or key",
                cell(&json!(name))
            ),
            several => bail!(
                "{} records are called {}: write the id of one of {}",
                several.len(),
                cell(&json!(name)),
                listed(several)
            ),
        }
    }

    /// A record by its id, under its name if it is easily found.
    fn known(&self, about: &About, kind: Kind, id: &str) -> Named {
        let rows = match kind {
            Kind::User | Kind::Tag | Kind::Key | Kind::Grant => self.all(about, kind),
            Kind::Customer | Kind::ArchivedCustomer => Ok(Vec::new()),
        };
        let rows = rows.unwrap_or_default();
        let row = rows.iter().find(|row| row["id"] == id);
        Named {
            id: id.to_owned(),
            shown: row.map_or_else(|| id.to_owned(), |row| shown(kind, row)),
        }
    }

    /// The records that a name fits.
    fn called(&self, about: &About, kind: Kind, name: &str) -> Result<Vec<Named>> {
        let rows = match kind {
            Kind::Customer | Kind::ArchivedCustomer => self.customers(about, kind, name)?,
            _ => self.all(about, kind)?,
        };
        let fits = |row: &&Value| {
            let is = |key: &str| row[key].as_str().is_some_and(|text| is_same(text, name));
            match kind {
                Kind::User => is("email") || is("name"),
                Kind::Customer | Kind::ArchivedCustomer => true,
                Kind::Tag => is("name"),
                Kind::Key => {
                    row["revoked_at"].is_null() && (is("name") || is("hint") || begins(row, name))
                }
                Kind::Grant => is("client_name"),
            }
        };
        let named = |row: &Value| Named { id: cell(&row["id"]), shown: shown(kind, row) };
        Ok(rows.iter().filter(fits).map(named).collect())
    }

    /// All records of a kind of which a business has few.
    fn all(&self, about: &About, kind: Kind) -> Result<Vec<Value>> {
        let tool = match kind {
            Kind::User => "users.list",
            Kind::Key => "keys.list",
            Kind::Grant => "grants.list",
            Kind::Tag | Kind::Customer | Kind::ArchivedCustomer => "tags.list",
        };
        Ok(rows(self.run(about, tool, &json!({}))?))
    }

    /// The customers with a number or a whole name.
    fn customers(&self, about: &About, kind: Kind, name: &str) -> Result<Vec<Value>> {
        let status = (kind == Kind::ArchivedCustomer).then_some("archived");
        let by_number = json!({ "customer_number": name, "status": status });
        let found = rows(self.run(about, "customers.search", &by_number)?);
        if !found.is_empty() || is_number(name) {
            return Ok(found);
        }
        let by_name = json!({ "q": name, "status": status, "limit": 100 });
        let mut found = rows(self.run(about, "customers.search", &by_name)?);
        found.retain(|row| row["display_name"].as_str().is_some_and(|text| is_same(text, name)));
        Ok(found)
    }
}

fn rows(mut answer: Value) -> Vec<Value> {
    match answer["rows"].take() {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    }
}

/// Whether two names are the same to a reader.
fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Whether a text has the form of a customer's number.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['C', 'c']).and_then(|rest| rest.strip_prefix('-'));
    digits.is_some_and(|digits| !digits.is_empty() && digits.chars().all(|it| it.is_ascii_digit()))
}

/// Whether a key begins with these characters, of which only the first are known.
fn begins(row: &Value, characters: &str) -> bool {
    let hint = row["hint"].as_str().unwrap_or_default().trim_end_matches('…');
    !hint.is_empty() && characters.trim_end_matches(['…', '.']) == hint
}

/// A record as people know it.
fn shown(kind: Kind, row: &Value) -> String {
    let text = |key: &str| cell(&row[key]);
    match kind {
        Kind::User => format!("{} ({})", text("name"), text("email")),
        Kind::Customer | Kind::ArchivedCustomer => text("display_name"),
        Kind::Tag => text("name"),
        Kind::Key => format!("{} ({}…)", text("name"), text("hint").trim_end_matches('…')),
        Kind::Grant => format!("{} of {}", text("client_name"), text("user_name")),
    }
}

/// Candidates with their ids.
fn listed(found: &[Named]) -> String {
    let named = |it: &Named| format!("{} {}", it.shown, it.id);
    let mut list: Vec<String> = found.iter().take(CANDIDATES).map(named).collect();
    if found.len() > CANDIDATES {
        list.push("…".to_owned());
    }
    list.join(", ")
}
