//! Records of networks, as checkpoints hold them.

use burn::module::Module;
use burn::record::{FullPrecisionSettings, Record};
use burn::tensor::{Distribution, Tensor};
use burn_flex::Flex;
use model::{Network, NetworkConfig};
use serde_json::Value;

/// What records have held only since there are deep stems, average pools and pre-activation.
const ADDED: [&str; 5] = ["deep", "average_pool", "pre_activation", "relu", "norm"];

fn remove_added(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| !(value.is_null() && ADDED.contains(&key.as_str())));
            map.values_mut().for_each(remove_added);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_added),
        _ => {}
    }
}

#[test]
fn old_record_loads() {
    type Item<B> = <<Network<B> as Module<B>>::Record as Record<B>>::Item<FullPrecisionSettings>;
    let device = Default::default();
    let config = NetworkConfig::named("resnet8").unwrap();
    let original = config.init::<Flex>(&device).unwrap();
    let item: Item<Flex> = original.clone().into_record().into_item();
    let mut written = serde_json::to_value(&item).unwrap();
    let whole = written.clone();
    remove_added(&mut written);
    assert_ne!(written, whole);

    let item: Item<Flex> = serde_json::from_value(written).unwrap();
    let copy = config.init::<Flex>(&device).unwrap();
    let copy = copy.load_record(Record::from_item::<FullPrecisionSettings>(item, &device));

    let images = Tensor::random([2, 3, 16, 16], Distribution::Default, &device);
    let expected = original.forward(images.clone()).into_data();
    copy.forward(images).into_data().assert_eq(&expected, true);
}
