//! How much a JPEG keeps in memory while it is unpacked: one that comes in several scans, as progressive ones do, is kept
//! whole in numbers of two bytes.
//!
//! Source: ITU-T T.81, annex B.

const SOI: u8 = 0xd8;
const SOS: u8 = 0xda;
const PROGRESSIVE: u8 = 0xc2;

/// The bytes that each pixel takes beside the unpacked picture. What is not understood counts as several scans.
pub(super) fn kept_for_a_pixel(content: &[u8]) -> u64 {
    match scans(content) {
        Some(Scans { are_several: false, .. }) => 0,
        Some(Scans { components, .. }) => 2 * u64::from(components),
        None => 8,
    }
}

struct Scans {
    components: u8,
    are_several: bool,
}

/// Reads the segments up to the first scan.
fn scans(content: &[u8]) -> Option<Scans> {
    let (mut rest, mut frame) = (content.strip_prefix(&[0xff, SOI])?, None);
    loop {
        let (&[0xff, marker], after) = rest.split_first_chunk()? else { return None };
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
        let segment = after.get(2..length)?;
        match marker {
            SOS => {
                let (is_progressive, components) = frame?;
                let are_several = is_progressive || *segment.first()? != components;
                return Some(Scans { components, are_several });
            }
            // A frame: its precision, height and width are before the number of its components.
            0xc0..=0xc2 if frame.is_none() => {
                frame = Some((marker == PROGRESSIVE, *segment.get(5)?));
            }
            // Tables and notes.
            0xc4 | 0xdb | 0xdd | 0xe0..=0xef | 0xfe => {}
            _ => return None,
        }
        rest = after.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(frame: u8, in_first_scan: u8) -> Vec<u8> {
        let note = [0xff, 0xe1, 0, 6, 0xff, SOS, 0xff, 0xd9];
        let frame = [0xff, frame, 0, 8, 8, 0, 9, 0, 9, 3];
        let scan = [0xff, SOS, 0, 3, in_first_scan];
        [&[0xff, SOI][..], &note, &frame, &scan].concat()
    }

    #[test]
    fn several_scans_are_kept_whole() {
        assert_eq!(kept_for_a_pixel(&jpeg(0xc0, 3)), 0);
        assert_eq!(kept_for_a_pixel(&jpeg(0xc0, 1)), 6);
        assert_eq!(kept_for_a_pixel(&jpeg(0xc2, 3)), 6);
        assert_eq!(kept_for_a_pixel(&jpeg(0xc9, 3)), 8, "not understood");
        assert_eq!(kept_for_a_pixel(&jpeg(0xc0, 3)[..12]), 8, "incomplete");
    }
}
