//! safetensors, as the header's JSON and as a whole file.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    resnet_fuzz::tensors::check(content);
    // With the right length before the header, which changes with every byte that is put in.
    if let Some(end) = content.iter().rposition(|&byte| byte == b'}') {
        let (header, data) = content.split_at(end + 1);
        let length = (header.len() as u64).to_le_bytes();
        resnet_fuzz::tensors::check(&[&length, header, data].concat());
    }
});
