//! What the columns of a file mean: recognized by the names that the usual systems give them, or said by a person.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::call::error::{Error, FieldProblem, Result};
use crate::values::fold;

crate::call::argument::choices! {
    /// What a column has.
    pub enum Meaning {
        /// The customer's id in the other system.
        ExternalId = "external_id",
        /// The ids of a client and a property in Jobber, with `_` between them.
        ClientAndProperty = "client_and_property_id",
        /// The whole name of a person or a company.
        Name = "name",
        /// A person's given name.
        FirstName = "first_name",
        /// A person's middle name.
        MiddleName = "middle_name",
        /// A person's family name.
        LastName = "last_name",
        /// A title such as Dr.
        Prefix = "prefix",
        /// Such as Jr.
        Suffix = "suffix",
        /// A company's name.
        CompanyName = "company_name",
        /// Whether it is a person or a company.
        CustomerType = "customer_type",
        /// A person's position in a company.
        JobTitle = "job_title",
        /// Phone numbers.
        Phone = "phone",
        /// Mobile numbers.
        Mobile = "mobile",
        /// Phone numbers at work.
        WorkPhone = "work_phone",
        /// Phone numbers at home.
        HomePhone = "home_phone",
        /// E-mail addresses.
        Email = "email",
        /// Labels.
        Tags = "tags",
        /// How the customer was acquired.
        Source = "source",
        /// Remarks.
        Notes = "notes",
        /// Whether not to contact the customer.
        DoNotContact = "do_not_contact",
        /// Whether the customer is very important.
        Vip = "vip",
        /// Whether the customer is a former one.
        Archived = "archived",
        /// What the first place is called.
        ServiceName = "service_name",
        /// Its street.
        ServiceLine1 = "service_line1",
        /// Its unit.
        ServiceLine2 = "service_line2",
        /// Its city.
        ServiceCity = "service_city",
        /// Its state.
        ServiceState = "service_state",
        /// Its postal code.
        ServicePostalCode = "service_postal_code",
        /// Its country.
        ServiceCountry = "service_country",
        /// Its whole address.
        ServiceAddress = "service_address",
        /// What the crew must know there.
        ServiceNotes = "service_notes",
        /// Whether invoices go there.
        ServiceIsBilling = "service_is_billing",
        /// What the second place is called.
        Service2Name = "service2_name",
        /// Its street.
        Service2Line1 = "service2_line1",
        /// Its unit.
        Service2Line2 = "service2_line2",
        /// Its city.
        Service2City = "service2_city",
        /// Its state.
        Service2State = "service2_state",
        /// Its postal code.
        Service2PostalCode = "service2_postal_code",
        /// Its country.
        Service2Country = "service2_country",
        /// Its whole address.
        Service2Address = "service2_address",
        /// What the crew must know there.
        Service2Notes = "service2_notes",
        /// Whether invoices go there.
        Service2IsBilling = "service2_is_billing",
        /// To whom invoices go.
        BillingName = "billing_name",
        /// The street where they go.
        BillingLine1 = "billing_line1",
        /// Its unit.
        BillingLine2 = "billing_line2",
        /// Its city.
        BillingCity = "billing_city",
        /// Its state.
        BillingState = "billing_state",
        /// Its postal code.
        BillingPostalCode = "billing_postal_code",
        /// Its country.
        BillingCountry = "billing_country",
        /// Its whole address.
        BillingAddress = "billing_address",
        /// A remark about it.
        BillingNotes = "billing_notes",
    }
}

/// The columns of one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlaceColumns {
    pub(super) name: Meaning,
    pub(super) line1: Meaning,
    pub(super) line2: Meaning,
    pub(super) city: Meaning,
    pub(super) state: Meaning,
    pub(super) postal_code: Meaning,
    pub(super) country: Meaning,
    /// The whole address in one cell.
    pub(super) whole: Meaning,
    pub(super) notes: Meaning,
}

/// The place where the work is done.
pub(super) const SERVICE: PlaceColumns = PlaceColumns {
    name: Meaning::ServiceName,
    line1: Meaning::ServiceLine1,
    line2: Meaning::ServiceLine2,
    city: Meaning::ServiceCity,
    state: Meaning::ServiceState,
    postal_code: Meaning::ServicePostalCode,
    country: Meaning::ServiceCountry,
    whole: Meaning::ServiceAddress,
    notes: Meaning::ServiceNotes,
};
/// Another place where work is done.
pub(super) const SERVICE2: PlaceColumns = PlaceColumns {
    name: Meaning::Service2Name,
    line1: Meaning::Service2Line1,
    line2: Meaning::Service2Line2,
    city: Meaning::Service2City,
    state: Meaning::Service2State,
    postal_code: Meaning::Service2PostalCode,
    country: Meaning::Service2Country,
    whole: Meaning::Service2Address,
    notes: Meaning::Service2Notes,
};
/// Where invoices go.
pub(super) const BILLING: PlaceColumns = PlaceColumns {
    name: Meaning::BillingName,
    line1: Meaning::BillingLine1,
    line2: Meaning::BillingLine2,
    city: Meaning::BillingCity,
    state: Meaning::BillingState,
    postal_code: Meaning::BillingPostalCode,
    country: Meaning::BillingCountry,
    whole: Meaning::BillingAddress,
    notes: Meaning::BillingNotes,
};

/// The names that the usual systems give their columns: a name, and what it means.
const KNOWN: &str = include_str!("known.tsv");

static MEANINGS: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
    let named = lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let name = normalized(cells.next()?);
        Some((name, Meaning::from_word(cells.next()?)?))
    });
    // Of two that differ only in their numbers, the first.
    named.fold(HashMap::new(), |mut known, (name, meaning)| {
        known.entry(name).or_insert(meaning);
        known
    })
});

/// A name in lower case, without what separates its words.
fn normalized(name: &str) -> String {
    let name = name.replace('#', " number ");
    fold::words(&name).into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ")
}

/// What a name of a column means, if it is known. A word of our own is known too.
#[must_use]
pub fn meaning(name: &str) -> Option<Meaning> {
    let own = Meaning::from_word(name.trim());
    own.or_else(|| MEANINGS.get(&normalized(name)).copied())
}

/// How many of the names are known.
#[must_use]
pub fn count_known(names: &[String]) -> usize {
    names.iter().filter(|name| meaning(name).is_some()).count()
}

/// What each column of a file means. `None` for a column that is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    meanings: Vec<Option<Meaning>>,
}

/// A column of a file, as a person chooses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// The first of this name, as the file writes it.
    Named(String),
    /// The one at this place; the first is 0.
    At(usize),
}

/// What a person says of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The column.
    pub column: Column,
    /// What it means. `None` if it is not to be imported.
    pub meaning: Option<Meaning>,
}

impl Column {
    fn position(&self, names: &[String]) -> Option<usize> {
        match self {
            Self::Named(name) => names.iter().position(|it| it.trim() == name.trim()),
            Self::At(at) => Some(*at).filter(|at| *at < names.len()),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::At(at) => write!(f, "column {}", at + 1),
        }
    }
}

impl Columns {
    /// Recognizes columns by their names. What a person says goes first.
    ///
    /// # Errors
    /// If the file has no column of a name that was said, or if no column has a name of a customer.
    pub fn recognize(names: &[String], said: &[Said]) -> Result<Self> {
        let columns = Self::known(names, said)?;
        columns.require_names(names)?;
        Ok(columns)
    }

    /// [`Columns::recognize`] without asking for names of customers.
    ///
    /// # Errors
    /// If the file has no column that was said.
    pub(super) fn known(names: &[String], said: &[Said]) -> Result<Self> {
        let mut meanings: Vec<_> = names.iter().map(|name| meaning(name)).collect();
        let mut problems = Vec::new();
        for Said { column, meaning } in said {
            match column.position(names) {
                Some(at) => meanings[at] = *meaning,
                None => problems.push(FieldProblem {
                    field: column.to_string(),
                    problem: "is not the name of a column of this file".to_owned(),
                }),
            }
        }
        if !problems.is_empty() {
            return Err(Error::fields(problems));
        }
        Ok(Self { meanings })
    }

    fn require_names(&self, names: &[String]) -> Result<()> {
        use Meaning::{CompanyName, FirstName, LastName, Name};
        let is_named = self.meanings.iter().flatten();
        if is_named.into_iter().any(|it| [Name, FirstName, LastName, CompanyName].contains(it)) {
            return Ok(());
        }
        let names: Vec<_> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
        Err(Error::invalid(format!(
            "No column is known to have the names of customers: say which of {} is the name.",
            names.join(", ")
        )))
    }

    /// What each column means, in the order of the file.
    #[must_use]
    pub fn meanings(&self) -> &[Option<Meaning>] {
        &self.meanings
    }
}
