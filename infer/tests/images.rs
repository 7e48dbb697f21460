//! The real program on images that are damaged, large, or of other formats.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fails, infer, lacks, stderr, stdout, succeeds};
use image::{ImageFormat, Rgb, RgbImage};

/// A file of the decoder's tests.
fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data/tests/formats")
        .join(name)
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(width, height, Rgb([200, 100, 50]));
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

#[test]
fn damaged_files_with_all_pixels_give_warning() {
    let runs = tempfile::tempdir().unwrap();
    for name in ["no-iend.png", "eoi-replaced-by-garbage.jpg"] {
        let output = infer(runs.path()).arg(case(name)).output().unwrap();
        let text = stderr(&output);
        assert!(output.status.success(), "{text}");
        let warnings: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("warning:") && line.contains(" is used, but "))
            .collect();
        assert_eq!(warnings.len(), 1, "{text}");
        assert!(warnings[0].contains(name), "{text}");
        assert!(warnings[0].contains("all pixels are present"), "{text}");
        assert_eq!(stdout(&output).lines().count(), 6);
    }
    let whole = case("exif-6-after-idat.png");
    let output = infer(runs.path()).arg(whole).output().unwrap();
    lacks(&stderr(&output), &["is used, but"]);
}

#[test]
fn other_formats_are_read_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    // A pixel that is red.
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;";
    let output = succeeds(infer(folder.path()).arg(file("a.gif", gif)));
    lacks(&stderr(&output), &["is used, but"]);
    for (name, content, words) in [
        (
            "photo.avif",
            &b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"[..],
            [
                "is an AVIF image",
                "hint: convert it",
                "magick photo.avif photo.png",
            ],
        ),
        (
            "photo.jpg",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            [
                "is a HEIC or HEIF image",
                "PNG, JPEG, WebP, BMP, GIF or TIFF",
                "magick photo.heic",
            ],
        ),
        (
            "drawing.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            ["is an SVG drawing", "hint:", "drawing.png"],
        ),
    ] {
        let path = file(name, content);
        fails(infer(folder.path()).arg(path), 1, &words);
    }
}

#[test]
fn pixel_count_is_limited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.png");
    fs::write(&path, png(40, 30)).unwrap();
    let with = |limit: &str| {
        let mut command = infer(folder.path());
        command.arg(&path).args(["--max-pixels", limit]);
        command
    };
    assert!(with("1200").status().unwrap().success());
    let words = [
        "image.png",
        "at most 1199 pixels, found 40x30",
        "--max-pixels",
    ];
    fails(&mut with("1199"), 1, &words);
    fails(&mut with("0"), 2, &["--max-pixels"]);
}

/// Runs a command, and returns the most memory in KiB that it had at a time.
#[cfg(target_os = "linux")]
fn peak(command: &mut Command) -> u64 {
    use std::process::Stdio;

    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let ended = child.try_wait().unwrap();
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let found = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(found.unwrap_or(0));
        if let Some(ended) = ended {
            assert!(ended.success());
            return peak;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_independent_of_photo_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.png");
    // 72 MB of pixels each.
    fs::write(&path, png(6000, 4000)).unwrap();
    let peak = |count: usize| peak(infer(folder.path()).args(vec![&path; count]));
    let (one, twelve) = (peak(1), peak(12));
    assert!(one > 72_000, "{one} KiB");
    assert!(twelve < one + 100_000, "{one} KiB, then {twelve} KiB");
}

#[cfg(target_os = "linux")]
#[test]
fn png_profiles_and_texts_are_not_decompressed() {
    use std::io::Write as _;

    let folder = tempfile::tempdir().unwrap();
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..512 {
        packer.write_all(&[0; 1 << 20]).unwrap();
    }
    let packed = packer.finish().unwrap();
    let chunk = |kind: &[u8; 4], head: &[u8]| {
        let content = [&kind[..], head, &packed].concat();
        let mut checksum = flate2::Crc::new();
        checksum.update(&content);
        let length = (content.len() as u32 - 4).to_be_bytes();
        [&length[..], &content, &checksum.sum().to_be_bytes()].concat()
    };
    let image = png(30, 30);
    let (head, rest) = image.split_at(8 + 25);
    let chunks = [
        chunk(b"iCCP", b"profile\0\0"),
        chunk(b"zTXt", b"Comment\0\0"),
    ]
    .concat();
    let path = folder.path().join("image.png");
    fs::write(&path, [head, &chunks, rest].concat()).unwrap();
    let peak = peak(infer(folder.path()).arg(&path));
    assert!(peak < 400_000, "{peak} KiB");
}
