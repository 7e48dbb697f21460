//! Images of any format: size and orientation are those of the header, whatever else is in the file.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    resnet_fuzz::decode(content);
});
