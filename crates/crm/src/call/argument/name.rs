//! The names of people and businesses, which pages show beside other text.

use icu_properties::CodePointSetData;
use icu_properties::props::BidiControl;

use super::{Json, Parse, ParseContext, ParseError, Text};
use crate::values::text;

/// The name of a person or a business: at most 256 characters, at least one of them visible, and none
/// that changes the direction of the surrounding text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub String);

impl Parse for Name {
    fn schema() -> serde_json::Value {
        Text::<256>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let Text(typed) = Text::<256>::parse(value, context)?;
        let turns = CodePointSetData::new::<BidiControl>();
        let name: String = typed.chars().filter(|letter| !turns.contains(*letter)).collect();
        if text::shows_nothing(&name) {
            return Err(ParseError::Empty);
        }
        Ok(Self(text::trim_around(&name).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::country::Country;

    #[test]
    fn a_name_shows_something_and_turns_nothing_around() {
        let read = |typed: &str| {
            let context = ParseContext { country: Country::US };
            Name::parse(Json::Text(typed.to_owned()), context)
        };
        for (typed, kept) in [
            ("Nadia New", "Nadia New"),
            ("\u{202e}evil\u{2066} name\u{200f}", "evil name"),
            ("\u{645}\u{6cc}\u{200c}\u{62e}", "\u{645}\u{6cc}\u{200c}\u{62e}"),
        ] {
            assert_eq!(read(typed).ok(), Some(Name(kept.to_owned())), "{typed:?}");
        }
        for blank in ["\u{202e}", "\u{3164}", "\u{200b}\u{2800}"] {
            assert!(matches!(read(blank), Err(ParseError::Empty)), "{blank:?}");
        }
    }
}
