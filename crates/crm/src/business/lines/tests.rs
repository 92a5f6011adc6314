//! Totals against a golden file that was computed without this code, against fractions, and against the rules that hold for
//! all documents.

use proptest::prelude::*;

use super::{Line, Rate, Refused, Totals, totals};
use crate::values::currency::Currency;
use crate::values::money::{DiscountPercent, Money, Quantity, TaxPercent, UnitPrice};

/// Documents and what they come to. `documents.py` beside it says what the columns are.
const DOCUMENTS: &str = include_str!("../../../tests/golden/documents.tsv");

fn rate(text: &str) -> Rate<&str> {
    let percent = text.split_once('/').map_or(text, |(percent, _)| percent);
    Rate { id: text, percent: TaxPercent::parse(percent).unwrap() }
}

fn line(text: &str) -> Line<&str> {
    if let Some(percent) = text.strip_suffix('%') {
        return Line::percent_off(DiscountPercent::parse(percent).unwrap());
    }
    let (quantity, rest) = text.split_once('*').unwrap();
    let (price, of) = rest.split_once('@').unwrap_or((rest, "-"));
    let rate = (of != "-").then(|| rate(of));
    Line::priced(Quantity::parse(quantity).unwrap(), UnitPrice::parse(price).unwrap(), rate)
}

fn lines(text: &str) -> Vec<Line<&str>> {
    text.split_ascii_whitespace().map(line).collect()
}

/// What a document comes to, as the golden file writes it.
fn shown(found: Result<Totals<&str>, Refused>, currency: Currency) -> String {
    let found = match found {
        Ok(found) => found,
        Err(Refused::Line(place)) => return format!("line {place}"),
        Err(Refused::Discounts) => return "discounts".to_owned(),
        Err(Refused::Total) => return "total".to_owned(),
    };
    let text = |amount: Money| amount.text(currency);
    let amounts: Vec<_> = found.amounts.iter().map(|it| text(*it)).collect();
    let taxes = found
        .taxes
        .iter()
        .map(|tax| [tax.rate.id.to_owned(), text(tax.taxable_amount), text(tax.tax)].join(":"));
    let taxes = taxes.collect::<Vec<_>>().join(",");
    let taxes = if taxes.is_empty() { "-".to_owned() } else { taxes };
    let sums = [text(found.subtotal), taxes, text(found.tax_total), text(found.total)];
    [amounts.join(","), sums.join(" ")].join(" ")
}

#[test]
fn documents_come_to_what_was_computed_without_this_code() {
    let mut count = 0;
    for row in DOCUMENTS.lines() {
        let [code, sent, expected] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let currency = Currency::parse(code).unwrap();
        assert_eq!(shown(totals(&lines(sent), currency), currency), expected, "{code} {sent}");
        count += 1;
    }
    assert!(count >= 2_000, "{count}");
}

/// A line as it is generated: its parts are small, so that rounding and ties are frequent.
#[derive(Debug, Clone, Copy)]
enum Made {
    Priced(i64, i64, Option<u32>),
    PercentOff(i64),
}

fn made() -> impl Strategy<Value = Made> {
    let thousandths = prop_oneof![Just(1_000), 1..5_000_i64, 1..=999_999_999_i64];
    let price = prop_oneof![0..200_000_i64, -20_000..0_i64, Just(333_300), 0..=99_999_999_999_i64];
    let rate = proptest::option::of(0..4_u32);
    prop_oneof![
        6 => (thousandths, price, rate).prop_map(|(quantity, price, rate)| Made::Priced(quantity, price, rate)),
        1 => prop_oneof![Just(100_000), 1..=1_000_000_i64].prop_map(Made::PercentOff),
    ]
}

/// Rates by their place: two have the same percentage.
const PERCENTS: [i64; 4] = [82_500, 45_000, 82_500, 0];

impl Made {
    fn line(self) -> Line<u32> {
        match self {
            Self::Priced(quantity, price, rate) => Line::priced(
                Quantity::new(quantity).unwrap(),
                UnitPrice::new(price).unwrap(),
                rate.map(|id| Rate {
                    id,
                    percent: TaxPercent::new(PERCENTS[id as usize]).unwrap(),
                }),
            ),
            Self::PercentOff(units) => Line::percent_off(DiscountPercent::new(units).unwrap()),
        }
    }
}

/// A fraction that is rounded by comparing twice its distance, not by adding a half.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    let (whole, rest) = (numerator.abs() / denominator, numerator.abs() % denominator);
    let up = i128::from(rest * 2 >= denominator);
    (whole + up) * numerator.signum()
}

/// What a document of dollars comes to in cents: subtotal and total, computed with fractions and no groups but a loop over
/// all rates. `None` if it is refused.
fn slowly(made: &[Made]) -> Option<(i128, i128)> {
    let cents = |quantity: i64, price: i64| {
        rounded(i128::from(quantity) * i128::from(price) * 100, 10_000_000)
    };
    let sold = |of: &dyn Fn(Option<u32>) -> bool| -> i128 {
        let amounts = made.iter().map(|it| match it {
            Made::Priced(quantity, price, rate) if *price >= 0 && of(*rate) => {
                cents(*quantity, *price)
            }
            _ => 0,
        });
        amounts.sum()
    };
    let gross = sold(&|_| true);
    let amounts = made.iter().map(|it| match it {
        Made::Priced(quantity, price, _) => cents(*quantity, *price),
        Made::PercentOff(units) => -rounded(gross * i128::from(*units), 1_000_000),
    });
    let amounts: Vec<_> = amounts.collect();
    let subtotal: i128 = amounts.iter().sum();
    if amounts.iter().any(|it| it.abs() > 9_999_999_999) || subtotal < 0 {
        return None;
    }
    let discount = gross - subtotal;
    // Each group takes a cent more as long as cents are left: the one with the greatest fraction that it has not got yet.
    let all = [None, Some(0), Some(1), Some(2), Some(3)];
    let of: Vec<i128> = all.iter().map(|rate| sold(&|it| it == *rate)).collect();
    let mut shares: Vec<_> =
        of.iter().map(|of| if gross == 0 { 0 } else { discount * of / gross }).collect();
    let percent = |at: usize| all[at].map_or(0, |rate: u32| PERCENTS[rate as usize]);
    let first = |at: usize| {
        made.iter().position(
            |it| matches!(it, Made::Priced(_, price, rate) if *price >= 0 && *rate == all[at]),
        )
    };
    for _ in 0..discount - shares.iter().sum::<i128>() {
        let next = (0..all.len()).filter(|at| first(*at).is_some()).max_by_key(|at| {
            (
                discount * of[*at] - shares[*at] * gross,
                percent(*at),
                of[*at],
                std::cmp::Reverse(first(*at)),
            )
        });
        shares[next?] += 1;
    }
    let taxes = (0..all.len())
        .map(|at| rounded((of[at] - shares[at]) * i128::from(percent(at)), 1_000_000));
    let total = subtotal + taxes.sum::<i128>();
    (total <= 99_999_999_999).then_some((subtotal, total))
}

fn of(made: &[Made]) -> Result<Totals<u32>, Refused> {
    let lines: Vec<_> = made.iter().map(|made| made.line()).collect();
    totals(&lines, Currency::USD)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn totals_agree_with_fractions(made in proptest::collection::vec(made(), 0..8)) {
        let found = of(&made).ok().map(|it| (i128::from(it.subtotal.minor()), i128::from(it.total.minor())));
        prop_assert_eq!(found, slowly(&made));
    }

    #[test]
    fn the_order_of_lines_changes_no_sum(
        (made, shuffled) in proptest::collection::vec(made(), 0..8)
            .prop_flat_map(|made| (Just(made.clone()), Just(made).prop_shuffle())),
    ) {
        let sums = |found: Totals<u32>| (found.subtotal, found.tax_total, found.total);
        match (of(&made), of(&shuffled)) {
            (Ok(one), Ok(other)) => prop_assert_eq!(sums(one), sums(other)),
            (one, other) => prop_assert_eq!(one.is_err(), other.is_err()),
        }
    }

    #[test]
    fn the_parts_of_a_document_add_up(made in proptest::collection::vec(made(), 0..8)) {
        let Ok(found) = of(&made) else { return Ok(()) };
        prop_assert_eq!(found.amounts.len(), made.len());
        prop_assert_eq!(found.amounts.iter().copied().sum::<Money>(), found.subtotal);
        prop_assert_eq!(found.taxes.iter().map(|tax| tax.tax).sum::<Money>(), found.tax_total);
        prop_assert_eq!(found.subtotal + found.tax_total, found.total);
        prop_assert!(found.subtotal >= Money::ZERO);
        let taxed: Money = found.taxes.iter().map(|tax| tax.taxable_amount).sum();
        prop_assert!(taxed <= found.subtotal);
        prop_assert!(found.taxes.iter().all(|tax| tax.taxable_amount >= Money::ZERO));
        let is_all_taxed = made.iter().all(|it| !matches!(it, Made::Priced(_, price, None) if *price >= 0));
        if is_all_taxed && !found.taxes.is_empty() {
            prop_assert_eq!(taxed, found.subtotal);
        }
    }
}
