//! The names of people and businesses, which pages show next to other text.

use icu_properties::CodePointSetData;
use icu_properties::props::BidiControl;

use super::{Json, Parse, ParseContext, ParseError, Text};
use crate::values::text;

/// The name of a person or a business: at most 256 characters, at least one of them visible. Characters that
/// would change the direction of the surrounding text are removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub String);

impl Name {
    const MAX: usize = 256;
}

impl Parse for Name {
    fn schema() -> serde_json::Value {
        Text::<{ Self::MAX }>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let Text(text) = Text::<{ Self::MAX }>::parse(value, context)?;
        let controls = CodePointSetData::new::<BidiControl>();
        let name: String = text.chars().filter(|it| !controls.contains(*it)).collect();
        if text::is_all_invisible(&name) {
            return Err(ParseError::Empty);
        }
        Ok(Self(text::trim_keeping_modifiers(&name).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::country::Country;

    #[test]
    fn a_name_is_visible_and_has_no_bidirectional_controls() {
        let read = |sent: &str| {
            let context = ParseContext { country: Country::US };
            Name::parse(Json::Text(sent.to_owned()), context)
        };
        for (sent, name) in [
            ("Nadia New", "Nadia New"),
            ("\u{202e}evil\u{2066} name\u{200f}", "evil name"),
            ("\u{645}\u{6cc}\u{200c}\u{62e}", "\u{645}\u{6cc}\u{200c}\u{62e}"),
        ] {
            assert_eq!(read(sent).ok(), Some(Name(name.to_owned())), "{sent:?}");
        }
        for blank in ["\u{202e}", "\u{3164}", "\u{200b}\u{2800}"] {
            assert!(matches!(read(blank), Err(ParseError::Empty)), "{blank:?}");
        }
    }
}
