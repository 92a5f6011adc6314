//! The words of a note's body, computed before the write.

use std::sync::Arc;

use zoop_db::Timestamp;

use super::access;
use super::index::BodyWords;
use crate::call::argument::not_sent;
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

/// The words of one text, or nothing yet. Part of a command's input, but not a field of the call.
#[derive(Debug, Clone, Default)]
pub struct KnownWords(Option<Arc<Known>>);

#[derive(Debug)]
struct Known {
    body: String,
    words: BodyWords,
}

impl KnownWords {
    /// The words of this text.
    pub(in crate::business) fn of(body: &str) -> Self {
        let known = Known { body: body.to_owned(), words: BodyWords::of(body) };
        Self(Some(Arc::new(known)))
    }

    /// The words of a note's stored body, or nothing if the caller may not see the note.
    pub(in crate::business) fn of_stored(
        ctx: &mut ReadCtx<'_, '_>,
        id: Id<kinds::Note>,
    ) -> Result<Self> {
        let now: Timestamp = ctx.now;
        match access::visible(ctx.tx, ctx.access, now, id) {
            Ok(shown) => Ok(Self::of(&shown.note.body)),
            Err(Error::NotFound { .. }) => Ok(Self::default()),
            Err(other) => Err(other),
        }
    }

    /// The words of `body`. They are computed now if they are not known, for example because another call has
    /// changed the note meanwhile.
    pub(super) fn words_of(&self, body: &str) -> BodyWords {
        match &self.0 {
            Some(known) if known.body == body => known.words.clone(),
            _ => BodyWords::of(body),
        }
    }
}

not_sent!(KnownWords);
