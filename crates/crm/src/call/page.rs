//! Pages of lists: the cursor, and how rows become `{rows, nextCursor, hasMore}`.
//!
//! A cursor is opaque to callers. It contains the list's filters, the position after which the next page begins, and
//! a check value computed from these two, the tenant and the tool. The check value detects a damaged cursor and a
//! cursor of another list or tenant. It guards against mistakes, not against forgery: a forged cursor reads nothing that
//! the caller could not read with plain filters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::call::answer::Page;
use crate::call::argument::{
    self, Argument, Field, Fields, Hint, Input, Instead, Json, Object, Parse, ParseContext,
    ParseError,
};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::perform;
use crate::call::tool::{Found, List};
use crate::call::written::Written;

/// A page ends once the JSON of its rows exceeds this many bytes.
pub const PAGE_BYTES: usize = 256 * 1024;
/// Maximum bytes of a cursor. The length of the filters is limited, so no valid cursor is longer.
const MAX_CURSOR_BYTES: usize = 8 * 1024;
const CHECK_BYTES: usize = 8;

#[derive(Serialize, Deserialize)]
struct CursorState<P> {
    filters: Map<String, Value>,
    position: P,
}

/// The fields that every list accepts in addition to its filters.
pub(crate) fn fields<T: List>() -> Vec<Field> {
    vec![
        Field {
            name: "cursor",
            about: "nextCursor of the previous page; it carries the filters.".to_owned(),
            schema: <CursorText as Parse>::schema(),
            required: false,
        },
        Field {
            name: "limit",
            about: format!("Default {}.", T::DEFAULT_LIMIT),
            schema: <Option<T::Limit> as Argument>::schema(),
            required: false,
        },
    ]
}

/// Other names for the fields that every list accepts.
const HINTS: &[Hint] = &[
    Hint::new(
        &["page", "page_token", "next_cursor", "offset", "skip", "start", "starting_after"],
        &[Instead::Fields(&["cursor"])],
    ),
    Hint::new(
        &["page_size", "per_page", "count", "max", "max_results", "size", "top"],
        &[Instead::Fields(&["limit"])],
    ),
];

struct CursorText(String);

impl Parse for CursorText {
    fn schema() -> Value {
        serde_json::json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        match value {
            Json::Text(text) if text.len() <= MAX_CURSOR_BYTES => Ok(Self(text)),
            Json::Text(_) => Err(ParseError::Invalid(INVALID_CURSOR.to_owned())),
            other => Err(ParseError::wrong_type("must be nextCursor of the previous page", &other)),
        }
    }
}

const INVALID_CURSOR: &str =
    "is not a cursor of this list: pass nextCursor unchanged, or leave it out to start again";

/// Runs a [`List`] and returns a page as JSON. Each row is serialized once, then measured and sent.
pub(crate) fn list_json<T: List>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<String> {
    let page = read::<T, _>(ctx, object, |row| {
        let row = Written::of(&row)?;
        let bytes = row.bytes();
        Ok((row, bytes))
    })?;
    Ok(serde_json::to_string(&page)?)
}

/// [`list_json`] in the list's own types. The rows stay in this process, so their size is not limited.
pub(crate) fn list<T: List>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<Page<T::Row>> {
    read::<T, _>(ctx, object, |row| Ok((row, 0)))
}

/// Reads a page of a list. `convert` converts each row to its type in the page, and measures its bytes.
fn read<T: List, R>(
    ctx: &mut ReadCtx<'_, '_>,
    object: Object,
    convert: impl Fn(T::Row) -> Result<(R, usize)>,
) -> Result<Page<R>> {
    // A list of the whole installation has no tenant and uses 0, which is not the number of any tenant.
    let tenant = ctx.tx.tenant().map_or(0, |tenant| tenant.0);
    let codec = CursorCodec { tool: T::NAME, tenant };
    let arguments = ListArguments::<T>::read(object, perform::parse_context(ctx.access), &codec)?;
    let room = Room { rows: arguments.limit as usize, bytes: PAGE_BYTES, at_once: T::AT_ONCE };
    let (rows, rest) = fill(
        room,
        arguments.after,
        |after, count| T::run(ctx, &arguments.input, after, count),
        convert,
    )?;
    let has_more = rest.is_some();
    let encode = |position| codec.encode(&CursorState { filters: arguments.filters, position });
    Ok(Page { rows, next_cursor: rest.map(encode).transpose()?, has_more })
}

/// The limits of a page.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Maximum rows.
    pub(crate) rows: usize,
    /// The page ends after the row that makes it larger than this many bytes.
    pub(crate) bytes: usize,
    /// [`List::AT_ONCE`].
    pub(crate) at_once: usize,
}

/// The rows of a page, and the position after which the next page begins, unless the list has ended.
type Filled<R, P> = (Vec<R>, Option<P>);

/// Fills a page with the rows that `run` finds. `run` gets a position and a count, and returns at most that
/// many rows after the position, in order, each with its own position.
///
/// The first read asks for only `room.at_once` rows, because only a few rows of the maximum length fit on a page. Each
/// further read asks for as many rows as should fit, if they are as long as the rows so far.
pub(crate) fn fill<F, R, P>(
    room: Room,
    mut after: Option<P>,
    mut run: impl FnMut(Option<P>, usize) -> Result<Found<F, P>>,
    convert: impl Fn(F) -> Result<(R, usize)>,
) -> Result<Filled<R, P>> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let mut at_once = room.at_once;
    loop {
        let wanted = at_once.min(room.rows - rows.len());
        // Ask for one extra row, to know whether more rows follow.
        let Found { rows: found, stopped } = run(after.take(), wanted + 1)?;
        // With fewer rows than requested, the list has ended or the search has stopped early.
        let is_last_read = found.len() <= wanted;
        // Found rows that are not on the page yet, including the extra row.
        let mut left = found.len();
        for (row, position) in found.into_iter().take(wanted) {
            let (row, size) = convert(row)?;
            rows.push(row);
            bytes += size;
            left -= 1;
            if bytes > room.bytes {
                return Ok((rows, if left > 0 { Some(position) } else { stopped }));
            }
            after = Some(position);
        }
        if is_last_read {
            return Ok((rows, stopped));
        }
        if rows.len() == room.rows {
            return Ok((rows, after));
        }
        at_once = rows_to_fill(room.bytes - bytes, bytes / rows.len());
    }
}

/// Adds to each row its position in the list.
pub(crate) fn with_positions<R, P>(rows: Vec<R>, position: impl Fn(&R) -> P) -> Found<R, P> {
    let with_position = |row| {
        let position = position(&row);
        (row, position)
    };
    Found::all(rows.into_iter().map(with_position).collect())
}

/// The number of rows that fills the remaining bytes of a page, if each row has `row_bytes`.
fn rows_to_fill(remaining: usize, row_bytes: usize) -> usize {
    // The rows of `list` are not measured, so any number of them fits. The caller adds one to the result.
    remaining.checked_div(row_bytes).map_or(usize::MAX - 1, |rows| rows + 1)
}

/// The parsed arguments of a list's call.
struct ListArguments<T: List> {
    input: T::Input,
    /// The filters, as the next cursor stores them.
    filters: Map<String, Value>,
    after: Option<T::Position>,
    limit: u32,
}

impl<T: List> ListArguments<T> {
    /// Parses the arguments of a list, including the cursor's filters. Reports all problems together.
    fn read(mut object: Object, context: ParseContext, codec: &CursorCodec) -> Result<Self> {
        argument::rename_aliases::<T::Input>(&mut object);
        let (paging, sent_filters): (Object, Object) =
            object.into_iter().partition(|(name, _)| name == "cursor" || name == "limit");
        let mut paging = Fields::new(paging, context);
        let limit = paging.take::<Option<T::Limit>>("limit");
        let state = read_cursor::<T::Position>(&mut paging, codec);
        let is_cursor_invalid = state.is_none() && paging.is_filled("cursor");
        let (object, after) = match state {
            None => (sent_filters, None),
            Some(CursorState { filters, position }) => {
                (add_filters::<T::Input>(sent_filters, filters, &mut paging), Some(position))
            }
        };
        let filters = object
            .iter()
            .map(|(name, value)| (name.clone(), to_value(&T::Input::canonical(name, value))))
            .filter(|(_, value)| !value.is_null())
            .collect();
        let names: Vec<_> = object.iter().map(|(name, _)| name.clone()).collect();
        let mut fields = Fields::new(object, context);
        let input = T::Input::read(&mut fields);
        fields.refuse_blanks();
        fields.also_known(&["cursor", "limit"]);
        fields.suggest(HINTS);
        match (paging.finish(limit), fields.finish(input)) {
            (Ok(limit), Ok(input)) => {
                let limit = limit.map_or(T::DEFAULT_LIMIT, Into::into);
                Ok(Self { input, filters, after, limit })
            }
            (limit, input) => {
                let problems = input.err().unwrap_or_default().into_iter();
                // If the cursor is invalid, a missing filter is not reported: the cursor may have contained it.
                let reported =
                    problems.filter(|it| !is_cursor_invalid || names.contains(&it.field));
                Err(Error::fields(reported.chain(limit.err().into_iter().flatten()).collect()))
            }
        }
    }
}

/// Decodes the cursor that was sent. `None` if none was sent or it is invalid, which is reported to `paging`.
fn read_cursor<P: DeserializeOwned>(
    paging: &mut Fields,
    codec: &CursorCodec,
) -> Option<CursorState<P>> {
    let cursor = paging.take::<Option<CursorText>>("cursor").flatten()?;
    codec.decode(&cursor.0).or_else(|| paging.refuse("cursor", INVALID_CURSOR))
}

/// Adds the cursor's filters to the ones that were sent. A filter that is in both must have the same meaning.
fn add_filters<T: Input>(
    mut sent: Object,
    from_cursor: Map<String, Value>,
    paging: &mut Fields,
) -> Object {
    // If `null` was sent for a filter of the cursor, the cursor's value applies.
    sent.retain(|(name, value)| *value != Json::Null || !from_cursor.contains_key(name));
    for (name, value) in sent.iter().filter(|(_, value)| *value != Json::Null) {
        let value = to_value(&T::canonical(name, value));
        if value != from_cursor.get(name).cloned().unwrap_or_default() {
            paging.refuse::<()>(name, "differs from the cursor's: leave it out, or start again");
        }
    }
    for (name, value) in from_cursor {
        if !sent.iter().any(|(known, _)| *known == name) {
            sent.push((name, Json::from(value)));
        }
    }
    sent
}

/// Encodes and checks cursors, which are bound to a tool and a tenant.
struct CursorCodec {
    tool: &'static str,
    tenant: u32,
}

impl CursorCodec {
    fn encode<P: Serialize>(&self, state: &CursorState<P>) -> Result<String> {
        let mut bytes = serde_json::to_vec(state)?;
        let check = self.check_value(&bytes);
        bytes.extend_from_slice(&check);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn decode<P: DeserializeOwned>(&self, cursor: &str) -> Option<CursorState<P>> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (state, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
        (self.check_value(state) == check).then(|| serde_json::from_slice(state).ok()).flatten()
    }

    fn check_value(&self, state: &[u8]) -> [u8; CHECK_BYTES] {
        let mut digest = Sha256::new();
        digest.update(self.tool.as_bytes());
        digest.update(self.tenant.to_be_bytes());
        digest.update(state);
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&digest.finalize()[..CHECK_BYTES]);
        check
    }
}

/// Converts a caller's value to the type that a cursor can store and compare.
fn to_value(value: &Json) -> Value {
    match value {
        // The tool rejects a filter with a huge number, so the result does not matter.
        Json::Null | Json::HugeNumber => Value::Null,
        Json::Boolean(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Number(number.clone()),
        Json::Text(text) => Value::String(text.clone()),
        Json::List(items) => items.iter().map(to_value).collect(),
        Json::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), to_value(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zoop_db::Uuid;

    use super::*;

    proptest! {
        /// In a list that is not in creation order, a position consists of a sort key and an id.
        #[test]
        fn a_cursor_carries_any_sort_key(name in ".{0,200}", starts: i64, id: u128, tenant: u32) {
            let codec = CursorCodec { tool: "jobs.list", tenant };
            let position = (name, starts, Uuid::from_u128(id));
            let state = CursorState { filters: Map::new(), position: position.clone() };
            let cursor = codec.encode(&state).expect("a cursor");
            prop_assert!(cursor.len() <= MAX_CURSOR_BYTES);
            let decoded: Option<CursorState<(String, i64, Uuid)>> = codec.decode(&cursor);
            prop_assert_eq!(decoded.map(|it| it.position), Some(position));
            let other = CursorCodec { tool: "jobs.list", tenant: tenant.wrapping_add(1) };
            prop_assert!(other.decode::<(String, i64, Uuid)>(&cursor).is_none());
        }
    }
}
