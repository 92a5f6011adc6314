//! `changes.revert`: puts back what an entry of the history replaced.

mod plan;
mod run;
