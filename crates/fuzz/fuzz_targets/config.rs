//! A run's config: what is accepted can be written and read again, and describes a network or says why not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use resnet_fuzz::Scratch;
use train::TrainConfig;

fuzz_target!(|text: &[u8]| {
    let file = Scratch::file();
    file.write(text);
    let config = match TrainConfig::read(file.path()) {
        Ok(config) => config,
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains('\n'), "{message}");
            return;
        }
    };
    let written = toml::to_string(&config).expect("what was accepted can be written");
    file.write(written.as_bytes());
    let again = TrainConfig::read(file.path()).expect("what was written is accepted");
    assert!(again == config, "it became another config: {written}");
    for side in [28, 32, 224] {
        let _ = config.network(3, [side, side], 10);
    }
});
