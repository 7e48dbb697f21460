//! What `torch.save` writes: zip archives, and the format before.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    resnet_fuzz::tensors::check(content);
});
