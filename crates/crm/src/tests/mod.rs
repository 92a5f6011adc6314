//! Tests of the whole catalog: a new tool is covered as soon as it is listed.

mod arguments;
mod bad_input;
mod bounds;
mod catalog_rules;
mod folders;
mod future;
mod hints;
mod history;
mod idempotency;
mod matrix;
mod migrations;
mod naming;
mod parity;
mod plans;
mod prepare;
mod races;
mod receipts;
mod reference;
mod replays;
mod rows;
mod snapshots;
mod storage;
mod tables;
mod tenancy;
mod typed;
