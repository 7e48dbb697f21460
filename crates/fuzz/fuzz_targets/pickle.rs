//! The pickle of an archive, with the checksum that it needs to be looked at, beside eight storages.

#![no_main]

use libfuzzer_sys::fuzz_target;

/// As many bytes as the largest storage of the seeds.
const STORAGE: [u8; 256] = [0x3c; 256];

fuzz_target!(|pickle: &[u8]| {
    let mut archive = Archive::default();
    archive.add("archive/data.pkl", pickle);
    for storage in 0..8 {
        archive.add(&format!("archive/data/{storage}"), &STORAGE);
    }
    archive.add("archive/version", b"3\n");
    resnet_fuzz::tensors::check(&archive.finish());
});

/// A zip archive of members that are not packed.
#[derive(Default)]
struct Archive {
    file: Vec<u8>,
    directory: Vec<u8>,
    members: u16,
}

impl Archive {
    fn add(&mut self, name: &str, content: &[u8]) {
        let offset = self.file.len() as u32;
        let size = (content.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // version, flags, method, time
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend([size, size].concat());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]); // nothing extra
        self.file.extend(b"PK\x03\x04");
        self.file.extend(&common);
        self.file.extend(name.as_bytes());
        self.file.extend(content);
        self.directory.extend(b"PK\x01\x02\x14\0");
        self.directory.extend(&common);
        self.directory.extend([0; 10]); // comment, disk, attributes
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.members += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let start = (self.file.len() as u32).to_le_bytes();
        let size = (self.directory.len() as u32).to_le_bytes();
        let members = self.members.to_le_bytes();
        self.file.extend(&self.directory);
        self.file.extend(b"PK\x05\x06\0\0\0\0");
        self.file.extend([members, members].concat());
        self.file.extend([size, start].concat());
        self.file.extend([0, 0]);
        self.file
    }
}
