//! Money, prices, quantities and percentages: whole numbers of a smallest unit, never floats.
//!
//! | type | smallest unit | sources |
//! | --- | --- | --- |
//! | [`Money`] | the currency's minor unit, such as a cent | what a line, a tax or a document comes to |
//! | [`UnitPrice`] | 1/10,000 of the currency's main unit, because trades price by the square foot | what one of something costs |
//! | [`Cost`] | as a price | what it costs the business itself, also of many parts |
//! | [`Quantity`] | 1/1,000 | how many |
//! | [`Percent`] | 1/10,000 of a percent | discounts and tax rates |
//!
//! Products are formed in 128 bits and rounded in one place, [`half_away`]. What must never live here: what a document
//! does with them (`business/lines`).

mod amount;
mod cost;
mod decimal;
mod fraction;
mod percent;
mod price;
mod quantity;

pub use amount::Money;
pub use cost::{Cost, Markup};
pub use decimal::{Malformed, digits};
pub use fraction::Fraction;
pub use percent::{DiscountPercent, Percent, TaxPercent};
pub use price::UnitPrice;
pub use quantity::Quantity;

/// The quotient, rounded to the nearest whole number; one that is exactly between two is rounded away from zero. The
/// denominator must be positive.
///
/// The law of most states prescribes that a tax is rounded up whenever the third decimal is greater than four (Streamlined
/// Sales and Use Tax Agreement, section 324).
#[must_use]
pub const fn half_away(numerator: i128, denominator: i128) -> i128 {
    let half = if numerator < 0 { -denominator } else { denominator };
    (2 * numerator + half) / (2 * denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        for (numerator, denominator, expected) in [
            (825, 10, 83),
            (-825, 10, -83),
            (824, 10, 82),
            (-824, 10, -82),
            (8_249, 100, 82),
            (0, 10, 0),
            (5, 10, 1),
            (-5, 10, -1),
            (-4, 10, 0),
            (7, 1, 7),
        ] {
            assert_eq!(half_away(numerator, denominator), expected, "{numerator}/{denominator}");
        }
    }
}
