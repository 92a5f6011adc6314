//! Lists of values. A problem of an item is reported with its path: `line_items[2].quantity`.

use serde_json::json;

use super::{Json, Parse, ParseContext, ParseError};
use crate::call::error::FieldProblem;

/// Maximum problems of one list that an error names one by one.
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
            return Err(ParseError::another_type("must be an array", &value));
        };
        let count = items.len();
        if !(MIN..=MAX).contains(&count) {
            return Err(ParseError::Because(format!(
                "must have {MIN} to {MAX} items, not {count}"
            )));
        }
        let mut read = Vec::with_capacity(count);
        let mut problems = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            let item = match item {
                Json::Null => Err(ParseError::Empty),
                item => T::parse(item, context),
            };
            match item {
                Ok(item) => read.push(item),
                Err(refused) => problems.extend(refused.at(&format!("[{place}]"))),
            }
        }
        if problems.is_empty() { Ok(Self(read)) } else { Err(ParseError::Inside(capped(problems))) }
    }
}

/// The first problems of a list, and the number of the others.
fn capped(mut problems: Vec<FieldProblem>) -> Vec<FieldProblem> {
    if let Some(more @ 1..) = problems.len().checked_sub(MAX_PROBLEMS) {
        problems.truncate(MAX_PROBLEMS);
        let problem = format!("has {more} more problems");
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
        let told = |problems: Vec<FieldProblem>| {
            problems.into_iter().map(|it| (it.field, it.problem)).collect()
        };
        fields.finish(document).map_err(told)
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
    fn everything_wrong_with_items_is_told_at_once_under_its_place() {
        let lines = json!([{ "quantity": 0 }, null, { "descripton": "b", "description": "c" }]);
        let told =
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
        assert_eq!(told, expected);
    }

    #[test]
    fn a_list_has_bounds_and_so_has_what_is_told_of_it() {
        for (lines, problem) in [
            (json!([]), "must have 1 to 3 items, not 0"),
            (json!([1, 2, 3, 4]), "must have 1 to 3 items, not 4"),
            (json!({}), "must be an array, not an object"),
            (json!(null), "is required"),
        ] {
            let told = read(json!({ "line_items": lines })).expect_err("a problem");
            assert_eq!(told, [("line_items".to_owned(), problem.to_owned())]);
        }
        let many = Json::List(vec![Json::Boolean(true); 150]);
        let Err(ParseError::Inside(told)) = List::<Text<8>, 0, 200>::parse(many, CONTEXT) else {
            panic!("problems")
        };
        assert_eq!(told.len(), MAX_PROBLEMS + 1);
        assert_eq!(told.last().map(|it| &*it.problem), Some("has 50 more problems"));
    }

    #[test]
    fn the_schema_tells_the_bounds_and_what_an_item_is() {
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
        fn exactly_the_wrong_items_are_named(numbers in prop::collection::vec(0u32..20, 0..50)) {
            let sent = Json::List(numbers.iter().map(|it| Json::Number((*it).into())).collect());
            let wrong: Vec<_> = (0..numbers.len())
                .filter(|place| numbers[*place] >= 10)
                .map(|place| format!("[{place}]"))
                .collect();
            match List::<Ranged<0, 9>, 0, 50>::parse(sent, CONTEXT) {
                Ok(List(read)) => {
                    prop_assert!(wrong.is_empty());
                    prop_assert_eq!(read.into_iter().map(Ranged::get).collect::<Vec<_>>(), numbers);
                }
                Err(ParseError::Inside(problems)) => {
                    let named: Vec<_> = problems.into_iter().map(|it| it.field).collect();
                    prop_assert_eq!(named, wrong);
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
