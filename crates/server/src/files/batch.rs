//! [`Batch`]: puts short pieces together, because each piece that is looked at has a cost of its own.

use axum::body::Bytes;

/// The length of a piece that is worth it, in bytes.
const ENOUGH: usize = 16 * 1024;

/// Pieces that were too short so far.
#[derive(Default)]
pub(super) struct Batch(Vec<u8>);

impl Batch {
    /// The pieces to look at, now that this one has arrived, or that there are no more.
    pub(super) fn push(&mut self, piece: Option<Bytes>) -> impl Iterator<Item = Bytes> {
        let (ready, piece) = match piece {
            Some(piece) if piece.len() < ENOUGH => {
                self.0.extend_from_slice(&piece);
                (self.0.len() >= ENOUGH, None)
            }
            piece => (!self.0.is_empty(), piece),
        };
        let before = ready.then(|| Bytes::from(std::mem::take(&mut self.0)));
        before.into_iter().chain(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_pieces_are_looked_at_together_and_in_order() {
        let mut batch = Batch::default();
        let content: Vec<u8> = (0..=u8::MAX).cycle().take(2 * ENOUGH + 3).collect();
        let mut pieces: Vec<_> = content.chunks(1).map(Bytes::copy_from_slice).collect();
        let long = Bytes::from(content.clone());
        pieces.push(long.clone());
        let pieces = pieces.into_iter().map(Some).chain([None]);
        let seen: Vec<_> = pieces.flat_map(|piece| batch.push(piece).collect::<Vec<_>>()).collect();
        let lengths: Vec<_> = seen.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [ENOUGH, ENOUGH, 3, long.len()]);
        assert_eq!(seen.concat(), [content.as_slice(), &long].concat());
    }
}
