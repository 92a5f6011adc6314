//! Cursors: no text but one that was given out is taken for one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zoop_crm::page::is_cursor;

fuzz_target!(|text: &str| {
    // A check value of 64 bits is not met by chance.
    assert!(!is_cursor("customers.search", 1, text));
});
