//! A whole address in one cell.

/// The parts of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::business::import) struct Address {
    /// What is written in front of the street, such as the name of a building.
    pub(in crate::business::import) name: String,
    pub(in crate::business::import) line1: String,
    pub(in crate::business::import) line2: String,
    pub(in crate::business::import) city: String,
    pub(in crate::business::import) state: String,
    pub(in crate::business::import) postal_code: String,
}

/// How the United States are written behind an address.
const US: &[&str] = &["usa", "us", "united states", "united states of america", "u.s.a.", "u.s."];

/// Reads an address of the United States or Canada, such as `482 Oak Street, Apt 2, Oakland, CA 94607`, or one with the
/// postal code before the city, such as `Gartenweg 5, 10115 Berlin`. `None` if its parts are not certain.
pub(in crate::business::import) fn read(cell: &str) -> Option<Address> {
    let mut parts: Vec<_> =
        cell.split([',', '\n']).map(str::trim).filter(|it| !it.is_empty()).collect();
    if parts.last().is_some_and(|last| US.contains(&&*last.to_ascii_lowercase())) {
        parts.pop();
    }
    let last = parts.pop()?;
    let address = state_and_code(&mut parts, last).or_else(|| code_and_city(&mut parts, last))?;
    let street = parts.iter().position(|part| part.contains(|it: char| it.is_ascii_digit()))?;
    let name = parts[..street].join(", ");
    let line2 = parts[street + 1..].join(", ");
    Some(Address { name, line1: parts[street].to_owned(), line2, ..address })
}

/// `Oakland, CA 94607`, `Oakland CA 94607` and `Oakland, CA, 94607`. `before` are the parts in front.
fn state_and_code(before: &mut Vec<&str>, last: &str) -> Option<Address> {
    let mut words: Vec<_> = last.split_whitespace().collect();
    let mut postal_code = words.pop()?.to_owned();
    // A Canadian code has two words.
    if is_half_code(&postal_code)
        && let Some(first) = words.pop_if(|word| is_half_code(word))
    {
        postal_code = format!("{first} {postal_code}");
    }
    if !is_code(&postal_code) {
        return None;
    }
    if words.is_empty() {
        words.push(before.pop()?);
    }
    let state = words.pop().filter(|it| is_state(it))?.to_ascii_uppercase();
    let city = if words.is_empty() { before.pop()?.to_owned() } else { words.join(" ") };
    (!before.is_empty()).then(|| Address { city, state, postal_code, ..Address::default() })
}

fn is_state(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    word.len() == 2 && word.chars().all(|it| it.is_ascii_alphabetic())
}

/// A ZIP code, a ZIP+4 code or a Canadian postal code.
fn is_code(text: &str) -> bool {
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|it| it.is_ascii_digit())
    };
    match text.split_once(['-', ' ']) {
        None => digits(text, 5),
        Some((one, other)) => {
            digits(one, 5) && digits(other, 4) || is_half_code(one) && is_half_code(other)
        }
    }
}

/// Half of a Canadian code: letters and digits by turns.
fn is_half_code(text: &str) -> bool {
    let is_digit: Vec<_> = text.chars().map(|it| it.is_ascii_digit()).collect();
    is_digit == [false, true, false] || is_digit == [true, false, true]
}

/// `10115 Berlin`: such countries have no states in their addresses.
fn code_and_city(before: &mut [&str], last: &str) -> Option<Address> {
    let (postal_code, city) = last.split_once(' ')?;
    let is_code =
        (4..=5).contains(&postal_code.len()) && postal_code.bytes().all(|it| it.is_ascii_digit());
    let is_city = !city.is_empty() && city.chars().all(|it| !it.is_ascii_digit());
    if !is_code || !is_city || before.is_empty() {
        return None;
    }
    let (city, postal_code) = (city.trim().to_owned(), postal_code.to_owned());
    Some(Address { city, postal_code, ..Address::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_where_that_is_certain() {
        for (cell, expected) in [
            ("482 Oak Street, Oakland, CA 94607", "|482 Oak Street||Oakland|CA|94607"),
            (
                "482 Oak Street, Apt 2, Oakland, CA 94607-1234, USA",
                "|482 Oak Street|Apt 2|Oakland|CA|94607-1234",
            ),
            ("482 Oak Street\nOakland CA 94607", "|482 Oak Street||Oakland|CA|94607"),
            ("482 Oak Street, Oakland, ca, 94607", "|482 Oak Street||Oakland|CA|94607"),
            ("482 Oak St, San Leandro CA 94577", "|482 Oak St||San Leandro|CA|94577"),
            ("24 Sussex Drive, Ottawa, ON K1M 1M4", "|24 Sussex Drive||Ottawa|ON|K1M 1M4"),
            (
                "Ann Doe\nMill House\n4 Mill Rd\nNapa, CA 94558",
                "Ann Doe, Mill House|4 Mill Rd||Napa|CA|94558",
            ),
            ("Gartenweg 5, 10115 Berlin", "|Gartenweg 5||Berlin||10115"),
        ] {
            let Address { name, line1, line2, city, state, postal_code } = read(cell).expect(cell);
            assert_eq!(
                [name, line1, line2, city, state, postal_code].join("|"),
                expected,
                "{cell}"
            );
        }
        for cell in [
            "",
            "482 Oak Street",
            "Oakland, CA 94607",
            "the yellow house, Oakland, CA 94607",
            "482 Oak Street, Oakland",
        ] {
            assert_eq!(read(cell), None, "{cell}");
        }
    }
}
