//! The parts of a bundle, as sent, stored and shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::{Column, Kind, Param, Value};

use crate::call::argument::{Json, List, Parse, ParseContext, ParseError, input, nested};
use crate::call::error::FieldProblem;
use crate::values::id::{Id, kinds};
use crate::values::money::Quantity;

/// Maximum number of parts of a bundle.
pub(crate) const MAX_COMPONENTS: usize = 50;

/// Maximum number of parts that are read before doubles are dropped.
const MAX_SENT: usize = 1_000;

/// A part of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    /// The item.
    pub catalog_item_id: Id<kinds::CatalogItem>,
    /// How many of it.
    pub quantity: Quantity,
}

/// The parts of a bundle. The database has them as JSON: they are read and replaced with their bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    list: Vec<Component>,
    stored: String,
}

impl Components {
    /// These parts.
    #[must_use]
    pub fn new(list: Vec<Component>) -> Self {
        let stored = list.iter().map(|part| {
            format!(
                r#"{{"catalog_item_id":"{}","quantity":{}}}"#,
                part.catalog_item_id,
                part.quantity.text()
            )
        });
        let stored = format!("[{}]", stored.collect::<Vec<_>>().join(","));
        Self { list, stored }
    }

    /// No parts, as every item has that is not a bundle.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Vec::new())
    }

    /// The parts, in order.
    pub fn list(&self) -> &[Component] {
        &self.list
    }
}

impl Param for Components {
    fn value(&self) -> Value<'_> {
        Value::Text(&self.stored)
    }
}

impl Column for Components {
    const NAME: &'static str = "Components";
    const KIND: Kind = Kind::Text;

    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(stored) => serde_json::from_str(stored).ok().map(Self::new),
            _ => None,
        }
    }
}

input! {
    /// A part of a bundle.
    pub struct SentComponent {
        /// An active item that is neither a bundle nor a discount.
        pub catalog_item_id: Id<kinds::CatalogItem>,
        /// Default 1.
        pub quantity: Option<Quantity>,
    }
}
nested!(SentComponent);

/// The parts of a bundle as sent: 1 to 50, each item once. A part that is sent twice with the same quantity
/// counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentComponents(pub Vec<Component>);

impl Parse for SentComponents {
    fn schema() -> serde_json::Value {
        List::<SentComponent, 1, MAX_COMPONENTS>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let List(sent) = List::<SentComponent, 0, MAX_SENT>::parse(value, context)?;
        let mut parts: Vec<Component> = Vec::new();
        let mut problems = Vec::new();
        for (index, part) in sent.into_iter().enumerate() {
            let SentComponent { catalog_item_id, quantity } = part;
            let part = Component { catalog_item_id, quantity: quantity.unwrap_or(Quantity::ONE) };
            match parts.iter().find(|known| known.catalog_item_id == catalog_item_id) {
                None => parts.push(part),
                Some(same) if *same == part => {}
                Some(_) => problems.push(FieldProblem {
                    field: format!("[{index}].catalog_item_id"),
                    problem: "is in the bundle with another quantity: send each item once"
                        .to_owned(),
                }),
            }
        }
        if !problems.is_empty() {
            return Err(ParseError::Inside(problems));
        }
        match parts.len() {
            1..=MAX_COMPONENTS => Ok(Self(parts)),
            count => Err(ParseError::Invalid(format!(
                "must have 1 to {MAX_COMPONENTS} items, not {count}"
            ))),
        }
    }
}
