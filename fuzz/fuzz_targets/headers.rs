//! Looks for inputs that break [`zoop_fuzz_properties::headers`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| zoop_fuzz_properties::headers(input));
