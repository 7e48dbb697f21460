//! Identifies files without readable weights and suggests fixes.

use crate::safetensors::LENGTH_BYTES;

/// Description of the file and a fix.
type Look = (&'static str, Option<&'static str>);

const ONNX: Look = (
    "an ONNX file, which holds a graph of operations",
    Some(
        "use the file of weights that it was exported from, or save that network's state dict in \
         PyTorch: torch.save(network.state_dict(), PATH)",
    ),
);
const TENSORFLOW: &str = "in Python, load the network, copy its weights into the same network in PyTorch \
                          and save that: torch.save(network.state_dict(), PATH)";
const UNPACK: &str = "unpack it and name the file in it";
const INDEX: &str =
    "name the folder with the shards, or the file model.safetensors.index.json in it";

/// Identifies common files without weights by their first bytes.
pub(crate) fn looks_like(bytes: &[u8]) -> Look {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let text = bytes.trim_ascii_start();
    if bytes.is_empty() {
        (
            "an empty file",
            Some("copy the file again from where it was published"),
        )
    } else if starts(b"version https://git-lfs") {
        (
            "a Git LFS pointer, which stands for a file that was not downloaded",
            Some("in its repository, run `git lfs pull`"),
        )
    } else if text.starts_with(b"<") {
        (
            "a web page",
            Some("download the file itself, not the page about it"),
        )
    } else if text.starts_with(b"{") || text.starts_with(b"[") {
        match contains(bytes, b"\"weight_map\"") || contains(bytes, b"\"total_size\"") {
            true => ("an index of shards", Some(INDEX)),
            false => (
                "a JSON file",
                Some("name the file of weights next to it, or their folder"),
            ),
        }
    } else if starts(b"GGUF") || starts(b"GGML") || starts(b"lmgg") || starts(b"tjgg") {
        (
            "a GGUF file, which holds quantized weights for llama.cpp",
            Some("use the safetensors or PyTorch file that it was made from"),
        )
    } else if starts(b"\x89HDF") {
        ("an HDF5 file, as Keras writes it", Some(TENSORFLOW))
    } else if bytes.get(4..8) == Some(b"TFL3") {
        ("a TensorFlow Lite file", Some(TENSORFLOW))
    } else if is_onnx(bytes) {
        ONNX
    } else if is_saved_model(bytes) {
        ("a TensorFlow SavedModel", Some(TENSORFLOW))
    } else if is_msgpack(bytes) {
        (
            "a msgpack file, as Flax writes it",
            Some("in transformers, load it with from_flax=True and save it with save_pretrained"),
        )
    } else if starts(b"\x93NUMPY") {
        (
            "a NumPy array",
            Some("save the whole network in PyTorch: torch.save(network.state_dict(), PATH)"),
        )
    } else if starts(&[0x1f, 0x8b]) {
        ("a gzip file, which must be unpacked first", Some(UNPACK))
    } else if starts(b"\xfd7zXZ") || starts(b"BZh") || starts(b"\x28\xb5\x2f\xfd") {
        (
            "a compressed file, which must be unpacked first",
            Some(UNPACK),
        )
    } else if starts(b"7z\xbc\xaf\x27\x1c") || starts(b"Rar!") {
        ("an archive, which must be unpacked first", Some(UNPACK))
    } else if bytes.get(257..262) == Some(b"ustar") {
        ("a tar archive", Some(UNPACK))
    } else if starts(b"\x89PNG") || starts(b"\xff\xd8\xff") || starts(b"GIF8") {
        ("an image", None)
    } else if bytes.len() <= LENGTH_BYTES {
        (
            "the first bytes of a file that was cut off",
            Some("copy the file again from where it was published"),
        )
    } else {
        ("something else", None)
    }
}

/// Like [`looks_like`], for a zip archive without the pickle of `torch.save`, by its entries.
pub(crate) fn archive_looks_like<'n>(names: impl Iterator<Item = &'n str>) -> Look {
    let names: Vec<&str> = names.collect();
    let any = |test: fn(&str) -> bool| names.iter().any(|name| test(name));
    if any(|name| name.ends_with(".weights.h5")) {
        ("it is a Keras file", Some(TENSORFLOW))
    } else if any(|name| name.ends_with("archive_format") || name.ends_with("model.json")) {
        (
            "it is a program of torch.export",
            Some("save its state dict: torch.save(torch.export.load(PATH).state_dict, NEW_PATH)"),
        )
    } else if !names.is_empty() && !any(|name| !name.ends_with(".npy")) {
        (
            "it is a NumPy archive",
            Some("save the network in PyTorch: torch.save(network.state_dict(), PATH)"),
        )
    } else if any(is_weights) {
        ("the weights are packed in it", Some(UNPACK))
    } else {
        ("it has no data.pkl", None)
    }
}

fn is_weights(name: &str) -> bool {
    [".pth", ".pt", ".bin", ".ckpt", ".safetensors"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Detects a protocol buffer that starts with its version (field 1), 2 or later, followed by
/// another field of a `ModelProto`: the producer's name or version, the domain, the graph, or the
/// operator sets.
fn is_onnx(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [
            0x08,
            2..=32,
            0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42,
            ..
        ]
    )
}

/// Detects schema version 1, followed by a graph with its description, as at the start of
/// `saved_model.pb`.
fn is_saved_model(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x08, 0x01, 0x12])
}

/// Detects a map whose first key is text.
fn is_msgpack(bytes: &[u8]) -> bool {
    match bytes {
        [0x81..=0x8f, key, ..] | [0xde, _, _, key, ..] => matches!(key, 0xa1..=0xbf | 0xd9),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WeightsFile;

    #[test]
    fn other_file_formats_are_named() {
        let mut tar = vec![b'x'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, expected) in [
            (b"".as_slice(), "an empty file"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS"),
            (b"\n<!DOCTYPE html>", "a web page"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (b"PK", "the first bytes"),
            (b"\x89HDF\r\n", "an HDF5"),
            (b"backend = flex", "something else"),
            (b"GGUF\x03\0\0\0", "a GGUF file"),
            (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0", "an ONNX file"),
            (
                b"\x08\x01\x12\x9e\x01\x0a\x05serve",
                "a TensorFlow SavedModel",
            ),
            (b"\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite"),
            (
                b"{\"metadata\": {}, \"weight_map\": {}}",
                "an index of shards",
            ),
            (b"{\"architectures\": []}", "a JSON file"),
            (b"\x82\xa6params\x81", "a msgpack file"),
            (b"\x93NUMPY\x01\0v\0", "a NumPy array"),
            (&tar, "a tar archive"),
        ] {
            let error = WeightsFile::from_bytes(bytes).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            let without_way_out = expected == "something else";
            assert_eq!(error.hint().is_none(), without_way_out, "{error}");
        }
    }

    #[test]
    fn archives_are_named_by_their_entries() {
        for (names, expected) in [
            (["config.json", "model.weights.h5"], "a Keras file"),
            (["a/archive_format", "a/models/model.json"], "torch.export"),
            (["x.npy", "y.npy"], "a NumPy archive"),
            (["a/readme.txt", "a/resnet18.pth"], "packed in it"),
            (["a.txt", "b.txt"], "no data.pkl"),
        ] {
            let (reason, _) = archive_looks_like(names.into_iter());
            assert!(reason.contains(expected), "{reason}");
        }
    }
}
