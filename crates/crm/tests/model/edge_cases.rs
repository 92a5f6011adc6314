//! Strings that may confuse a search index or a query language: many scripts, and syntax that a parser may
//! interpret.

use super::rng::Rng;

/// The pieces of unusual strings.
const PIECES: &[&str] = &[
    // Scripts.
    "Nguy\u{1ec5}n",
    "O\u{2019}Neill",
    "Stra\u{df}e",
    "\u{130}stanbul",
    "\u{39f}\u{3b4}\u{3c5}\u{3c3}\u{3c3}\u{3b5}\u{3cd}\u{3c2}",
    "\u{429}\u{443}\u{43a}\u{430}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "\u{645}\u{64f}\u{62d}\u{64e}\u{645}\u{651}\u{62f}",
    "\u{6f1}\u{6f2}\u{6f3}",
    "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
    "\u{e20}\u{e32}\u{e29}\u{e32}\u{e44}\u{e17}\u{e22}",
    "\u{ea5}\u{eb2}\u{ea7}",
    "\u{1781}\u{17d2}\u{1798}\u{17c2}\u{179a}",
    "\u{6771}\u{4eac}\u{90fd}",
    "\u{304c}\u{3063}\u{3053}\u{3046}",
    "\u{30ab}\u{30bf}\u{30ab}\u{30ca}",
    "\u{ff76}\u{ff9e}",
    "\u{ae40}\u{ce58}",
    "\u{10d0}\u{10d1}\u{10d2}",
    "\u{587}",
    "\u{fb01}nance",
    "\u{1d400}\u{1d401}",
    "\u{20000}\u{20bb7}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "e\u{301}\u{323}",
    "\u{301}",
    "\u{202e}olleh\u{202c}",
    "\u{feff}x",
    "\u{fffd}",
    "\u{e000}",
    "\u{10ffff}",
    "\u{ffff}",
    "\u{2028}",
    "\u{a0}",
    "\u{ad}",
    // Syntax of FTS5, tsquery, LIKE and SQL.
    "AND",
    "OR",
    "NOT",
    "NEAR(a b, 2)",
    "tokens:hana",
    "-hana",
    "^hana",
    "ha*",
    "hana:*",
    "hana:AB",
    "a & b | !c",
    "a <-> b",
    "(a",
    "b)",
    "%",
    "_",
    "$1",
    "?1",
    ":name",
    "'; --",
    "''",
    "\"",
    "\"\"\"",
    "\\",
    "\\\\'",
    "\\0",
    "\\u0000",
    "%00",
    "0001:hana",
    "0001=archived",
    "=company",
    "null",
    "{}",
    "<b>",
    // Control characters, which are invalid.
    "\u{0}",
    "a\u{0}b",
    "\u{7f}",
    // Numbers.
    "0",
    "00000000000000000000",
    "5105550199",
    "555-0199",
    "\u{ff15}\u{ff15}\u{ff15}",
    "\u{b2}",
    "1e309",
    // Words that occur.
    "hana",
    "a",
    "gate",
];

const SEPARATORS: &[&str] = &[" ", "", "-", "'", ", ", "\n", "\u{200b}", "\u{3000}"];

/// A random string of up to three pieces, sometimes with a word longer than the index stores.
pub(super) fn text(rng: &mut Rng) -> String {
    let mut text = (*rng.pick(PIECES)).to_owned();
    for _ in 0..rng.roll(3) {
        text.push_str(rng.pick::<&str>(SEPARATORS));
        text.push_str(rng.pick::<&str>(PIECES));
    }
    if rng.one_in(8) {
        let piece = *rng.pick(PIECES);
        let times = *rng.pick(&[16, 63, 64, 65, 100, 255]);
        text.push_str(&piece.repeat(times / piece.chars().count().max(1)));
    }
    text
}

/// A random part of a string. The string must not be empty.
pub(super) fn part(rng: &mut Rng, text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let start = rng.roll(characters.len());
    let length = 1 + rng.roll(characters.len() - start);
    characters[start..start + length].iter().collect()
}
