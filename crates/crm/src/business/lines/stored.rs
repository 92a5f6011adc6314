//! Lines as their document's row keeps them.

use serde::{Deserialize, Serialize};
use zoop_db::{Column, Kind, Param, Value};

use super::totals::{self, Rate, Refused, Totals};
use crate::business::documents::ERASED_TEXT;
use crate::business::tax_rates::TaxRate;
use crate::call::error::{Error, Result};
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::{DiscountPercent, Quantity, TaxPercent, UnitPrice};

/// A line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::business) struct StoredLine {
    /// The heading of a quote under which the line stands.
    pub(in crate::business) section: Option<String>,
    /// The item of the price book from which the line was filled.
    pub(in crate::business) catalog_item_id: Option<Id<kinds::CatalogItem>>,
    /// What the line is for.
    pub(in crate::business) description: String,
    /// What it charges or takes off.
    pub(in crate::business) charge: Charge,
}

/// What a line charges or takes off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::business) enum Charge {
    /// So many at a price that is not negative.
    Sold { quantity: Quantity, unit_price: UnitPrice, tax: LineTax },
    /// So many at a negative price.
    Off { quantity: Quantity, unit_price: UnitPrice },
    /// A part of all that is sold.
    PercentOff(DiscountPercent),
}

/// How a line is taxed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::business) enum LineTax {
    /// Not at all.
    Untaxed,
    /// At the document's own rate, if it has one.
    OfDocument,
    /// At this rate.
    At(KeptRate),
}

/// A tax rate as a document keeps it: later changes of the rate do not change the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::business) struct KeptRate {
    /// The rate's id.
    pub(in crate::business) id: Id<kinds::TaxRate>,
    /// Its name, as the document prints it.
    pub(in crate::business) name: String,
    /// Its percentage.
    pub(in crate::business) rate_percentage: TaxPercent,
}

impl KeptRate {
    /// The rate as it is now.
    pub(super) fn of(rate: &TaxRate) -> Self {
        Self { id: rate.id, name: rate.name.clone(), rate_percentage: rate.rate_percentage }
    }

    const fn rate(&self) -> Rate<Id<kinds::TaxRate>> {
        Rate { id: self.id, percent: self.rate_percentage }
    }
}

/// The lines of a document, with the text that stores them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::business) struct Lines {
    lines: Vec<StoredLine>,
    text: String,
}

impl Default for Lines {
    fn default() -> Self {
        Self { lines: Vec::new(), text: "[]".to_owned() }
    }
}

impl Lines {
    /// These lines.
    pub(in crate::business) fn new(lines: Vec<StoredLine>) -> Result<Self> {
        let written: Vec<_> = lines.iter().map(Written::of).collect();
        Ok(Self { text: serde_json::to_string(&written)?, lines })
    }

    /// The lines without the headings under which they stand in a quote.
    pub(in crate::business) fn without_sections(&self) -> Result<Self> {
        Self::new(
            self.lines.iter().cloned().map(|line| StoredLine { section: None, ..line }).collect(),
        )
    }

    /// The lines without their texts.
    pub(in crate::business) fn erased(&self) -> Result<Self> {
        let erased = |line: &StoredLine| StoredLine {
            section: line.section.as_ref().map(|_| ERASED_TEXT.to_owned()),
            description: ERASED_TEXT.to_owned(),
            ..line.clone()
        };
        Self::new(self.lines.iter().map(erased).collect())
    }

    /// The lines, in order.
    pub(in crate::business) fn all(&self) -> &[StoredLine] {
        &self.lines
    }

    /// Every rate that a line has of its own.
    pub(in crate::business) fn rates(&self) -> impl Iterator<Item = &KeptRate> {
        self.lines.iter().filter_map(|line| match &line.charge {
            Charge::Sold { tax: LineTax::At(rate), .. } => Some(rate),
            _ => None,
        })
    }

    /// What the lines come to. `own_rate` is the document's: it taxes the lines that have no rate of their own.
    ///
    /// # Errors
    /// If an amount is out of range, or the discounts are too great.
    pub(in crate::business) fn totals(
        &self,
        own_rate: Option<&KeptRate>,
        currency: Currency,
    ) -> Result<Totals<Id<kinds::TaxRate>>, Refused> {
        let own_rate = own_rate.map(KeptRate::rate);
        let line = |line: &StoredLine| match &line.charge {
            Charge::Sold { quantity, unit_price, tax } => {
                let rate = match tax {
                    LineTax::Untaxed => None,
                    LineTax::OfDocument => own_rate,
                    LineTax::At(rate) => Some(rate.rate()),
                };
                totals::Line::priced(*quantity, *unit_price, rate)
            }
            Charge::Off { quantity, unit_price } => {
                totals::Line::priced(*quantity, *unit_price, None)
            }
            Charge::PercentOff(percent) => totals::Line::percent_off(*percent),
        };
        let lines: Vec<_> = self.lines.iter().map(line).collect();
        totals::totals(&lines, currency)
    }

    /// [`Self::totals`] of a document whose lines were accepted when it was written.
    pub(in crate::business) fn stored_totals(
        &self,
        own_rate: Option<&KeptRate>,
        currency: Currency,
    ) -> Result<Totals<Id<kinds::TaxRate>>> {
        let totals = self.totals(own_rate, currency);
        totals.map_err(|refused| Error::internal(format!("stored lines are refused: {refused:?}")))
    }
}

/// A line in the text. Its numbers are whole, in the smallest units, as in every other column.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    catalog_item_id: Option<Id<kinds::CatalogItem>>,
    description: String,
    #[serde(flatten)]
    charge: WrittenCharge,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenCharge {
    Percent {
        discount_percent: u32,
    },
    Price {
        quantity: u32,
        unit_price: i64,
        #[serde(default = "is_taxable", skip_serializing_if = "Clone::clone")]
        taxable: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<KeptRate>,
    },
}

const fn is_taxable() -> bool {
    true
}

impl Written {
    fn of(line: &StoredLine) -> Self {
        let price = |quantity: Quantity, unit_price: UnitPrice, taxable, rate| {
            let (quantity, unit_price) = (quantity.thousandths(), unit_price.units());
            WrittenCharge::Price { quantity, unit_price, taxable, rate }
        };
        let charge = match &line.charge {
            Charge::PercentOff(percent) => {
                WrittenCharge::Percent { discount_percent: percent.units() }
            }
            Charge::Off { quantity, unit_price } => price(*quantity, *unit_price, true, None),
            Charge::Sold { quantity, unit_price, tax } => match tax {
                LineTax::Untaxed => price(*quantity, *unit_price, false, None),
                LineTax::OfDocument => price(*quantity, *unit_price, true, None),
                LineTax::At(rate) => price(*quantity, *unit_price, true, Some(rate.clone())),
            },
        };
        let StoredLine { section, catalog_item_id, description, .. } = line.clone();
        Self { section, catalog_item_id, description, charge }
    }

    fn line(self) -> Option<StoredLine> {
        let charge = match self.charge {
            WrittenCharge::Percent { discount_percent } => {
                Charge::PercentOff(DiscountPercent::new(discount_percent.into())?)
            }
            WrittenCharge::Price { quantity, unit_price, taxable, rate } => {
                let quantity = Quantity::new(quantity.into())?;
                let unit_price = UnitPrice::new(unit_price)?;
                let tax = match (taxable, rate) {
                    (false, _) => LineTax::Untaxed,
                    (true, None) => LineTax::OfDocument,
                    (true, Some(rate)) => LineTax::At(rate),
                };
                Charge::priced(quantity, unit_price, tax)
            }
        };
        let Self { section, catalog_item_id, description, .. } = self;
        Some(StoredLine { section, catalog_item_id, description, charge })
    }
}

impl Charge {
    /// So many at a price. A negative price takes something off, and no tax applies to it.
    pub(in crate::business) fn priced(
        quantity: Quantity,
        unit_price: UnitPrice,
        tax: LineTax,
    ) -> Self {
        if unit_price.is_negative() {
            Self::Off { quantity, unit_price }
        } else {
            Self::Sold { quantity, unit_price, tax }
        }
    }
}

impl Param for Lines {
    fn value(&self) -> Value<'_> {
        Value::Text(&self.text)
    }
}

impl Column for Lines {
    const NAME: &'static str = "Lines";
    const KIND: Kind = Kind::Text;
    fn read(value: Value<'_>) -> Option<Self> {
        let Value::Text(text) = value else { return None };
        let written: Vec<Written> = serde_json::from_str(text).ok()?;
        let lines = written.into_iter().map(Written::line).collect::<Option<_>>()?;
        Some(Self { lines, text: text.to_owned() })
    }
}
