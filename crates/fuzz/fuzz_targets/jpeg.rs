//! JPEG files: the decoder is this project's own.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|content: &[u8]| -> Corpus {
    // Other formats belong to `image`.
    if !content.starts_with(&[0xff, 0xd8, 0xff]) {
        return Corpus::Reject;
    }
    resnet_fuzz::decode(content);
    Corpus::Keep
});
