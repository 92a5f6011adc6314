//! The macros that declare inputs and enums. They are plain `macro_rules`, so that the generated code can be
//! read here.

/// A field's name on the wire, without the `r#` of a Rust keyword.
pub(crate) fn field_name(identifier: &'static str) -> &'static str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// Declares a tool's input: a struct whose field types parse the values and describe them in the schema.
///
/// `rules = function` names a `fn(&mut Fields)` that checks fields against one another. It runs even if some
/// fields are invalid, so that all problems are reported at once. `..fields: Type` at the end includes
/// another input's fields at the same level. `hints` is a list of [`Hint`](super::Hint) for unknown fields, and
/// `aliases` sets [`Input::ALIASES`](super::Input::ALIASES).
macro_rules! input {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident $(, rules = $rules:path)? $(, hints = $hints:path)? $(, aliases = $aliases:path)? {
            $( $(#[doc = $field_about:literal])* pub $field:ident: $type:ty, )*
            $( ..$flat:ident: $flat_type:ty )?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $( $(#[doc = $field_about])* pub $field: $type, )*
            $( #[doc = "The included fields."] pub $flat: $flat_type, )?
        }

        impl $crate::call::argument::Input for $name {
            $( const ALIASES: &'static [(&'static str, &'static str)] = $aliases; )?

            fn fields() -> Vec<$crate::call::argument::Field> {
                [
                    vec![$( $crate::call::argument::Field {
                        name: $crate::call::argument::field_name(stringify!($field)),
                        about: <$type as $crate::call::argument::Argument>::about(
                            concat!($($field_about, "\n"),*).trim().replace("\n ", " "),
                        ),
                        schema: <$type as $crate::call::argument::Argument>::schema(),
                        required: <$type as $crate::call::argument::Argument>::REQUIRED,
                    } ),*],
                    $( <$flat_type as $crate::call::argument::Input>::fields(), )?
                ]
                .concat()
            }

            fn read(sent: &mut $crate::call::argument::Fields) -> Option<Self> {
                // In an input without fields, `sent` would be unused, which the compiler warns about.
                let _: &$crate::call::argument::Fields = sent;
                $( let $field =
                    sent.take::<$type>($crate::call::argument::field_name(stringify!($field))); )*
                $( let $flat = <$flat_type as $crate::call::argument::Input>::read(sent); )?
                $( $rules(sent); )?
                $( sent.suggest($hints); )?
                Some(Self { $( $field: $field?, )* $( $flat: $flat?, )? })
            }

            fn canonical(
                name: &str,
                value: &$crate::call::argument::Json,
            ) -> $crate::call::argument::Json {
                $( if name == $crate::call::argument::field_name(stringify!($field)) {
                    return <$type as $crate::call::argument::Argument>::canonical(value);
                } )*
                // The field is one of the included fields, if there are any. `if true` keeps the compiler from warning
                // that the lines below are unreachable then.
                $( if true {
                    return <$flat_type as $crate::call::argument::Input>::canonical(name, value);
                } )?
                // In an input without fields, `name` would be unused.
                let _ = name;
                value.clone()
            }
        }
    };
}
pub(crate) use input;

/// Makes a type a part of a command's input that no call can send: [`Command::prepare`] sets it.
///
/// [`Command::prepare`]: crate::call::tool::Command::prepare
macro_rules! not_sent {
    ($name:ty) => {
        impl $crate::call::argument::Input for $name {
            fn fields() -> Vec<$crate::call::argument::Field> {
                Vec::new()
            }

            fn read(_: &mut $crate::call::argument::Fields) -> Option<Self> {
                Some(Self::default())
            }

            fn canonical(
                _: &str,
                value: &$crate::call::argument::Json,
            ) -> $crate::call::argument::Json {
                value.clone()
            }
        }
    };
}
pub(crate) use not_sent;

/// Allows an input as the type of a field. The field's value is then a nested object.
macro_rules! nested {
    ($name:ident) => {
        impl $crate::call::argument::Parse for $name {
            fn schema() -> serde_json::Value {
                let fields = <$name as $crate::call::argument::Input>::fields();
                serde_json::Value::Object($crate::call::argument::object_schema(&fields))
            }

            fn parse(
                value: $crate::call::argument::Json,
                context: $crate::call::argument::ParseContext,
            ) -> Result<Self, $crate::call::argument::ParseError> {
                $crate::call::argument::parse_nested(value, context)
            }
        }
    };
}
pub(crate) use nested;

/// Declares an enum whose variants are words in the database and on the wire. The type, its schema and its
/// conversions follow from one list.
macro_rules! choices {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $( $(#[$choice_about:meta])* $choice:ident = $word:literal, )* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $( $(#[$choice_about])* $choice, )* }

        impl $name {
            /// Every choice, in order.
            pub const ALL: &'static [Self] = &[$(Self::$choice),*];

            /// The word on the wire and in the database.
            pub const fn word(self) -> &'static str {
                match self { $( Self::$choice => $word, )* }
            }

            /// The choice with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.word() == word)
            }
        }

        impl $crate::call::argument::Parse for $name {
            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "string", "enum": [$($word),*] })
            }

            fn parse(
                value: $crate::call::argument::Json,
                _: $crate::call::argument::ParseContext,
            ) -> Result<Self, $crate::call::argument::ParseError> {
                use $crate::call::argument::{Json, ParseError};
                let problem = format!("must be one of {}", [$($word),*].join(", "));
                match value {
                    Json::Text(word) if $crate::call::argument::is_blank(&word) => Err(ParseError::Empty),
                    Json::Text(word) => {
                        Self::from_word(&word).ok_or(ParseError::Invalid(problem))
                    }
                    other => Err(ParseError::wrong_type(&problem, &other)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Self::from_word(&word).ok_or_else(|| serde::de::Error::custom("not one of the choices"))
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),*] })
            }
        }

        impl zoop_db::Param for $name {
            fn value(&self) -> zoop_db::Value<'_> {
                zoop_db::Value::Text(self.word())
            }
        }

        impl zoop_db::Column for $name {
            const NAME: &'static str = stringify!($name);
            const KIND: zoop_db::Kind = zoop_db::Kind::Text;
            fn read(value: zoop_db::Value<'_>) -> Option<Self> {
                match value {
                    zoop_db::Value::Text(word) => Self::from_word(word),
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use choices;
