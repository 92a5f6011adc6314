//! Looks for inputs that break [`zoop_fuzz_properties::frame`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| zoop_fuzz_properties::frame(input));
