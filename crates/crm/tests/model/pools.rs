//! A few values of each kind, so that operations collide: the same names, phones and addresses repeat, in
//! several spellings.

/// A phone number as typed, and its forms according to the contract.
pub(super) struct Phone {
    pub(super) typed: &'static str,
    pub(super) e164: &'static str,
    /// The digits under which a search must find it: international, national and as typed.
    pub(super) forms: &'static [&'static str],
}

/// Valid numbers. The model looks them up here instead of parsing them.
pub(super) const PHONES: &[Phone] = &[
    Phone { typed: "(510) 555-0199", e164: "+15105550199", forms: &["15105550199", "5105550199"] },
    Phone { typed: "510.555.0199", e164: "+15105550199", forms: &["15105550199", "5105550199"] },
    Phone { typed: "+1 510 555 0123", e164: "+15105550123", forms: &["15105550123", "5105550123"] },
    Phone {
        typed: "510-555-0123 ext. 7",
        e164: "+15105550123",
        forms: &["15105550123", "5105550123", "51055501237"],
    },
    Phone {
        typed: "+44 20 7946 0958",
        e164: "+442079460958",
        forms: &["442079460958", "02079460958"],
    },
    Phone { typed: "1-800-FLOWERS", e164: "+18003569377", forms: &["18003569377", "8003569377"] },
];

/// Strings that are not phone numbers, or lack the area code.
pub(super) const WRONG_PHONES: &[&str] = &["555-0199", "12", "call me", "+999 12"];

pub(super) const EMAILS: &[&str] =
    &["hana@example.com", "Hana@Example.COM", "ben@example.org", "\u{fc}nal@example.com", "x@y.z"];

pub(super) const WRONG_EMAILS: &[&str] =
    &["hana", "hana@example", "a@b@example.com", "@example.com", "ha na@example.com"];

pub(super) const NAMES: &[&str] = &[
    "Hana",
    "Nguyen",
    "Nguy\u{1ec5}n",
    "Ben",
    "Benita",
    "O\u{2019}Neill",
    "  Ada  ",
    "Anna Maria",
    "\u{7530}\u{4e2d}",
    "555 Diner",
    "Stra\u{df}e",
    "Acme",
];

/// Searches for customers.
pub(super) const SEARCHES: &[&str] = &[
    "hana",
    "nguyen",
    "NGUY\u{1ec4}N ben",
    "en",
    "ben",
    "oneill",
    "neill",
    "anna maria",
    "maria ann",
    "\u{7530}",
    "555",
    "555 diner",
    "0199",
    "(510) 555-0199",
    "510-555-01",
    "+1 510 555 0123",
    "5550123",
    "020 7946 0958",
    "+44 (0)20 7946 0958",
    "7946 hana",
    "01",
    "strasse",
    "acme nobody",
    "8003569377",
    "Mrs Nguyen",
    "Hana & Ben",
    "the benjamin",
    "hana@example.com",
    "@example.org",
    "hana",
    "C-0002",
    "3",
    "94607",
    "warehouse",
    "nguyen ware",
    "0044 20 7946 0958",
    "nguyne",
];

/// Searches for notes.
pub(super) const NOTE_SEARCHES: &[&str] = &[
    "gate",
    "gat",
    "code 44",
    "CODE",
    "ate",
    "caf\u{e9}",
    "\u{6771}\u{4eac}",
    "nothing",
    "\"gate* OR code",
    "gates",
    "sticking code",
    "offices",
];

/// Queries without a word.
pub(super) const WORDLESS: &[&str] = &["!!!", "", " - ", "\u{2019}"];

pub(super) const BODIES: &[&str] = &[
    "Gate code 4411",
    "gate sticks",
    "codes of sticky gates",
    "Caf\u{e9} next door\r\nring twice",
    "  code on file  ",
    "\u{6771}\u{4eac}\u{90fd} office",
    "x",
];

pub(super) const TAG_NAMES: &[&str] =
    &["VIP", "vip", "HOA", "Seasonal", "\u{c9}clair", "\u{e9}clair", "Eclair", " hoa "];

pub(super) const TEXTS: &[&str] = &[
    "Warehouse",
    "Unit 3",
    " padded ",
    "two\r\nlines",
    "tab\there",
    "O\u{2019}Neill & S\u{f6}hne",
];

/// Strings for short fields.
pub(super) const SHORT: &[&str] = &["94607", "CA", " CA ", "SW1A 1AA"];

pub(super) const KEYS: &[&str] = &["k1", "k2", "k3"];

/// Customer numbers: some that most sequences reach, some that few or none reach, and an invalid number.
pub(super) const NUMBERS: &[&str] = &["C-0001", "C-0002", "C-0003", "C-0007", "C-9999", "banana"];

/// External ids, so few that customers collide.
pub(super) const EXTERNAL_IDS: &[&str] = &["QB-1", "qb-1", " QB-2 ", "QB-3", "QB-4", "\u{7530}"];

/// Keys that clients add on their own.
pub(super) const CLIENT_ADDED_KEYS: &[&str] =
    &["toolCallId", "sessionId", "action", "chatInput", "tool", "task_progress"];

/// An id of version 7 that no record has.
pub(super) const NOBODY: &str = "01890000-0000-7000-8000-000000000000";
