//! The customers that were merged into another one, as that one stores and shows them.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
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
/// customers have any and nothing looks into it: `12:0190b6c5-… 34:0190b6c6-…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MergedFrom(Option<String>);

impl MergedFrom {
    /// The customers.
    pub(crate) fn all(&self) -> impl Iterator<Item = MergedCustomer> {
        self.0.iter().flat_map(|text| text.split(' ')).filter_map(|text| {
            let (number, id) = text.split_once(':')?;
            let customer_number = CustomerNumber(number.parse().ok()?);
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
            let separator = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{separator}{}:{id}", customer_number.0);
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

/// In the history, null if there are none.
impl Serialize for MergedFrom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MergedFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Option::<Vec<MergedCustomer>>::deserialize(deserializer)?;
        Ok(all.into_iter().flatten().collect())
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
        let text =
            "7:0190b6c5-0000-7000-8000-000000000001 12345:0190b6c5-0000-7000-8000-000000000001";
        assert_eq!(two.value(), Value::Text(text));
        assert_eq!(MergedFrom::read(two.value()), Some(two.clone()));
        let json = serde_json::to_value(&two).expect("JSON");
        assert_eq!(json[1]["customer_number"], "C-12345");
        assert_eq!(serde_json::from_value::<MergedFrom>(json).expect("the customers"), two);
    }
}
