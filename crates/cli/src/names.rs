//! Finds records by name. In place of most ids, commands accept the e-mail address or name of a user, the number or
//! name of a customer, the name of a tag, the name or the first characters of a key, or the name of a connected
//! program. An ambiguous name is an error.

use anyhow::{Result, bail};
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::business::customers::SearchRow;
use zoop_crm::business::customers::tools::search::SearchCustomers;
use zoop_crm::business::tags::Tag;
use zoop_crm::business::tags::tools::ListTags;
use zoop_crm::identity::keys::KeyRecord;
use zoop_crm::identity::keys::tools::ListKeys;
use zoop_crm::identity::oauth::grants::GrantRecord;
use zoop_crm::identity::oauth::tools::ListGrants;
use zoop_crm::identity::users::tools::{ListUsers, ListedUser};
use zoop_crm::values::id::{Id, kinds};

use crate::operator::{About, Operator};
use crate::output::cell;

/// The maximum number of candidates that an error lists.
const MAX_LISTED_CANDIDATES: usize = 5;
/// The maximum number of rows in one page.
const MAX_PAGE_ROWS: u32 = 100;

/// A record that was found by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The record's id.
    pub(crate) id: String,
    /// The text for messages, such as `Dana Whitfield (dana@example.com)`.
    pub(crate) shown: String,
}

/// The kinds of records that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A member of the business.
    User,
    /// An active customer.
    Customer,
    /// An archived customer.
    ArchivedCustomer,
    /// A tag.
    Tag,
    /// A key that is not revoked.
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

    /// What a command accepts as the name of such a record.
    fn accepted(self) -> &'static str {
        match self {
            Self::User => {
                "write an id, an e-mail address or a full name; `zoop user list` lists them"
            }
            Self::Customer | Self::ArchivedCustomer => {
                "write an id, a number such as C-0042 or a full name"
            }
            Self::Tag => "write an id or a full name",
            Self::Key => {
                "write an id, a full name or the first characters; `zoop key list` lists them"
            }
            Self::Grant => "write an id or a program's full name; `zoop grant list` lists them",
        }
    }
}

impl Operator {
    /// Finds a record of this kind in a business, by id or name.
    pub(crate) fn find(&self, about: &About, kind: Kind, name: &str) -> Result<Named> {
        let name = name.trim();
        if let Some(id) = Id::<kinds::Record>::parse(name) {
            return Ok(self.by_id(about, kind, &id.to_string()));
        }
        let found = self.find_matches(about, kind, name)?;
        let (word, accepted, name) = (kind.word(), kind.accepted(), cell(&json!(name)));
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => bail!("there is no {word} called {name}: {accepted}"),
            several => bail!(
                "{} {} are called {name}: write the id of one of them: {}",
                several.len(),
                kind.plural(),
                list_with_ids(several)
            ),
        }
    }

    /// Finds a record of any kind except connected programs in a business, by id or name.
    pub(crate) fn find_any(&self, about: &About, name: &str) -> Result<Named> {
        if let Some(id) = Id::<kinds::Record>::parse(name.trim()) {
            return Ok(Named { id: id.to_string(), shown: id.to_string() });
        }
        let mut found = Vec::new();
        for kind in [Kind::User, Kind::Customer, Kind::ArchivedCustomer, Kind::Tag, Kind::Key] {
            found.extend(self.find_matches(about, kind, name.trim())?);
        }
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => bail!(
                "there is no record called {}: write an id, a customer's number or name, an e-mail \
                 address, or the name of a tag or key",
                cell(&json!(name))
            ),
            several => bail!(
                "{} records are called {}: write the id of one of them: {}",
                several.len(),
                cell(&json!(name)),
                list_with_ids(several)
            ),
        }
    }

    /// The record with this id. A customer gets no name here, because there are too many customers to list.
    fn by_id(&self, about: &About, kind: Kind, id: &str) -> Named {
        let all = match kind {
            Kind::Customer | Kind::ArchivedCustomer => Ok(Vec::new()),
            Kind::User | Kind::Tag | Kind::Key | Kind::Grant => self.candidates(about, kind),
        };
        let mut all = all.unwrap_or_default().into_iter().map(|candidate| candidate.named);
        let unnamed = || Named { id: id.to_owned(), shown: id.to_owned() };
        all.find(|named| named.id == id).unwrap_or_else(unnamed)
    }

    /// The records that a name matches.
    fn find_matches(&self, about: &About, kind: Kind, name: &str) -> Result<Vec<Named>> {
        let all = match kind {
            Kind::Customer => return self.customers(about, None, name),
            Kind::ArchivedCustomer => return self.customers(about, Some("archived"), name),
            Kind::User | Kind::Tag | Kind::Key | Kind::Grant => self.candidates(about, kind)?,
        };
        let is_match = |candidate: &Candidate| {
            candidate.names.iter().any(|known| is_same_name(known, name))
                || candidate.hint.as_deref().is_some_and(|hint| has_hint(hint, name))
        };
        Ok(all.into_iter().filter(is_match).map(|candidate| candidate.named).collect())
    }

    /// All records of a kind. For customers the list is empty, because there are too many.
    fn candidates(&self, about: &About, kind: Kind) -> Result<Vec<Candidate>> {
        Ok(match kind {
            Kind::User => {
                let users = self.all::<ListUsers>(about)?;
                users.into_iter().map(Candidate::user).collect()
            }
            Kind::Key => {
                let keys = self.all::<ListKeys>(about)?;
                keys.into_iter().map(Candidate::key).collect()
            }
            Kind::Grant => {
                let grants = self.all::<ListGrants>(about)?;
                grants.into_iter().map(Candidate::grant).collect()
            }
            Kind::Tag => {
                let tags = self.all::<ListTags>(about)?;
                tags.into_iter().map(Candidate::tag).collect()
            }
            Kind::Customer | Kind::ArchivedCustomer => Vec::new(),
        })
    }

    /// The customers with this number or full name.
    fn customers(&self, about: &About, status: Option<&str>, name: &str) -> Result<Vec<Named>> {
        let by_number = arguments!(SearchCustomers { customer_number: name, status: status });
        let found = self.list(about, by_number)?.rows;
        let named =
            |row: SearchRow| Named { id: row.id.to_string(), shown: one_line(&row.display_name) };
        if !found.is_empty() || is_number(name) {
            return Ok(found.into_iter().map(named).collect());
        }
        let by_name =
            arguments!(SearchCustomers { q: name, status: status }).page(None, MAX_PAGE_ROWS);
        let found = self.list(about, by_name)?.rows.into_iter();
        Ok(found.filter(|row| is_same_name(&row.display_name, name)).map(named).collect())
    }
}

/// A record that a name may match.
struct Candidate {
    named: Named,
    /// The names that match exactly.
    names: Vec<String>,
    /// The first characters of a key; the rest is not stored.
    hint: Option<String>,
}

impl Candidate {
    fn user(ListedUser { member, .. }: ListedUser) -> Self {
        let shown = format!("{} ({})", one_line(&member.name), one_line(&member.email));
        Self {
            named: Named { id: member.id.to_string(), shown },
            names: vec![member.email, member.name],
            hint: None,
        }
    }

    /// A revoked key is found only by its id.
    fn key(key: KeyRecord) -> Self {
        let hint = key.hint.trim_end_matches('…').to_owned();
        let shown = format!("{} ({}…)", one_line(&key.name), one_line(&hint));
        let named = Named { id: key.id.to_string(), shown };
        match key.revoked_at {
            Some(_) => Self { named, names: Vec::new(), hint: None },
            None => Self { named, names: vec![key.name, key.hint], hint: Some(hint) },
        }
    }

    fn grant(grant: GrantRecord) -> Self {
        let shown = format!("{} of {}", one_line(&grant.client_name), one_line(&grant.user_name));
        let named = Named { id: grant.id.to_string(), shown };
        Self { named, names: vec![grant.client_name], hint: None }
    }

    fn tag(tag: Tag) -> Self {
        let named = Named { id: tag.id.to_string(), shown: one_line(&tag.name) };
        Self { named, names: vec![tag.name], hint: None }
    }
}

/// Whether two names are the same, apart from case and surrounding white space.
fn is_same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Whether a string has the form of a customer's number.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['C', 'c']).and_then(|rest| rest.strip_prefix('-'));
    digits.is_some_and(|digits| !digits.is_empty() && digits.chars().all(|it| it.is_ascii_digit()))
}

/// Whether these characters are a key's hint, optionally followed by dots.
fn has_hint(hint: &str, characters: &str) -> bool {
    !hint.is_empty() && characters.trim_end_matches(['…', '.']) == hint
}

/// A record's text, short and on one line.
fn one_line(text: &str) -> String {
    cell(&json!(text))
}

/// Candidates with their ids.
fn list_with_ids(found: &[Named]) -> String {
    let named = |it: &Named| format!("{} {}", it.shown, it.id);
    let mut list: Vec<String> = found.iter().take(MAX_LISTED_CANDIDATES).map(named).collect();
    if found.len() > MAX_LISTED_CANDIDATES {
        list.push("…".to_owned());
    }
    list.join(", ")
}
