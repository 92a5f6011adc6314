//! The size of each business, and the order in which the businesses write.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::Parameters;

/// How steeply sizes fall from the second-largest business on: with a thousand businesses, the second is about a
/// hundred times as large as the last.
const STEEPNESS: f64 = 0.7;

/// One record to write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A customer of the business with this index.
    Customer(usize),
    /// A note of the business with this index.
    Note(usize),
}

/// Everything to write, in random order, so that each business's rows are scattered as in a database that has been in
/// use.
pub(super) fn events(parameters: &Parameters, rng: &mut StdRng) -> Vec<Event> {
    let mut events = Vec::new();
    for (business, count) in shares(parameters, parameters.customers).into_iter().enumerate() {
        events.extend(std::iter::repeat_n(Event::Customer(business), count));
    }
    for (business, count) in shares(parameters, parameters.notes()).into_iter().enumerate() {
        events.extend(std::iter::repeat_n(Event::Note(business), count));
    }
    events.shuffle(rng);
    events
}

/// Each business's share of `total` rows, the largest one first.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a number of rows is a number of rows"
)]
fn shares(parameters: &Parameters, total: u32) -> Vec<usize> {
    let others = parameters.tenants() - 1;
    let largest = if others == 0 { 1.0 } else { parameters.largest_share };
    let weight = |rank: u32| f64::from(rank).powf(-STEEPNESS);
    let sum: f64 = (1..=others).map(weight).sum();
    let share = |rank: u32| (1.0 - largest) * weight(rank) / sum;
    let mut counts = vec![(largest * f64::from(total)).round() as usize];
    counts.extend((1..=others).map(|rank| (share(rank) * f64::from(total)) as usize));
    // The remainder of rounding goes to the smallest businesses, one row each.
    let missing = (total as usize).saturating_sub(counts.iter().sum());
    for count in counts.iter_mut().rev().take(missing) {
        *count += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_up_and_shrink() {
        let parameters = Parameters::of(1_000_000);
        let shares = shares(&parameters, 1_000_000);
        assert_eq!(shares.len(), 1_000);
        assert_eq!(shares.iter().sum::<usize>(), 1_000_000);
        assert_eq!(shares[0], 200_000);
        assert!(shares[1] > 20_000 && shares[999] > 100, "{shares:?}");
    }
}
