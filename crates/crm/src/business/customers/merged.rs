//! The customers that were merged into another one, as that one stores and shows them.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::{Column, Kind, Param, Value};

use super::CustomerNumber;
use crate::values::id::{Id, kinds};

/// A customer that was merged into another one. Its id and number still lead to that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergedCustomer {
    /// The id that it had.
    pub id: Id<kinds::Customer>,
    /// The number that it had, such as C-0042.
    pub customer_number: CustomerNumber,
}

/// All customers that were merged into one, in the order in which they were merged. Stored as text, because few
/// customers have any and nothing looks into it: `C-0012 0190b6c5-…, C-0034 0190b6c6-…`. So does the history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct MergedFrom(Option<String>);

impl MergedFrom {
    /// The customers.
    pub(crate) fn all(&self) -> impl Iterator<Item = MergedCustomer> {
        self.0.iter().flat_map(|text| text.split(", ")).filter_map(|text| {
            let (number, id) = text.split_once(' ')?;
            let customer_number = CustomerNumber::parse(number)?;
            Some(MergedCustomer { id: Id::parse(id)?, customer_number })
        })
    }

    /// The customers, if there are any.
    pub(crate) fn shown(&self) -> Option<Vec<MergedCustomer>> {
        self.0.is_some().then(|| self.all().collect())
    }

    /// These customers, then others.
    pub(crate) fn and(&self, others: impl IntoIterator<Item = MergedCustomer>) -> Self {
        self.all().chain(others).collect()
    }
}

impl FromIterator<MergedCustomer> for MergedFrom {
    fn from_iter<T: IntoIterator<Item = MergedCustomer>>(customers: T) -> Self {
        let mut text = String::new();
        for MergedCustomer { id, customer_number } in customers {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{customer_number} {id}");
        }
        Self((!text.is_empty()).then_some(text))
    }
}

impl Param for MergedFrom {
    fn value(&self) -> Value<'_> {
        self.0.value()
    }
}

impl Column for MergedFrom {
    const NAME: &'static str = "MergedFrom";
    const KIND: Kind = Kind::Text;
    fn read(value: Value<'_>) -> Option<Self> {
        Option::<String>::read(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_customers_survive_text_and_json() {
        let customer = |number| MergedCustomer {
            id: Id::parse("0190b6c5-0000-7000-8000-000000000001").expect("an id"),
            customer_number: CustomerNumber(number),
        };
        let none = MergedFrom::default();
        assert_eq!(serde_json::to_value(&none).expect("JSON"), json!(null));
        let two = none.and([customer(7)]).and([customer(12_345)]);
        let id = customer(7).id;
        let text = format!("C-0007 {id}, C-12345 {id}");
        assert_eq!(two.value(), Value::Text(&text));
        assert_eq!(MergedFrom::read(two.value()), Some(two.clone()));
        let json = serde_json::to_value(&two).expect("JSON");
        assert_eq!(json, json!(text));
        assert_eq!(serde_json::from_value::<MergedFrom>(json).expect("the customers"), two);
    }
}
