//! Smaller copies of the pictures on notes, and files as resources of MCP.

use std::io::Cursor;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::call::scope::Scope;

use crate::files::{Files, url};
use crate::http::{self, Reply};
use crate::people::{self, Browser};

/// A text in the metadata of a photo.
const SECRET: &[u8] = b"51.0504N 114.0853W at home";

/// A picture that is 640 pixels wide and 480 high, with a red corner at its upper left.
fn corner() -> RgbImage {
    RgbImage::from_fn(640, 480, |x, y| {
        if x < 100 && y < 100 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) }
    })
}

/// A photo as a phone takes it: with its orientation and its place in its EXIF.
fn photo(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0");
    exif.extend([orientation, 0, 0]);
    exif.extend(b"\x01\x0e\0\x02\0\0\0");
    exif.push(u8::try_from(SECRET.len()).expect("short"));
    exif.extend(b"\0\0\0\x26\0\0\0\0");
    exif.extend(SECRET);
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 90);
    encoder.set_exif_metadata(exif).expect("it takes that");
    encoder.write_image(&corner(), 640, 480, image::ExtendedColorType::Rgb8).expect("a JPEG");
    assert!(contains(&jpeg, SECRET), "the photo has its place");
    jpeg
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut encoded = Cursor::new(Vec::new());
    picture.write_to(&mut encoded, format).expect("encoded");
    encoded.into_inner()
}

fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).expect("a JPEG").into_rgb8()
}

/// A PNG that says it is this large, and has nothing else.
fn claim(side: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let header =
        [&b"IHDR"[..], &side.to_be_bytes(), &side.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    for chunk in [&header[..], b"IDAT", b"IEND"] {
        png.extend(u32::try_from(chunk.len() - 4).expect("short").to_be_bytes());
        png.extend(chunk);
        png.extend(crc(chunk).to_be_bytes());
    }
    png
}

/// The checksum of a chunk of a PNG.
fn crc(chunk: &[u8]) -> u32 {
    let shifted = |it: u32, _| if it & 1 == 1 { (it >> 1) ^ 0xedb8_8320 } else { it >> 1 };
    !chunk.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), shifted))
}

fn thumbnail(attachment: &Value) -> String {
    format!("{}/thumbnail", url(attachment))
}

impl Files {
    fn small(&self) -> Vec<PathBuf> {
        let mut stored = self.stored();
        stored.retain(|path| path.to_string_lossy().ends_with(".320.jpg"));
        stored
    }
}

fn unknown(files: &Files) -> (u16, Vec<(String, String)>, String) {
    let unknown = plain(files.get("/no-such-address", &[]));
    assert_eq!(unknown.0, 404);
    unknown
}

fn plain(reply: Reply) -> (u16, Vec<(String, String)>, String) {
    let headers = reply.headers.into_iter().filter(|(name, _)| name != "date").collect();
    (reply.status, headers, reply.body)
}

#[both]
fn a_photo_has_an_upright_thumbnail_without_its_metadata() {
    let files = Files::start();
    for (orientation, size, corner) in [
        (1, (320, 240), (10, 10)),
        (3, (320, 240), (310, 230)),
        (6, (240, 320), (230, 10)),
        (8, (240, 320), (10, 310)),
    ] {
        let added = files.added("gate.jpg", &photo(orientation));
        let sent = files.get(&thumbnail(&added), &[]);
        assert_eq!(sent.status, 200, "{sent:?}");
        assert!(!contains(&sent.picture, SECRET) && !contains(&sent.picture, b"Exif"));
        let small = decoded(&sent.picture);
        assert_eq!(small.dimensions(), size, "{orientation}");
        let Rgb([red, _, blue]) = *small.get_pixel(corner.0, corner.1);
        assert!(red > 200 && blue < 50, "{orientation}: the corner is not at {corner:?}");
    }
}

#[both]
fn a_thumbnail_is_sent_like_its_file() {
    let files = Files::start();
    let added = files.added("Gate \u{1f3e1}.png", &encoded(&corner().into(), ImageFormat::Png));
    assert_eq!(files.small(), Vec::<PathBuf>::new(), "an upload does not wait for it");
    let sent = files.get(&thumbnail(&added), &[]);
    let disposition = "inline; filename=\"Gate _.jpg\"; filename*=UTF-8''Gate%20%F0%9F%8F%A1.jpg";
    for (name, value) in [
        ("content-type", "image/jpeg"),
        ("content-disposition", disposition),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
        ("cross-origin-resource-policy", "same-origin"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(sent.header(name), Some(value), "{name}");
    }
    let tag = sent.header("etag").expect("a tag").to_owned();
    let whole = files.get(url(&added), &[("If-None-Match", &tag)]);
    assert_eq!(whole.status, 200, "the file has another tag");
    let known = files.get(&thumbnail(&added), &[("If-None-Match", &tag)]);
    assert_eq!((known.status, known.header("etag")), (304, Some(tag.as_str())));
    let part = files.get(&thumbnail(&added), &[("Range", "bytes=2-5"), ("If-Range", &tag)]);
    assert_eq!((part.status, &part.picture[..]), (206, &sent.picture[2..6]));

    // It is made once.
    let [kept] = &files.small()[..] else { panic!("{:?}", files.stored()) };
    assert_eq!(std::fs::read(kept).expect("kept"), sent.picture);
    std::fs::write(kept, b"kept").expect("written");
    assert_eq!(files.get(&thumbnail(&added), &[]).picture, b"kept");
    let logged = files.server.log.requests();
    assert!(logged.iter().any(|line| line["tool"] == "files/thumbnail"), "{logged:?}");
}

#[both]
fn a_thumbnail_that_one_may_not_see_is_as_unknown_as_any_address() {
    let files = Files::start();
    let (server, unknown) = (&files.server, unknown(&files));
    let picture = encoded(&corner().into(), ImageFormat::WebP);
    let (kept, removed) = (files.added("a.webp", &picture), files.added("b.webp", &picture));
    for file in [&kept, &removed] {
        assert_eq!(files.get(&thumbnail(file), &[]).status, 200);
    }
    let (is_error, _) = server.call("notes.remove_file", json!({ "id": removed["id"] })).tool();
    assert!(!is_error);
    let draft = json!({ "body": "Mine.", "draft": true });
    let draft = server.env.create(&server.business.tech, "notes.create", draft);
    let hidden =
        server.env.add_file(&server.business.tech, &draft, "mine.gif", b"GIF89a\x01\0\x01\0");
    let hidden = format!("/files/{}/thumbnail", hidden.expect("a file").id);
    let text = files.added("a.txt", b"The code is 4711.");
    let heic = files.added("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic and more of it");
    for path in [
        &thumbnail(&removed),
        &thumbnail(&text),
        &thumbnail(&heic),
        &hidden,
        &format!("/files/{}/thumbnail", files.note),
        "/files/none/thumbnail",
        "/files/%ff/thumbnail",
    ] {
        assert_eq!(plain(files.get(path, &[])), unknown, "{path}");
    }
    let other = format!("Bearer {}", server.env.empty_business("Other").owner_key);
    let ask = |headers: &[(&str, &str)]| {
        http::request(server.public, "GET", &thumbnail(&kept), headers, b"")
    };
    assert_eq!(plain(ask(&[("Authorization", &other)])), unknown);
    assert_eq!(ask(&[]).status, 401);
    let mut browser = Browser::new(server);
    let next = thumbnail(&kept);
    let fields = [("email", people::OWNER), ("password", people::PASSWORD), ("next", &next)];
    assert_eq!(browser.post("/sign-in", &fields).header("location"), Some(&*next));
    assert_eq!(decoded(&browser.get(&next).picture).dimensions(), (320, 240));

    server.call("notes.archive", json!({ "id": files.note })).tool();
    let (of_file, of_thumbnail) = (files.get(url(&kept), &[]), files.get(&next, &[]));
    assert_eq!(of_file.status, of_thumbnail.status, "a thumbnail is as visible as its file");
}

/// The most memory that this process had since it was asked last, in KiB.
#[cfg(target_os = "linux")]
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    let peak = line.trim().trim_end_matches(" kB").parse().expect("a number");
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak starts again");
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn what_would_unpack_to_more_than_100_megapixels_is_not_opened() {
    let files = Files::start();
    let unknown = unknown(&files);
    let large = DynamicImage::new_luma8(10_001, 10_000);
    let real = encoded(&large, ImageFormat::Png);
    drop(large);
    assert!(real.len() < 2_000_000, "it is small: {}", real.len());
    let bombs = [files.added("claim.png", &claim(20_000)), files.added("real.png", &real)];
    peak_kib();
    let before = peak_kib();
    for bomb in &bombs {
        let asked = Instant::now();
        assert_eq!(plain(files.get(&thumbnail(bomb), &[])), unknown);
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
    let grown = peak_kib().saturating_sub(before);
    assert!(grown < 50 * 1024, "it took {grown} KiB");
    // It is tried once: what is kept says that there is none.
    let kept = files.small();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|path| path.metadata().expect("kept").len() == 0));
}

#[test]
fn a_broken_picture_has_no_thumbnail_and_breaks_nothing() {
    let files = Files::start();
    let unknown = unknown(&files);
    let whole = photo(1);
    let broken = [
        files.added("a.jpg", &whole[..200]),
        files.added("b.png", &encoded(&corner().into(), ImageFormat::Png)[..60]),
        files.added("c.gif", b"GIF89a\x10\0\x10\0\0\0\0;0123456789"),
        files
            .added("d.webp", b"RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\x30\x01\0\x9d\x01\x2a\x10\0\x10\0"),
        files.added("e.png", &claim(5)),
    ];
    for file in &broken {
        assert_eq!(plain(files.get(&thumbnail(file), &[])), unknown, "{file}");
        assert_eq!(files.get(url(file), &[]).status, 200, "the file itself is sent");
    }
    let fine = files.added("f.jpg", &whole);
    assert_eq!(files.get(&thumbnail(&fine), &[]).status, 200);
}

impl Files {
    fn read(&self, key: &str, id: &Value) -> Reply {
        let uri = format!("zoop://files/{}", id.as_str().expect("an id"));
        self.server.ask(key, "/api/mcp", "resources/read", json!({ "uri": uri }))
    }
}

/// What a resource has.
fn contents(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["result"]["contents"][0].clone()
}

fn blob(contents: &Value) -> Vec<u8> {
    STANDARD.decode(contents["blob"].as_str().expect("a blob")).expect("base64")
}

#[both]
fn a_model_reads_a_file_as_a_resource() {
    let files = Files::start();
    let key = files.server.business.owner_key.clone();
    let wide = RgbImage::from_pixel(2_000, 1_000, Rgb([0, 90, 0]));
    let photo = files.added("gate.png", &encoded(&wide.into(), ImageFormat::Png));
    let read = contents(&files.read(&key, &photo["id"]));
    assert_eq!(read["uri"], format!("zoop://files/{}", photo["id"].as_str().expect("an id")));
    assert_eq!((&read["mimeType"], &read["text"]), (&json!("image/jpeg"), &Value::Null));
    assert_eq!(decoded(&blob(&read)).dimensions(), (1_568, 784));

    let text = "Code: 4711 \u{1f511}\u{2028}";
    let added = files.added("code.txt", text.as_bytes());
    let read = contents(&files.read(&key, &added["id"]));
    assert_eq!((&read["mimeType"], &read["text"]), (&json!("text/plain"), &json!(text)));

    let plan = b"%PDF-1.4\n1 0 obj\n\xff\n%%EOF\n";
    let added = files.added("plan.pdf", plan);
    let read = contents(&files.read(&key, &added["id"]));
    assert_eq!(read["mimeType"], "application/pdf");
    assert_eq!(blob(&read), plan);

    let long = files.added("long.txt", &vec![b'a'; (1 << 20) + 1]);
    let broken = files.added("broken.gif", b"GIF89a\x10\0\x10\0\0\0\0;0123456789");
    for (file, why) in [(&long, "longer than 1 MiB"), (&broken, "broken")] {
        let refused = files.read(&key, &file["id"]);
        assert_eq!((refused.status, refused.code()), (200, Some(-32602)), "{refused:?}");
        assert!(refused.body.contains(why), "{refused:?}");
        assert!(refused.body.contains(&format!("open {}", url(file))), "{refused:?}");
    }
    let most = files.added("most.txt", &vec![b'a'; 1 << 20]);
    let read = contents(&files.read(&key, &most["id"]));
    assert_eq!(read["text"].as_str().expect("text").len(), 1 << 20);
    let logged = files.server.log.requests();
    assert!(logged.iter().any(|line| line["tool"] == "resources/read"), "{logged:?}");
}

#[both]
fn a_file_that_one_may_not_read_is_an_unknown_resource() {
    let files = Files::start();
    let server = &files.server;
    let (kept, removed) = (files.added("a.txt", b"Kept."), files.added("b.txt", b"Removed."));
    server.call("notes.remove_file", json!({ "id": removed["id"] })).tool();
    let draft = json!({ "body": "Mine.", "draft": true });
    let draft = server.env.create(&server.business.tech, "notes.create", draft);
    let hidden = server.env.add_file(&server.business.tech, &draft, "mine.txt", b"Mine.");
    let other = server.env.empty_business("Other");
    for (key, id) in [
        (&other.owner_key, &kept["id"]),
        (&server.business.owner_key, &removed["id"]),
        (&server.business.owner_key, &json!(hidden.expect("a file").id)),
        (&server.business.owner_key, &json!(files.note)),
        (&server.business.owner_key, &json!("none")),
    ] {
        let reply = files.read(key, id);
        assert_eq!((reply.status, reply.code()), (200, Some(-32602)), "{reply:?}");
        assert_eq!(reply.json()["error"]["message"], "Resource not found");
    }
    let uri = format!("zoop://files/{}", removed["id"].as_str().expect("an id"));
    let modern = server.modern("resources/read", json!({ "uri": uri }), &[]);
    assert_eq!((modern.status, modern.code()), (400, Some(-32602)), "{modern:?}");

    let customers = server.key(&[Scope::ReadCustomers], true);
    let reply = files.read(&customers, &kept["id"]);
    assert_eq!((reply.status, reply.code()), (200, Some(-32602)), "{reply:?}");
    assert!(reply.body.contains("read:notes"), "{reply:?}");
    let uri = json!({ "uri": format!("zoop://files/{}", kept["id"].as_str().expect("an id")) });
    let key = &server.business.owner_key;
    let narrow = server.ask(key, "/api/mcp?toolsets=customers", "resources/read", uri);
    assert_eq!(narrow.json()["error"]["message"], "Resource not found");
}
