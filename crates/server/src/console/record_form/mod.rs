//! The forms that create and change records: how they are declared, shown, read, and saved.
//!
//! A page declares its form once ([`Declaration`]) and says which tools run. What lives here: what all these forms share.
//! What must not: the fields of a form, or a rule about a field. The tools check the values, and their errors are shown
//! beside the fields in their own words.

mod declaration;
mod flow;
mod merge;
#[cfg(test)]
mod tests;
mod values;
mod view;

pub(super) use declaration::{Declaration, Field, Group, Input, Usage, yes_or_no};
pub(super) use flow::{FormPage, create, edit, new, possible_duplicates, save};
pub(super) use values::Values;
