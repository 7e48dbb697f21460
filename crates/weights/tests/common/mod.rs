//! Files made in a test, byte by byte.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A zip archive of entries as they are.
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in entries {
        writer.start_file(*name, stored).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file as `torch.save` writes it, of a pickle made here and of storages 0, 1, …
pub fn file(pickle: &[u8], storages: &[&[u8]]) -> Vec<u8> {
    let names: Vec<String> = (0..storages.len())
        .map(|key| format!("a/data/{key}"))
        .collect();
    let storages = names
        .iter()
        .map(String::as_str)
        .zip(storages.iter().copied());
    let entries: Vec<(&str, &[u8])> = std::iter::once(("a/data.pkl", pickle))
        .chain(storages)
        .collect();
    archive(&entries)
}

/// The pickle of a tensor of float32 in storage 0, in the opcodes of protocol 0, which can be read.
/// `sizes` and the others are opcodes that push what their names say.
pub fn tensor(elements: &str, offset: &str, sizes: &str, strides: &str) -> String {
    format!(
        "ctorch._utils\n_rebuild_tensor_v2\n(\
         (Vstorage\nctorch\nFloatStorage\nV0\nVcpu\n{elements}tQ\
         {offset}{sizes}{strides}I00\nNtR"
    )
}
