//! What is unpacked is what was packed, in a form that never changes.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const AT: Timestamp = Timestamp(1_700_000_000_123_456);

fn value() -> impl Strategy<Value = Value> {
    let time = (-62_135_596_800_000_i64..253_402_300_799_999)
        .prop_map(|ms| rfc3339(Timestamp(ms * 1_000)));
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string().into()),
        any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string().to_uppercase().into()),
        time.prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<Vec<String>>().prop_map(|it| json!({ "all": it })),
    ]
}

fn values() -> impl Strategy<Value = Values> {
    let name =
        prop_oneof![proptest::sample::select(NAMES).prop_map(str::to_owned), any::<String>()];
    proptest::collection::vec((name, value()), 0..5).prop_map(|it| it.into_iter().collect())
}

fn change() -> impl Strategy<Value = RecordChange> {
    let fields = || {
        let field = (any::<String>(), value(), value());
        let field = field.prop_map(|(field, old, new)| FieldChange { field, old, new });
        proptest::collection::vec(field, 0..4)
    };
    let change_kind = prop_oneof![
        Just(ChangeKind::AddedAsItWas),
        values().prop_map(ChangeKind::Added),
        values().prop_map(ChangeKind::Removed),
        (proptest::option::of(values()), fields())
            .prop_map(|(first, fields)| ChangeKind::Changed { first, fields }),
    ];
    (proptest::sample::select(NAMES), any::<u128>(), change_kind).prop_map(|(word, id, kind)| {
        RecordChange { record_type: word.into(), record_id: Uuid::from_u128(id), kind }
    })
}

proptest! {
    #[test]
    fn what_is_unpacked_is_what_was_packed(
        mut changes in proptest::collection::vec(change(), 0..4),
        reference in any::<proptest::sample::Index>(),
    ) {
        let ids: Vec<_> = changes.iter().map(|it| it.record_id.to_string()).collect();
        if !ids.is_empty() {
            let id = json!(ids[reference.index(ids.len())]);
            changes[0].kind = ChangeKind::Added([("customer_id".to_owned(), id)].into_iter().collect());
        }
        let packed = pack(&changes, AT).expect("bytes");
        prop_assert_eq!(unpack(&packed, AT).expect("changes"), changes);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_something_else_but_no_panic(bytes: Vec<u8>) {
        drop(unpack(&[&[FORM], &bytes[..]].concat(), AT));
    }
}

/// The bytes are in databases: if this fails, entries that exist can no longer be read.
#[test]
fn the_form_does_not_change() {
    let id = Uuid::from_u128(0x018c_fdc6_ddd7_7c26_8209_fcf2_095a_68da);
    let values = |value: Value| value.as_object().expect("fields").clone();
    let change =
        |word: &'static str, kind| RecordChange { record_type: word.into(), record_id: id, kind };
    let fields = vec![
        FieldChange { field: "email".into(), old: json!("a@b.example"), new: Value::Null },
        FieldChange { field: "unheard".into(), old: json!(false), new: json!([1, 2.5]) },
    ];
    let changes = [
        change("customer", ChangeKind::AddedAsItWas),
        change(
            "note",
            ChangeKind::Added(values(
                json!({ "id": id, "pinned": true, "created_at": rfc3339(AT) }),
            )),
        ),
        change("job", ChangeKind::Removed(values(json!({ "n": -3, "user_id": Uuid::max() })))),
        change("tag", ChangeKind::Changed { first: None, fields: fields.clone() }),
        change("tag", ChangeKind::Changed { first: Some(values(json!({ "name": "x" }))), fields }),
    ];
    let packed = pack(&changes, AT).expect("bytes");
    insta::assert_snapshot!(data_encoding::HEXLOWER.encode(&packed));
    insta::assert_snapshot!(NAMES.join("\n"));
    assert_eq!(unpack(&packed, AT).expect("changes"), changes);
}
