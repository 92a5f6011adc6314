//! `customers.find_duplicates`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use super::store::{older, profiles};
use super::{Among, Candidate, Described, Evidence, Likeness, Profile, find};
use crate::business::customers::index::SearchedLocation;
use crate::business::customers::{SearchRow, hints, store};
use crate::call::answer::Page;
use crate::call::argument::{Email, Fields, PhoneNumber, Ranged, Text, input};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::id::{Id, kinds};

/// How many customers a page of the account visits.
const VISITED: usize = 50;

input! {
    /// Whose duplicates to find. With no field, those of the whole account.
    pub struct FindDuplicatesInput, rules = rules, hints = hints::DUPLICATES {
        /// Of this customer; without other fields.
        pub customer_id: Option<Id<kinds::Customer>>,
        /// Of a person, or of a company's contact.
        pub first_name: Option<Text<128>>,
        /// Of the same.
        pub last_name: Option<Text<128>>,
        /// Of a company.
        pub company_name: Option<Text<256>>,
        /// In any format, with area code.
        pub phone: Option<PhoneNumber>,
        /// The whole address.
        pub email: Option<Email>,
        /// Street address.
        pub address_line1: Option<Text<256>>,
        /// Unit or suite.
        pub address_line2: Option<Text<256>>,
        /// City.
        pub city: Option<Text<128>>,
        /// ZIP or postal code.
        pub postal_code: Option<Text<16>>,
    }
}

/// The fields that describe a customer who may not be there yet.
const DESCRIBING: &[&str] = &[
    "first_name",
    "last_name",
    "company_name",
    "phone",
    "email",
    "address_line1",
    "address_line2",
    "city",
    "postal_code",
];

fn rules(sent: &mut Fields) {
    if sent.is_filled("customer_id") {
        for field in DESCRIBING.iter().filter(|field| sent.is_filled(field)).collect::<Vec<_>>() {
            sent.refuse::<()>(field, "must not be sent with customer_id");
        }
    }
}

/// A customer that may be the same as another.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DuplicateRow {
    /// The customer.
    #[serde(flatten)]
    pub customer: SearchRow,
    /// Whether they are likely the same. The others only have a phone or e-mail in common.
    pub likely: bool,
    /// What is the same.
    pub evidence: Vec<Evidence>,
    /// Only for the whole account: the customer that it may be the same as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<SearchRow>,
}

/// Where a page of the whole account ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Position {
    /// The newer customer of the last pair, or the last that was visited.
    id: Uuid,
    /// Which of its candidates was listed last. `None` if it has no more.
    last: Option<(i32, Uuid)>,
}

/// `customers.find_duplicates`
pub struct FindDuplicates;

impl Tool for FindDuplicates {
    const NAME: &'static str = "customers.find_duplicates";
    const TITLE: &'static str = "Find duplicates";
    const ABOUT: &'static str = "Finds customers that may be the same, with the evidence: of one \
        customer, of fields before you create it, or with no field all likely pairs, newest first; \
        such a page may be short or empty: pass nextCursor to go on.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"first_name":"Bob","last_name":"Reyes","phone":"510-555-0199","postal_code":"94607"}"#;
    type Input = FindDuplicatesInput;
    type Output = Page<DuplicateRow>;
}

impl List for FindDuplicates {
    type Row = DuplicateRow;
    type Position = Position;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 10;
    const AT_ONCE: usize = 50;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &FindDuplicatesInput,
        after: Option<Position>,
        count: usize,
    ) -> Result<Found<DuplicateRow, Position>> {
        if let Some(id) = input.customer_id {
            let customer = store::resolved(ctx.tx, id)?;
            let profiles = profiles(ctx.tx, &[customer.id])?;
            let (_, profile) = profiles.first().ok_or(Error::not_found("customer"))?;
            return one(ctx, profile, Some(customer.id), after, count);
        }
        match input.described() {
            Some(profile) => one(ctx, &profile, None, after, count),
            None => whole_account(ctx, after, count),
        }
    }
}

impl FindDuplicatesInput {
    /// The customer that the fields describe. `None` without any.
    fn described(&self) -> Option<Profile> {
        let text = |field: &Option<Text<128>>| field.as_ref().map(|it| it.0.clone());
        let long = |field: &Option<Text<256>>| field.as_ref().map(|it| it.0.clone());
        let [first_name, last_name] = [&self.first_name, &self.last_name].map(text);
        let company_name = long(&self.company_name);
        let address_line2 = long(&self.address_line2);
        let place = SearchedLocation {
            address_line1: long(&self.address_line1).unwrap_or_default(),
            city: text(&self.city).unwrap_or_default(),
            postal_code: self.postal_code.as_ref().map(|it| it.0.clone()).unwrap_or_default(),
            address_line2,
            ..SearchedLocation::default()
        };
        let has_place = place != SearchedLocation::default();
        let is_named = [&first_name, &last_name, &company_name].into_iter().any(Option::is_some);
        if !is_named && !has_place && self.phone.is_none() && self.email.is_none() {
            return None;
        }
        let [first_name, last_name, company_name] =
            [&first_name, &last_name, &company_name].map(|it| it.as_deref().unwrap_or_default());
        let person = (first_name, last_name);
        let is_contact = !company_name.is_empty() && person != ("", "");
        Some(Profile::new(&Described {
            company_name,
            first_name,
            last_name,
            contacts: if is_contact { vec![person] } else { Vec::new() },
            phones: self.phone.iter().map(|phone| phone.0.e164()).collect(),
            emails: self.email.iter().map(|email| email.0.as_str()).collect(),
            locations: if has_place { vec![&place] } else { Vec::new() },
        }))
    }
}

/// What may be the same as one customer, the likeliest first. A bounded list, so one read has all of it.
fn one(
    ctx: &mut ReadCtx<'_, '_>,
    profile: &Profile,
    own: Option<Id<kinds::Customer>>,
    after: Option<Position>,
    count: usize,
) -> Result<Found<DuplicateRow, Position>> {
    let found = find(ctx.tx, profile, Among { not: own, ..Among::ALL })?;
    let last = after.and_then(|after| after.last);
    let id = own.map_or(Uuid::nil(), Id::uuid);
    let mut rows = Vec::new();
    for candidate in found.into_iter().filter(is_worth_showing).filter(|it| is_after(it, last)) {
        if rows.len() == count {
            break;
        }
        let last = Some(candidate.rank());
        if let Some(row) = row(ctx, candidate, None)? {
            rows.push((row, Position { id, last }));
        }
    }
    Ok(Found::all(rows))
}

/// Whether a candidate comes after the last one of a page, whatever was merged or marked meanwhile.
fn is_after(candidate: &Candidate, last: Option<(i32, Uuid)>) -> bool {
    last.is_none_or(|last| candidate.rank() < last)
}

fn is_worth_showing(candidate: &Candidate) -> bool {
    let comparison = &candidate.comparison;
    comparison.is_likely() || comparison.has(Likeness::Phone) || comparison.has(Likeness::Email)
}

fn row(
    ctx: &mut ReadCtx<'_, '_>,
    candidate: Candidate,
    duplicate_of: Option<SearchRow>,
) -> Result<Option<DuplicateRow>> {
    let Candidate { id, comparison } = candidate;
    let row = store::row(ctx.tx, id)?;
    Ok(row.map(|customer| DuplicateRow {
        customer,
        likely: comparison.is_likely(),
        evidence: comparison.evidence,
        duplicate_of,
    }))
}

/// Likely pairs of the account, each with its newer customer and older candidates. It visits the customers newest
/// first, and stops after so many.
fn whole_account(
    ctx: &mut ReadCtx<'_, '_>,
    after: Option<Position>,
    count: usize,
) -> Result<Found<DuplicateRow, Position>> {
    // A customer whose pairs were not all listed is visited again.
    let before = after.map_or(Uuid::max(), |after| match after.last {
        Some(_) => Uuid::from_u128(after.id.as_u128() + 1),
        None => after.id,
    });
    let visited = older(ctx.tx, before, VISITED)?;
    let is_last = visited.len() < VISITED;
    let last = visited.last().map(|last| Position { id: last.id.uuid(), last: None });
    let current: Vec<_> = visited.into_iter().filter(|visited| !visited.is_archived).collect();
    let ids: Vec<_> = current.iter().map(|visited| visited.id).collect();
    let mut profiles: std::collections::HashMap<_, _> =
        profiles(ctx.tx, &ids)?.into_iter().collect();
    let mut rows = Vec::new();
    for visited in current {
        let Some(profile) = profiles.remove(&visited.id) else { continue };
        let among = Among { not: Some(visited.id), below: visited.n };
        let found = find(ctx.tx, &profile, among)?;
        let likely = found.into_iter().filter(|candidate| candidate.comparison.is_likely());
        let again = after.filter(|after| after.id == visited.id.uuid());
        let listed = again.and_then(|after| after.last);
        for candidate in likely.filter(|it| is_after(it, listed)) {
            if rows.len() == count {
                return Ok(Found::all(rows));
            }
            let last = Some(candidate.rank());
            let newer = store::row(ctx.tx, visited.id)?;
            if let Some(row) = row(ctx, candidate, newer)? {
                rows.push((row, Position { id: visited.id.uuid(), last }));
            }
        }
    }
    Ok(Found { rows, stopped: last.filter(|_| !is_last) })
}
