//! `docs/instruction-counts.md`, the recorded counts, and the rule for their growth: more than a tenth only with a
//! line in the changelog's unreleased part.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::cases;

/// The number of instructions for one call of each case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<String, u64>);

/// The verdict on a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The case is not recorded yet.
    New,
    /// At most a tenth more or less than before.
    Same { before: u64 },
    /// More than a tenth less.
    Fell { before: u64 },
    /// More than a tenth more, and the changelog says why.
    Explained { before: u64 },
    /// More than a tenth more, without an explanation.
    Unexplained { before: u64 },
}

impl FromIterator<(String, u64)> for Counts {
    fn from_iter<I: IntoIterator<Item = (String, u64)>>(counts: I) -> Self {
        Self(counts.into_iter().collect())
    }
}

impl Counts {
    /// Parses the counts of a page.
    pub(crate) fn read(page: &str) -> Self {
        let rows = page.lines().filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), number(cells.next()?)?))
        });
        rows.collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.0.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The record after this measurement. Counts that hardly changed keep their recorded value.
    pub(crate) fn renewed(&self, measured: &Self) -> Self {
        let renew = |(name, now): (&String, &u64)| {
            let kept = self.get(name).filter(|before| is_near(*before, *now));
            (name.clone(), kept.unwrap_or(*now))
        };
        measured.0.iter().map(renew).collect()
    }

    /// The text of `docs/instruction-counts.md`.
    pub(crate) fn page(&self) -> String {
        let mut page = String::from(
            "# Instruction counts\n\n\
             The cost of one call, in instructions of x86-64 Linux: from the request's head and body to\n\
             the answer's, with the lookup of the key, the database and the log line, without sockets.\n\
             Counted by `valgrind --tool=callgrind` on 2,000 customers; this says nothing about time. Written by\n\
             `cargo run --release -p zoop-instr-counts record`; `check` compares with it (CONTRIBUTING.md).\n\n\
             | call | instructions |\n| --- | ---: |\n",
        );
        for name in cases::ALL.iter().map(|case| case.name) {
            if let Some(count) = self.get(name) {
                // Writing to a string cannot fail.
                let _ = writeln!(page, "| `{name}` | {} |", with_commas(count));
            }
        }
        page
    }
}

impl Verdict {
    pub(crate) fn of(name: &str, before: Option<u64>, now: u64, changelog: &str) -> Self {
        let Some(before) = before else { return Self::New };
        if now * 10 < before * 9 {
            Self::Fell { before }
        } else if now * 10 <= before * 11 {
            Self::Same { before }
        } else if explains(changelog, name, before, now) {
            Self::Explained { before }
        } else {
            Self::Unexplained { before }
        }
    }

    /// The verdict as it is printed.
    pub(crate) fn text(&self, now: u64) -> String {
        let from = |before: u64, end: &str| {
            let percent = percent(before, now);
            format!("{:>12}  {percent:+.1} % of {}{end}", with_commas(now), with_commas(before))
        };
        match *self {
            Self::New => format!("{:>12}  not recorded yet", with_commas(now)),
            Self::Same { before } => from(before, ""),
            Self::Fell { before } => from(before, ": record it, to keep the gain"),
            Self::Explained { before } => from(before, ": the changelog says why; record it"),
            Self::Unexplained { before } => from(before, ": too much, and unexplained"),
        }
    }
}

/// The start of the changelog line that explains growth; the reason follows it.
pub(crate) fn changelog_line(name: &str, before: u64, now: u64) -> String {
    format!("- Instructions: `{name}` {} → {}: ", with_commas(before), with_commas(now))
}

/// Whether the changelog's unreleased part has the line for this growth, with a reason.
fn explains(changelog: &str, name: &str, before: u64, now: u64) -> bool {
    let unreleased = changelog.split("\n## ").find(|part| part.starts_with("Unreleased"));
    unreleased.unwrap_or_default().lines().any(|line| {
        let parts = line.strip_prefix("- Instructions: `").and_then(|line| line.split_once("` "));
        let Some((_, rest)) = parts.filter(|(call, _)| *call == name) else { return false };
        let Some((counts, reason)) = rest.split_once(':') else { return false };
        let counts = counts.split_once('→').map(|(old, new)| (number(old), number(new)));
        let Some((Some(old), Some(new))) = counts else { return false };
        old == before && is_near(new, now) && !reason.trim().is_empty()
    })
}

/// Whether a count is within a hundredth of the recorded one: records do not change without need.
const fn is_near(before: u64, now: u64) -> bool {
    before.abs_diff(now) * 100 <= before
}

/// The change of a count in percent.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn percent(before: u64, now: u64) -> f64 {
    (now as f64 / before as f64 - 1.0) * 100.0
}

fn number(text: &str) -> Option<u64> {
    text.trim().replace(',', "").parse().ok()
}

fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "customers.get";

    fn verdict(now: u64, unreleased: &str) -> Verdict {
        let changelog =
            format!("# Changelog\n\n## Unreleased\n\n{unreleased}\n\n## 0.1.0\n\n- x\n");
        Verdict::of(NAME, Some(61_000), now, &changelog)
    }

    #[test]
    fn a_tenth_more_needs_a_reason_and_less_never_does() {
        let before = 61_000;
        assert_eq!(verdict(67_100, ""), Verdict::Same { before });
        assert_eq!(verdict(67_200, ""), Verdict::Unexplained { before });
        assert_eq!(verdict(30_000, ""), Verdict::Fell { before });
        assert_eq!(Verdict::of(NAME, None, 1, ""), Verdict::New);
    }

    #[test]
    fn only_the_whole_line_explains_and_only_where_it_is_not_released() {
        let before = 61_000;
        let line = "- Instructions: `customers.get` 61,000 → 70,000: locations come along";
        assert_eq!(verdict(70_300, line), Verdict::Explained { before });
        for other in [
            "- Instructions: `customers.get` 61,000 → 70,000:",
            "- Instructions: `customers.get` 50,000 → 70,000: from another record",
            "- Instructions: `customers.get` 61,000 → 69,000: to another count",
            "- Instructions: `notes.get` 61,000 → 70,000: another call",
            "- customers.get is slower",
        ] {
            assert_eq!(verdict(70_300, other), Verdict::Unexplained { before }, "{other}");
        }
        let released = format!("## Unreleased\n\n## 0.2.0\n\n{line}\n");
        let verdict = Verdict::of(NAME, Some(before), 70_300, &released);
        assert_eq!(verdict, Verdict::Unexplained { before });
        assert!(line.starts_with(changelog_line(NAME, before, 70_000).as_str()));
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_renewed_where_it_changed() {
        let counts = |get, list| {
            Counts::from_iter([(NAME.to_owned(), get), ("tools/list".to_owned(), list)])
        };
        let old = counts(61_000, 1_234_567);
        assert_eq!(Counts::read(&old.page()), old);
        assert!(old.page().contains("| `tools/list` | 1,234,567 |"));
        assert_eq!(old.renewed(&counts(61_300, 1_300_000)), counts(61_000, 1_300_000));
    }
}
