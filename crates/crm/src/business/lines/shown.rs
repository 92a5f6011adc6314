//! Lines as documents show them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stored::{Charge, KeptRate, LineTax, Lines, StoredLine};
use super::totals::Totals;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::{DiscountPercent, Quantity, TaxPercent, UnitPrice};

/// A line with its amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownLine {
    /// The price book item from which it was filled.
    pub catalog_item_id: Option<Id<kinds::CatalogItem>>,
    /// What it is for.
    pub description: String,
    /// How many; null for a discount in percent.
    #[schemars(with = "Option<f64>")]
    pub quantity: Option<Quantity>,
    /// The price of one in main units; null for a discount in percent.
    pub unit_price: Option<String>,
    /// How much of all other lines it takes off; null for other lines.
    pub discount_percent: Option<DiscountPercent>,
    /// What it comes to, in main units, before tax.
    pub amount: String,
    /// Whether it is taxed; null for a discount.
    pub taxable: Option<bool>,
    /// Its own tax rate, instead of the document's.
    pub tax_rate_id: Option<Id<kinds::TaxRate>>,
}

/// A line of a quote with its amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownQuoteLine {
    /// The line.
    #[serde(flatten)]
    pub line: ShownLine,
    /// The heading under which it stands.
    pub section: Option<String>,
}

/// What one tax rate comes to on a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShownTax {
    /// The rate's id.
    pub tax_rate_id: Id<kinds::TaxRate>,
    /// Its name, as the document keeps it.
    pub name: String,
    /// Its percentage, as the document keeps it.
    pub rate_percentage: TaxPercent,
    /// What it taxes, in main units, after discounts.
    pub taxable_amount: String,
    /// The tax, in main units.
    pub tax: String,
}

impl Lines {
    /// The lines with the amounts that [`Lines::totals`] computed.
    pub(in crate::business) fn shown(
        &self,
        totals: &Totals<Id<kinds::TaxRate>>,
        currency: Currency,
    ) -> Vec<ShownQuoteLine> {
        let lines = self.all().iter().zip(&totals.amounts);
        let shown = |(line, amount): (&StoredLine, &crate::values::money::Money)| ShownQuoteLine {
            line: line.shown(amount.text(currency), currency),
            section: line.section.clone(),
        };
        lines.map(shown).collect()
    }

    /// What each rate comes to. `own_rate` is the document's.
    pub(in crate::business) fn taxes(
        &self,
        own_rate: Option<&KeptRate>,
        totals: &Totals<Id<kinds::TaxRate>>,
        currency: Currency,
    ) -> Vec<ShownTax> {
        let kept = |id| own_rate.into_iter().chain(self.rates()).find(|rate| rate.id == id);
        let taxes = totals.taxes.iter().filter_map(|tax| {
            let rate = kept(tax.rate.id)?;
            Some(ShownTax {
                tax_rate_id: rate.id,
                name: rate.name.clone(),
                rate_percentage: rate.rate_percentage,
                taxable_amount: tax.taxable_amount.text(currency),
                tax: tax.tax.text(currency),
            })
        });
        taxes.collect()
    }
}

impl StoredLine {
    fn shown(&self, amount: String, currency: Currency) -> ShownLine {
        let mut shown = ShownLine {
            catalog_item_id: self.catalog_item_id,
            description: self.description.clone(),
            quantity: None,
            unit_price: None,
            discount_percent: None,
            amount,
            taxable: None,
            tax_rate_id: None,
        };
        match &self.charge {
            Charge::PercentOff(percent) => shown.discount_percent = Some(*percent),
            Charge::Off { quantity, unit_price } | Charge::Sold { quantity, unit_price, .. } => {
                shown.quantity = Some(*quantity);
                shown.unit_price = Some(unit_price.text(currency));
            }
        }
        if let Charge::Sold { tax, .. } = &self.charge {
            shown.taxable = Some(*tax != LineTax::Untaxed);
            if let LineTax::At(rate) = tax {
                shown.tax_rate_id = Some(rate.id);
            }
        }
        shown
    }
}

impl ShownQuoteLine {
    /// The line that was shown so. `rates` are those that its document keeps.
    pub(in crate::business) fn stored(&self, rates: &[KeptRate]) -> Option<StoredLine> {
        let ShownLine { quantity, unit_price, discount_percent, taxable, tax_rate_id, .. } =
            &self.line;
        let charge = if let Some(percent) = discount_percent {
            Charge::PercentOff(*percent)
        } else {
            let tax = match (taxable, tax_rate_id) {
                (Some(false), _) => LineTax::Untaxed,
                (_, None) => LineTax::OfDocument,
                (_, Some(id)) => LineTax::At(rates.iter().find(|rate| rate.id == *id)?.clone()),
            };
            let unit_price = UnitPrice::parse(unit_price.as_deref()?).ok()?;
            Charge::priced((*quantity)?, unit_price, tax)
        };
        Some(StoredLine {
            section: self.section.clone(),
            catalog_item_id: self.line.catalog_item_id,
            description: self.line.description.clone(),
            charge,
        })
    }
}
