//! Lists of values. A problem with an item is reported with its path: `line_items[2].quantity`.

use serde_json::json;

use super::{Json, Parse, ParseContext, ParseError};
use crate::call::error::FieldProblem;

/// Maximum number of problems that are reported for one list.
const MAX_PROBLEMS: usize = 100;

/// A list of `MIN` to `MAX` values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MIN: usize, const MAX: usize>(pub Vec<T>);

impl<T: Parse, const MIN: usize, const MAX: usize> Parse for List<T, MIN, MAX> {
    fn schema() -> serde_json::Value {
        let mut schema = json!({ "type": "array", "items": T::schema() });
        if MIN > 0 {
            schema["minItems"] = MIN.into();
        }
        schema["maxItems"] = MAX.into();
        schema
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let Json::List(items) = value else {
            return Err(ParseError::wrong_type("must be an array", &value));
        };
        let count = items.len();
        if !(MIN..=MAX).contains(&count) {
            return Err(ParseError::Invalid(format!(
                "must have {MIN} to {MAX} items, not {count}"
            )));
        }
        let mut values = Vec::with_capacity(count);
        let mut problems = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let item = match item {
                Json::Null => Err(ParseError::Empty),
                item => T::parse(item, context),
            };
            match item {
                Ok(value) => values.push(value),
                Err(error) => problems.extend(error.at(&format!("[{index}]"))),
            }
        }
        if problems.is_empty() {
            Ok(Self(values))
        } else {
            Err(ParseError::Inside(truncate(problems)))
        }
    }
}

/// The first [`MAX_PROBLEMS`] problems, and one that says how many were left out, if any were.
fn truncate(mut problems: Vec<FieldProblem>) -> Vec<FieldProblem> {
    if let Some(more @ 1..) = problems.len().checked_sub(MAX_PROBLEMS) {
        problems.truncate(MAX_PROBLEMS);
        let noun = if more == 1 { "problem" } else { "problems" };
        let problem = format!("has {more} more {noun}");
        problems.push(FieldProblem { field: String::new(), problem });
    }
    problems
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "inputs are declared for tools, which are public")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::call::argument::{Fields, Input, Ranged, Text, input, nested};
    use crate::values::country::Country;

    input! {
        /// A line.
        pub struct Line {
            /// What it is for.
            pub description: Text<1_000>,
            /// How many; default 1.
            pub quantity: Option<Ranged<1, 999>>,
        }
    }
    nested!(Line);

    input! {
        /// A document.
        pub struct Document {
            /// Its lines.
            pub line_items: List<Line, 1, 3>,
            /// Who works on it.
            pub people: Option<List<Text<8>, 0, 2>>,
        }
    }

    const CONTEXT: ParseContext = ParseContext { country: Country::US };

    fn read(document: serde_json::Value) -> Result<Document, Vec<(String, String)>> {
        let Json::Object(object) = document.into() else { panic!("an object") };
        let mut fields = Fields::new(object, CONTEXT);
        let document = Document::read(&mut fields);
        let pairs = |problems: Vec<FieldProblem>| {
            problems.into_iter().map(|it| (it.field, it.problem)).collect()
        };
        fields.finish(document).map_err(pairs)
    }

    #[test]
    fn items_are_read_in_order() {
        let lines = json!([{ "description": " a ", "quantity": 2 }, { "description": "b" }]);
        let read = read(json!({ "line_items": lines, "people": [] })).expect("a document");
        let lines = read.line_items.0.iter();
        let lines: Vec<_> =
            lines.map(|line| (&*line.description.0, line.quantity.map(Ranged::get))).collect();
        assert_eq!(lines, [("a", Some(2)), ("b", None)]);
        assert_eq!(read.people, Some(List(Vec::new())));
    }

    #[test]
    fn all_problems_with_items_are_reported_at_once_with_their_paths() {
        let lines = json!([{ "quantity": 0 }, null, { "descripton": "b", "description": "c" }]);
        let problems =
            read(json!({ "line_items": lines, "people": ["a", " "] })).expect_err("problems");
        let unknown = "is not a field of this tool; the nearest one is description";
        let expected = [
            ("line_items[0].description", "is required"),
            ("line_items[0].quantity", "must be a whole number from 1 to 999"),
            ("line_items[1]", "must not be empty"),
            ("line_items[2].descripton", unknown),
            ("people[1]", "must not be empty"),
        ];
        let expected = expected.map(|(field, problem)| (field.to_owned(), problem.to_owned()));
        assert_eq!(problems, expected);
    }

    #[test]
    fn a_list_and_its_reported_problems_are_limited_in_number() {
        for (lines, problem) in [
            (json!([]), "must have 1 to 3 items, not 0"),
            (json!([1, 2, 3, 4]), "must have 1 to 3 items, not 4"),
            (json!({}), "must be an array, not an object"),
            (json!(null), "is required"),
        ] {
            let problems = read(json!({ "line_items": lines })).expect_err("a problem");
            assert_eq!(problems, [("line_items".to_owned(), problem.to_owned())]);
        }
        for (count, last) in [(150, "has 50 more problems"), (101, "has 1 more problem")] {
            let many = Json::List(vec![Json::Boolean(true); count]);
            let Err(ParseError::Inside(problems)) = List::<Text<8>, 0, 200>::parse(many, CONTEXT)
            else {
                panic!("problems")
            };
            assert_eq!(problems.len(), MAX_PROBLEMS + 1);
            assert_eq!(problems.last().map(|it| &*it.problem), Some(last));
        }
    }

    #[test]
    fn the_schema_contains_the_bounds_and_the_schema_of_an_item() {
        let schema = List::<Line, 1, 3>::schema();
        assert_eq!((&schema["minItems"], &schema["maxItems"]), (&json!(1), &json!(3)));
        assert_eq!(schema["items"]["required"], json!(["description"]));
        assert_eq!(schema["items"]["additionalProperties"], false);
        assert_eq!(schema["items"]["properties"]["description"]["description"], "What it is for.");
        let people = List::<Text<8>, 0, 2>::schema();
        let item = json!({ "type": "string", "maxLength": 8 });
        assert_eq!(people, json!({ "type": "array", "items": item, "maxItems": 2 }));
    }

    proptest! {
        #[test]
        fn exactly_the_invalid_items_are_named(numbers in prop::collection::vec(0u32..20, 0..50)) {
            let sent = Json::List(numbers.iter().map(|it| Json::Number((*it).into())).collect());
            let invalid: Vec<_> = (0..numbers.len())
                .filter(|index| numbers[*index] >= 10)
                .map(|index| format!("[{index}]"))
                .collect();
            match List::<Ranged<0, 9>, 0, 50>::parse(sent, CONTEXT) {
                Ok(List(read)) => {
                    prop_assert!(invalid.is_empty());
                    prop_assert_eq!(read.into_iter().map(Ranged::get).collect::<Vec<_>>(), numbers);
                }
                Err(ParseError::Inside(problems)) => {
                    let named: Vec<_> = problems.into_iter().map(|it| it.field).collect();
                    prop_assert_eq!(named, invalid);
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
