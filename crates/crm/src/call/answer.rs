//! Answers that several tools share: a page of a list, and the confirmation of an action on one record.
//! Answers that only one tool returns do not belong here.

use schemars::JsonSchema;
use serde::Serialize;

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Pass it as `cursor` to get the next page; `null` on the last.
    pub next_cursor: Option<String>,
    /// Whether more rows match.
    pub has_more: bool,
}

/// Declares the answer that confirms an action on one record, such as `{"archived":true,"id":…}`. The
/// arguments are the type's name, the flag, and the description of the id.
macro_rules! done {
    ($(#[doc = $about:literal])* $name:ident, $flag:ident, $id_about:literal) => {
        $(#[doc = $about])*
        #[derive(Debug, serde::Serialize, schemars::JsonSchema)]
        #[serde(bound = "")]
        #[schemars(bound = "")]
        pub struct $name<K> {
            /// Always true.
            $flag: bool,
            #[doc = $id_about]
            id: $crate::values::id::Id<K>,
        }

        impl<K> $name<K> {
            /// The answer for the record with this id.
            pub const fn of(id: $crate::values::id::Id<K>) -> Self {
                Self { $flag: true, id }
            }
        }
    };
}
pub(crate) use done;

done!(
    /// What archiving answers.
    Archived, archived, "The record's id."
);
done!(
    /// What deleting answers.
    Deleted, deleted, "The record's id."
);
done!(
    /// What restoring answers.
    Restored, restored, "The record's id."
);
