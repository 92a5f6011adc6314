//! The lines that a caller sends. What can be said of a line without the price book is said here, with the place where it
//! stands: `line_items[2].quantity`.

use super::MAX_LINES;
use crate::call::argument::{
    Hint, Input, Instead, Json, List, Parse, ParseContext, ParseError, Text, input, object_schema,
    parse_nested,
};
use crate::call::error::FieldProblem;
use crate::values::id::{Id, kinds};
use crate::values::money::{DiscountPercent, Quantity, UnitPrice};

/// What to use instead of fields that lines do not have.
const HINTS: &[Hint] = &[
    Hint::new(
        &["amount", "total", "line_total"],
        &[Instead::Advice("it is computed from quantity and unit_price: leave it out")],
    ),
    Hint::new(
        &["item_id", "item", "product_id", "catalog_item"],
        &[Instead::Fields(&["catalog_item_id"])],
    ),
    Hint::new(&["name", "title", "text"], &[Instead::Fields(&["description"])]),
    Hint::new(&["price", "rate", "cost", "unit_cost"], &[Instead::Fields(&["unit_price"])]),
    Hint::new(&["qty", "count", "hours"], &[Instead::Fields(&["quantity"])]),
    Hint::new(&["discount", "percent", "percent_off"], &[Instead::Fields(&["discount_percent"])]),
    Hint::new(&["tax", "tax_id", "rate_id"], &[Instead::Fields(&["tax_rate_id"])]),
];

input! {
    /// A line of a document.
    pub struct LineInput, hints = HINTS {
        /// A price book item; it fills what is not sent.
        pub catalog_item_id: Option<Id<kinds::CatalogItem>>,
        /// What the line is for.
        pub description: Option<Text<1_000>>,
        /// Default 1.
        pub quantity: Option<Quantity>,
        /// Per unit, before tax, in main units ("85.00"); negative takes off.
        pub unit_price: Option<UnitPrice>,
        /// Takes this part of all other lines off; without quantity and unit_price.
        pub discount_percent: Option<DiscountPercent>,
        /// Default: the item's, else true.
        pub taxable: Option<bool>,
        /// Instead of the document's rate.
        pub tax_rate_id: Option<Id<kinds::TaxRate>>,
    }
}

/// The lines of a document. Their schema says nothing about a line, because models read the schemas of all tools: the
/// description of the field names what a line has.
#[derive(Debug, Clone)]
pub struct SentLines(pub Vec<LineInput>);

impl Parse for SentLines {
    fn schema() -> serde_json::Value {
        let line = serde_json::json!({ "type": "object", "properties": {} });
        serde_json::json!({ "type": "array", "items": line, "maxItems": MAX_LINES })
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        List::<LineInput, 0, MAX_LINES>::parse(value, context).map(|List(lines)| Self(lines))
    }
}

input! {
    /// A line of a quote.
    pub struct QuoteLineInput {
        /// The heading under which the line stands.
        pub section: Option<Text<200>>,
        ..line: LineInput
    }
}

/// A tax rate, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxChoice(pub Option<Id<kinds::TaxRate>>);

impl Parse for TaxChoice {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string" })
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        match &value {
            Json::Text(text) if text.trim() == "none" => Ok(Self(None)),
            _ => <Id<kinds::TaxRate> as Parse>::parse(value, context).map(Some).map(Self),
        }
    }
}

impl Parse for LineInput {
    fn schema() -> serde_json::Value {
        serde_json::Value::Object(object_schema(&<Self as Input>::fields()))
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let line: Self = parse_nested(value, context)?;
        line.check().map(|()| line)
    }
}

impl Parse for QuoteLineInput {
    fn schema() -> serde_json::Value {
        serde_json::Value::Object(object_schema(&<Self as Input>::fields()))
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let line: Self = parse_nested(value, context)?;
        line.line.check().map(|()| line)
    }
}

impl LineInput {
    /// Checks the fields against one another.
    fn check(&self) -> Result<(), ParseError> {
        let mut problems = Vec::new();
        let mut refuse = |is_wrong: bool, field: &str, problem: &str| {
            if is_wrong {
                problems
                    .push(FieldProblem { field: field.to_owned(), problem: problem.to_owned() });
            }
        };
        let is_percent = self.discount_percent.is_some();
        let takes_off = is_percent || self.unit_price.is_some_and(UnitPrice::is_negative);
        let has_item = self.catalog_item_id.is_some();
        let is_priced = self.unit_price.is_some() || is_percent;
        let required = "is required without catalog_item_id";
        refuse(!has_item && self.description.is_none(), "description", required);
        let price = "is required without catalog_item_id, unless discount_percent is sent";
        refuse(!has_item && !is_priced, "unit_price", price);
        let alone = "cannot be sent with discount_percent";
        refuse(is_percent && self.quantity.is_some(), "quantity", alone);
        refuse(is_percent && self.unit_price.is_some(), "unit_price", alone);
        let untaxed = "cannot be sent for a discount: it lowers what the other lines are taxed on";
        refuse(takes_off && self.taxable.is_some(), "taxable", untaxed);
        refuse(takes_off && self.tax_rate_id.is_some(), "tax_rate_id", untaxed);
        let has_rate = self.taxable == Some(false) && self.tax_rate_id.is_some();
        refuse(has_rate, "tax_rate_id", "cannot be sent with taxable false");
        if problems.is_empty() { Ok(()) } else { Err(ParseError::inside(problems)) }
    }
}
