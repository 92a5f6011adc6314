//! The expressions of `customers.search`.

use super::terms::Terms;
use super::{
    EVERY_CUSTOMER, Flag, city_facet, email_facet, kind_facet, namespace, number_facet,
    postal_code_facet, status_facet, tag_facet,
};
use crate::business::customers::index::{Match, Place};
use crate::business::customers::{CustomerType, Status};
use crate::search::{Expression, Field, Prefix, TenantMark};
use crate::values::fold::QueryHasNoWord;
use crate::values::phone::NumberingPlan;

/// The filters of a search. `None` means no filter, except for `status`.
#[derive(Clone, Copy, Debug)]
pub struct CustomerQuery<'a> {
    /// Words or a phone number, as typed.
    pub q: Option<&'a str>,
    /// The tenant's country. `q` may contain a phone as it is written there.
    pub country: NumberingPlan,
    /// The status; `None` matches every customer that is not archived.
    pub status: Option<Status>,
    /// Individual or company.
    pub kind: Option<CustomerType>,
    /// The number of a tag in the search index.
    pub tag: Option<i64>,
    /// A whole e-mail address, in any case.
    pub email: Option<&'a str>,
    /// The numeric part of a customer number.
    pub number: Option<i64>,
    /// Whether the team marked it as very important.
    pub is_vip: Option<bool>,
    /// Whether the team must not contact it.
    pub do_not_contact: Option<bool>,
    /// The city of one of its locations.
    pub city: Option<&'a str>,
    /// The postal code of one of its locations.
    pub postal_code: Option<&'a str>,
    /// Whether it or a contact has a phone number.
    pub has_phone: Option<bool>,
}

impl CustomerQuery<'_> {
    /// A query without filters.
    #[must_use]
    pub const fn new(country: NumberingPlan) -> Self {
        Self {
            q: None,
            country,
            status: None,
            kind: None,
            tag: None,
            email: None,
            number: None,
            is_vip: None,
            do_not_contact: None,
            city: None,
            postal_code: None,
            has_phone: None,
        }
    }

    /// The search that this query asks for.
    ///
    /// # Errors
    /// `q` is set but contains no word.
    pub fn search(&self, tenant: TenantMark) -> Result<Search, QueryHasNoWord> {
        let prefix = Prefix { tenant, namespace: namespace(self.status) };
        let terms = self.q.map(|q| Terms::new(q, self.country));
        if terms.as_ref().is_some_and(Terms::is_empty) {
            return Err(QueryHasNoWord);
        }
        Ok(Search { prefix, terms, facets: self.facets(prefix) })
    }

    fn facets(&self, prefix: Prefix) -> Vec<Expression> {
        let facets = [
            self.number.map(number_facet),
            self.email.map(email_facet),
            self.tag.map(tag_facet),
            self.postal_code.map(postal_code_facet),
            self.city.map(city_facet),
            self.is_vip.map(|is_vip| Flag::Vip(is_vip).facet()),
            self.do_not_contact.map(|is_refused| Flag::DoNotContact(is_refused).facet()),
            self.has_phone.map(|has_phone| Flag::HasPhone(has_phone).facet()),
            self.kind.map(|kind| kind_facet(kind).to_owned()),
            self.status.and_then(status_facet).map(str::to_owned),
        ];
        let token = |facet: String| Expression::Token(prefix.token(Field::Facet, &facet));
        facets.into_iter().flatten().map(token).collect()
    }
}

/// A part of a search's result.
pub struct Tier {
    /// Finds the rows.
    pub rows: Expression,
    /// The tier is empty if this finds no row, which takes much less time to find out.
    pub precondition: Option<Expression>,
}

/// A search, ready to be run.
pub struct Search {
    prefix: Prefix,
    terms: Option<Terms>,
    facets: Vec<Expression>,
}

impl Search {
    /// The parts of the result, in order. A row is in at most one of them.
    ///
    /// Without `q` there is only one. With `q`, the first has the rows in which every word, or the phone, is a whole
    /// name, phone, number or e-mail address; the second, rows in which it is a part or another form of one; and the
    /// third, rows for which addresses are needed. The third is missing if `q` cannot be an address.
    #[must_use]
    pub fn tiers(&self) -> Vec<Tier> {
        let tier = |rows| Tier { rows: self.narrow(rows), precondition: None };
        let Some(terms) = &self.terms else {
            let every_customer =
                || Expression::Token(self.prefix.token(Field::Facet, EVERY_CUSTOMER));
            let rows = Expression::all(self.facets.clone()).unwrap_or_else(every_customer);
            return vec![Tier { rows, precondition: None }];
        };
        let (Some(whole), Some(partial)) = (terms.whole(self.prefix), terms.partial(self.prefix))
        else {
            return Vec::new();
        };
        let except = |one: Expression, other: &Expression| {
            Expression::Except(Box::new(one), Box::new(other.clone()))
        };
        let addresses = terms.addresses(self.prefix).map(|found| {
            let precondition = terms.any_address_word(self.prefix);
            Tier { precondition, ..tier(except(found, &partial)) }
        });
        let first = [tier(whole.clone()), tier(except(partial, &whole))];
        first.into_iter().chain(addresses).collect()
    }

    /// What to look for if the tiers find nothing, the nearest first.
    #[must_use]
    pub fn similar(&self) -> Vec<Expression> {
        let similar = self.terms.as_ref().map(|terms| terms.similar(self.prefix));
        similar.into_iter().flatten().map(|expression| self.narrow(expression)).collect()
    }

    /// Where a row matches `q`. `None` without `q`, or if these places do not explain all of `q`.
    pub(crate) fn explain(&self, places: &[Place<'_>]) -> Option<Vec<Match>> {
        self.terms.as_ref()?.explain(places)
    }

    /// Whether the search has a `q`.
    pub(crate) fn has_text(&self) -> bool {
        self.terms.is_some()
    }

    /// Adds the filters.
    fn narrow(&self, text: Expression) -> Expression {
        if self.facets.is_empty() {
            return text;
        }
        Expression::All(std::iter::once(text).chain(self.facets.iter().cloned()).collect())
    }
}
