//! A tool's arguments: no text makes the reader panic or go on with a key that was sent twice.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zoop_crm::argument::parse_object;

fuzz_target!(|text: &str| {
    if let Ok(object) = parse_object(text) {
        for (at, (name, _)) in object.iter().enumerate() {
            assert!(object[..at].iter().all(|(other, _)| other != name));
        }
    }
});
