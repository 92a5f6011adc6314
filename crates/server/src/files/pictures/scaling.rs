//! Unpacks a picture and scales it down. A file can claim any size and unpack to far more than it has, so its size is read
//! first, and what unpacking it takes is bounded.

use std::fmt;
use std::io::Cursor;

use axum::body::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
};

use super::jpeg;
use crate::process;

/// Maximum number of pixels of a picture that is opened.
const MAX_PIXELS: u64 = 100_000_000;
/// How much memory unpacking a picture may take, in bytes: 100 megapixels with transparency fit. Only one is unpacked at a
/// time.
pub(super) const MEMORY: u64 = 400 * 1024 * 1024;
/// If the address space of the process is limited, the part of it that unpacking a picture may take.
const PART_OF_LIMITED: u64 = 8;
/// The quality of the JPEG, of 100.
const QUALITY: u8 = 80;

/// Why there is no smaller copy of a picture.
#[derive(Debug)]
pub(super) enum Unscaled {
    /// It has too many pixels.
    TooManyPixels,
    /// Unpacking it takes more memory than this process may use for it.
    TooLargeForMemory,
    /// It is broken, or of an unusual form.
    Broken(ImageError),
}

impl fmt::Display for Unscaled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyPixels => formatter.write_str("it has too many pixels"),
            Self::TooLargeForMemory => formatter.write_str("it takes too much memory"),
            Self::Broken(error) => error.fmt(formatter),
        }
    }
}

impl From<ImageError> for Unscaled {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLargeForMemory,
            error => Self::Broken(error),
        }
    }
}

/// How much memory unpacking a picture may take in this process. An allocation that fails ends the process.
pub(super) fn memory() -> u64 {
    process::address_space().map_or(MEMORY, |limit| (limit / PART_OF_LIMITED).min(MEMORY))
}

/// A picture as JPEG, upright, at most `side` pixels wide and high, and without anything else of the original.
pub(super) fn scaled(
    content: Bytes,
    format: ImageFormat,
    side: u32,
    memory: u64,
) -> Result<Vec<u8>, Unscaled> {
    let kept = match format {
        ImageFormat::Jpeg => jpeg::kept_for_a_pixel(&content),
        // The frame, the canvas, and transparency on its own.
        ImageFormat::WebP => 12,
        // The frame, beside the canvas.
        ImageFormat::Gif => 4,
        _ => 0,
    };
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(memory);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(Unscaled::TooManyPixels);
    }
    if decoder.total_bytes().saturating_add(pixels * kept) > memory {
        return Err(Unscaled::TooLargeForMemory);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let unpacked = DynamicImage::from_decoder(decoder)?;
    let mut small =
        if width > side || height > side { unpacked.thumbnail(side, side) } else { unpacked };
    small.apply_orientation(orientation);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&opaque(small))?;
    Ok(jpeg)
}

/// The picture on white, because a JPEG has no transparency.
fn opaque(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let on_white = |colour: u8| {
            let alpha = u16::from(alpha);
            let mixed = (u16::from(colour) * alpha + 255 * (255 - alpha)) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Rgb([on_white(red), on_white(green), on_white(blue)])
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageEncoder, Rgba, RgbaImage};

    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Bytes {
        let mut encoded = Cursor::new(Vec::new());
        picture.write_to(&mut encoded, format).expect("encoded");
        encoded.into_inner().into()
    }

    fn decoded(jpeg: &[u8]) -> RgbImage {
        image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).expect("a JPEG").into_rgb8()
    }

    #[test]
    fn pictures_of_every_format_are_scaled_to_their_longest_side() {
        let rgb = DynamicImage::from(RgbImage::from_pixel(900, 300, Rgb([200, 40, 40])));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
            let small =
                decoded(&scaled(encoded(&rgb, format), format, 320, MEMORY).expect("scaled"));
            assert_eq!(small.dimensions(), (320, 107), "{format:?}");
            let Rgb([red, green, _]) = *small.get_pixel(160, 50);
            assert!(red.abs_diff(200) < 8 && green.abs_diff(40) < 8, "{format:?}");
        }
        let tiny = DynamicImage::from(RgbImage::new(3, 2));
        let small = scaled(encoded(&tiny, ImageFormat::Png), ImageFormat::Png, 320, MEMORY);
        assert_eq!(decoded(&small.expect("scaled")).dimensions(), (3, 2), "never larger");
    }

    #[test]
    fn what_is_transparent_is_white() {
        let clear = DynamicImage::from(RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0])));
        let small = scaled(encoded(&clear, ImageFormat::Png), ImageFormat::Png, 320, MEMORY);
        assert_eq!(decoded(&small.expect("scaled")).get_pixel(4, 4), &Rgb([255, 255, 255]));
    }

    #[test]
    fn what_takes_too_much_memory_is_not_unpacked() {
        let grey = DynamicImage::new_luma8(1_000, 1_000);
        let png = encoded(&grey, ImageFormat::Png);
        for (memory, is_scaled) in [(1_000_000, true), (999_999, false)] {
            let scaled = scaled(png.clone(), ImageFormat::Png, 320, memory);
            assert_eq!(scaled.is_ok(), is_scaled, "{memory}");
        }
        let webp = encoded(&DynamicImage::new_rgb8(100, 100), ImageFormat::WebP);
        let refused = scaled(webp, ImageFormat::WebP, 320, 149_999);
        assert!(matches!(refused, Err(Unscaled::TooLargeForMemory)), "{refused:?}");
    }

    #[test]
    fn what_is_broken_is_refused() {
        let whole = encoded(&DynamicImage::new_rgb8(300, 300), ImageFormat::Png);
        for content in [whole.slice(..40), whole.slice(..whole.len() / 2), Bytes::new()] {
            let refused = scaled(content, ImageFormat::Png, 320, MEMORY);
            assert!(matches!(refused, Err(Unscaled::Broken(_))), "{refused:?}");
        }
    }

    #[test]
    fn a_picture_is_turned_as_its_exif_says() {
        let mut wide = RgbImage::new(40, 20);
        wide.put_pixel(0, 0, Rgb([255, 255, 255]));
        let mut png = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
        // Little-endian TIFF with one entry: the orientation, a short, 6.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        encoder.set_exif_metadata(exif).expect("it takes that");
        encoder.write_image(&wide, 40, 20, image::ExtendedColorType::Rgb8).expect("encoded");
        let small = decoded(&scaled(png.into(), ImageFormat::Png, 320, MEMORY).expect("scaled"));
        assert_eq!(small.dimensions(), (20, 40));
    }
}
