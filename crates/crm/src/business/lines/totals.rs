//! The amounts of a document, computed from its lines.

use std::cmp::Reverse;

use crate::values::currency::Currency;
use crate::values::money::{DiscountPercent, Money, Quantity, TaxPercent, UnitPrice};

/// The digits before the point of the greatest amount of a line.
pub(super) const LINE_DIGITS: u32 = 8;
/// The digits before the point of the greatest subtotal and total of a document.
pub(super) const DOCUMENT_DIGITS: u32 = 9;

/// A tax rate. Two rates with one percentage are still two: each has its own sum on the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate<R> {
    /// What tells it from other rates.
    pub id: R,
    /// How much of the taxable amount it is.
    pub percent: TaxPercent,
}

/// A line of a document, as far as amounts depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<R>(Kind<R>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind<R> {
    Sold { quantity: Quantity, unit_price: UnitPrice, rate: Option<Rate<R>> },
    Off { quantity: Quantity, unit_price: UnitPrice },
    PercentOff(DiscountPercent),
}

impl<R> Line<R> {
    /// So many at a price. A negative price takes something off the document, and then no rate applies to the line.
    pub const fn priced(quantity: Quantity, unit_price: UnitPrice, rate: Option<Rate<R>>) -> Self
    where
        R: Copy,
    {
        Self(if unit_price.is_negative() {
            Kind::Off { quantity, unit_price }
        } else {
            Kind::Sold { quantity, unit_price, rate }
        })
    }

    /// Takes a part of the gross off: of all lines that are not discounts, wherever they stand.
    pub const fn percent_off(percent: DiscountPercent) -> Self {
        Self(Kind::PercentOff(percent))
    }
}

/// What a document comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals<R> {
    /// What each line comes to, in their order. Discounts are negative or zero.
    pub amounts: Vec<Money>,
    /// The sum of all amounts.
    pub subtotal: Money,
    /// What each rate comes to, in the order in which the rates first occur.
    pub taxes: Vec<Tax<R>>,
    /// The sum of all taxes.
    pub tax_total: Money,
    /// Subtotal and taxes.
    pub total: Money,
}

/// What a rate comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tax<R> {
    /// The rate.
    pub rate: Rate<R>,
    /// The amounts of its lines, less their share of the discounts.
    pub taxable_amount: Money,
    /// The tax on that.
    pub tax: Money,
}

/// Why a document cannot have these lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The amount of the line at this place is out of range.
    Line(usize),
    /// The discounts take off more than all other lines come to.
    Discounts,
    /// The subtotal or the total is out of range.
    Total,
}

/// Computes the amounts of a document. It rounds three times: the amount of a line, a discount in percent, and the tax of
/// one rate on the whole document. The order of the lines changes no sum.
///
/// # Errors
/// If an amount is out of range, or the discounts are too great.
pub fn totals<R: Copy + Eq>(lines: &[Line<R>], currency: Currency) -> Result<Totals<R>, Refused> {
    let gross = lines.iter().map(|line| line.sold(currency)).sum();
    let amounts: Vec<_> = lines.iter().map(|line| line.amount(gross, currency)).collect();
    let greatest = Money::greatest(LINE_DIGITS, currency);
    if let Some(at) = amounts.iter().position(|it| *it > greatest || *it < -greatest) {
        return Err(Refused::Line(at));
    }
    let subtotal: Money = amounts.iter().copied().sum();
    if subtotal < Money::ZERO {
        return Err(Refused::Discounts);
    }
    let mut groups = groups(lines, &amounts);
    share(gross - subtotal, gross, &mut groups);
    let taxes: Vec<_> = groups.iter().filter_map(Group::tax).collect();
    let tax_total = taxes.iter().map(|tax| tax.tax).sum();
    let total = subtotal + tax_total;
    // No tax is negative, so the subtotal is not greater than the total.
    if total > Money::greatest(DOCUMENT_DIGITS, currency) {
        return Err(Refused::Total);
    }
    Ok(Totals { amounts, subtotal, taxes, tax_total, total })
}

impl<R> Line<R> {
    /// What the line comes to if it is not a discount.
    fn sold(&self, currency: Currency) -> Money {
        match &self.0 {
            Kind::Sold { quantity, unit_price, .. } => unit_price.times(*quantity, currency),
            Kind::Off { .. } | Kind::PercentOff(_) => Money::ZERO,
        }
    }

    fn amount(&self, gross: Money, currency: Currency) -> Money {
        match &self.0 {
            Kind::Sold { quantity, unit_price, .. } | Kind::Off { quantity, unit_price } => {
                unit_price.times(*quantity, currency)
            }
            Kind::PercentOff(percent) => -percent.of(gross),
        }
    }
}

/// The lines with one rate, or those without tax.
struct Group<R> {
    rate: Option<Rate<R>>,
    gross: Money,
    /// How much of the discounts it has.
    discount: Money,
}

impl<R: Copy> Group<R> {
    fn tax(&self) -> Option<Tax<R>> {
        let rate = self.rate?;
        let taxable_amount = self.gross - self.discount;
        Some(Tax { rate, taxable_amount, tax: rate.percent.of(taxable_amount) })
    }

    fn percent(&self) -> u32 {
        self.rate.map_or(0, |rate| rate.percent.units())
    }
}

/// The groups in the order in which they first occur.
fn groups<R: Copy + Eq>(lines: &[Line<R>], amounts: &[Money]) -> Vec<Group<R>> {
    let mut groups: Vec<Group<R>> = Vec::new();
    for (line, amount) in lines.iter().zip(amounts) {
        let Kind::Sold { rate, .. } = line.0 else { continue };
        let id = rate.map(|rate| rate.id);
        let known = groups.iter_mut().find(|group| group.rate.map(|rate| rate.id) == id);
        if let Some(group) = known {
            group.gross = group.gross + *amount;
        } else {
            groups.push(Group { rate, gross: *amount, discount: Money::ZERO });
        }
    }
    groups
}

/// Splits the discounts over the groups in proportion to their gross. What is left of rounding down goes, a minor unit
/// each, to those that lost most; of several to the one with the higher percentage, then the larger gross, then the first.
fn share<R: Copy>(discount: Money, gross: Money, groups: &mut [Group<R>]) {
    let whole = i128::from(gross.minor());
    if discount == Money::ZERO || whole == 0 {
        return;
    }
    let mut rest = discount;
    let mut lost = Vec::with_capacity(groups.len());
    for (at, group) in groups.iter_mut().enumerate() {
        let exact = i128::from(discount.minor()) * i128::from(group.gross.minor());
        // Not more than the discount, because no group has more than the whole.
        group.discount = Money::new(i64::try_from(exact / whole).unwrap_or(i64::MAX));
        rest = rest - group.discount;
        lost.push((Reverse((exact % whole, group.percent(), group.gross)), at));
    }
    lost.sort_unstable();
    let units = usize::try_from(rest.minor()).unwrap_or_default();
    for (_, at) in lost.into_iter().take(units) {
        groups[at].discount = groups[at].discount + Money::new(1);
    }
}
