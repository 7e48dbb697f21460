//! Lists the tensors in a record before Burn reads it.
//!
//! Burn trusts its records: a tensor with fewer bytes than its shape needs, or a name that is not a parameter's id,
//! ends the program. The file is therefore parsed once without Burn, and accepted only if each tensor is complete and
//! has the shape that the network expects.

use std::collections::HashMap;
use std::fmt;

use burn::module::ParamId;
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder, RecorderError};
use burn::tensor::backend::Backend;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// Number of letters in a parameter's id.
const ID_LETTERS: usize = 13;
/// Maximum depth of nested maps; a network's record has about ten levels.
const MAX_DEPTH: usize = 64;
const VALUE_BYTES: u64 = size_of::<f32>() as u64;

/// The tensors of a record.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Path and shape of each tensor, in file order.
    tensors: Vec<(String, Vec<u64>)>,
    /// Shapes of a network's parameters by id.
    parameters: HashMap<String, Vec<u64>>,
    /// Keys of the record's top-level map: in an optimizer's record, the ids of parameters.
    keys: Vec<String>,
}

impl Outline {
    /// Creates the outline of a record as Burn writes it.
    pub(super) fn of<B: Backend, R: Record<B>>(record: R) -> Result<Self, String> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        let bytes = Recorder::<B>::record(&recorder, record, ())
            .map_err(|error: RecorderError| error.to_string())?;
        Self::read(&bytes)
    }

    /// Creates the outline of a record file. The error says what is wrong with the file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
        deserializer.set_max_depth(MAX_DEPTH);
        let record = Node::deserialize(&mut deserializer)
            .map_err(|_| "its tensors cannot be read".to_owned())?;
        let mut outline = Self::default();
        if let Some(Node::Map(entries)) = record.get("item") {
            outline.keys = entries.iter().map(|(key, _)| (*key).to_owned()).collect();
        }
        outline.collect("", &record, None)?;
        Ok(outline)
    }

    /// Checks that two network records hold tensors of the same paths and shapes, whatever their values and ids.
    pub(super) fn check_same(&self, network: &Self) -> Result<(), String> {
        let differs = self
            .tensors
            .iter()
            .zip(&network.tensors)
            .find(|(tensor, expected)| tensor != expected);
        match differs {
            Some(((path, _), _)) => Err(format!("{path} is not a tensor of the network")),
            None if self.tensors.len() != network.tensors.len() => {
                Err("it does not have the network's tensors".to_owned())
            }
            None => Ok(()),
        }
    }

    /// Checks that an optimizer's state belongs to a network's parameters.
    pub(super) fn check_moments(&self, network: &Self) -> Result<(), String> {
        let is_known = |id: &String| network.parameters.contains_key(id);
        if let Some(id) = self.keys.iter().find(|id| !is_known(id)) {
            return Err(format!("{id} is not a parameter of the network"));
        }
        let differs = self.tensors.iter().find(|(path, shape)| {
            let id = path.split('.').nth(1).unwrap_or_default();
            network.parameters.get(id) != Some(shape)
        });
        match differs {
            Some((path, _)) => Err(format!("{path} does not have its parameter's shape")),
            None => Ok(()),
        }
    }

    /// Collects all tensors below a node. Burn's data types can also be read from lists, and from maps that number
    /// their keys, but Burn writes neither.
    fn collect(&mut self, path: &str, node: &Node, rank: Option<usize>) -> Result<(), String> {
        match node {
            Node::Map(_) if node.get("bytes").is_some() => {
                let shape = node.tensor(rank);
                let shape = shape.ok_or_else(|| format!("{path} is not a complete tensor"))?;
                self.tensors.push((path.to_owned(), shape));
            }
            Node::Map(entries) => {
                for (key, value) in entries {
                    // An optimizer's state names the rank of its tensors.
                    let rank = key
                        .strip_prefix("Rank")
                        .map_or(rank, |rank| rank.parse().ok());
                    self.collect(&join(path, key), value, rank)?;
                }
                if let Some(id) = node.get("id") {
                    let id = id.id().ok_or_else(|| format!("{path} has no valid id"))?;
                    if let Some((_, shape)) = self.tensors.last() {
                        self.parameters.insert(id.to_owned(), shape.clone());
                    }
                }
            }
            Node::List(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    if !matches!(node, Node::Map(_) | Node::Other) {
                        return Err(format!("{path} is not a list of parts"));
                    }
                    self.collect(&join(path, &index.to_string()), node, rank)?;
                }
            }
            Node::Bytes(_) => return Err(format!("{path} is not a complete tensor")),
            Node::Text(_) | Node::Number(_) | Node::Other => {}
        }
        Ok(())
    }
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

/// A MessagePack value that borrows its texts and bytes from the file.
enum Node<'a> {
    Map(Vec<(&'a str, Node<'a>)>),
    List(Vec<Node<'a>>),
    Text(&'a str),
    Bytes(&'a [u8]),
    Number(u64),
    Other,
}

impl<'a> Node<'a> {
    fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let (_, value) = entries.iter().find(|(name, _)| *name == key)?;
        Some(value)
    }

    /// Returns the shape of a tensor, if the tensor is complete and has the expected rank.
    fn tensor(&self, rank: Option<usize>) -> Option<Vec<u64>> {
        let (Node::Bytes(bytes), Node::List(sizes), Node::Text("F32")) =
            (self.get("bytes")?, self.get("shape")?, self.get("dtype")?)
        else {
            return None;
        };
        let sizes = sizes.iter().map(|size| match size {
            Node::Number(size) => Some(*size),
            _ => None,
        });
        let shape: Vec<u64> = sizes.collect::<Option<_>>()?;
        let values = shape
            .iter()
            .try_fold(VALUE_BYTES, |product, size| product.checked_mul(*size))?;
        let is_whole = values == bytes.len() as u64;
        (is_whole && rank.is_none_or(|rank| rank == shape.len())).then_some(shape)
    }

    fn id(&self) -> Option<&'a str> {
        let Self::Text(id) = *self else {
            return None;
        };
        (id.len() == ID_LETTERS && ParamId::try_deserialize(id).is_some()).then_some(id)
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a value of a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(text))
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Node::Bytes(bytes))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(number).map_or(Node::Other, Node::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Node::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::OptimizerKind;
    use crate::settings::TrainConfig;
    use crate::step::Classifier;
    use crate::step::Optimizer;
    use burn::backend::Autodiff;
    use burn::module::Module as _;
    use burn::optim::{GradientsParams, Optimizer as _};
    use burn::tensor::{Distribution, Tensor};
    use burn_flex::Flex;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    type Train = Autodiff<Flex>;

    fn bytes<R: Record<Train>>(record: R) -> Vec<u8> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        Recorder::<Train>::record(&recorder, record, ()).unwrap()
    }

    /// Returns the records of a network and its optimizer after one step.
    fn records(kind: OptimizerKind) -> [Vec<u8>; 2] {
        let device = Default::default();
        let config = TrainConfig {
            optimizer: kind,
            ..TrainConfig::default()
        };
        let network = model::NetworkConfig::named("digit")
            .unwrap()
            .init(&device)
            .unwrap();
        let mut optimizer: Optimizer<Train> = config.new_optimizer().into();
        let model = Classifier::new(network, &config);
        let images = Tensor::<Train, 4>::random([2, 1, 28, 28], Distribution::Default, &device);
        let gradients = model.network.forward(images).sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        let model = optimizer.step(0.01, model, gradients);
        [bytes(model.into_record()), bytes(optimizer.to_record())]
    }

    /// Runs all checks of a checkpoint's records.
    fn check(model: &[u8], optimizer: &[u8], network: &Outline) -> Result<(), String> {
        let model = Outline::read(model)?;
        model.check_same(network)?;
        Outline::read(optimizer)?.check_moments(&model)
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut windows = bytes.windows(from.len());
        let at = windows.position(|window| window == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    }

    #[test]
    fn records_of_every_optimizer_are_accepted() {
        for kind in OptimizerKind::ALL {
            let [model, optimizer] = records(kind);
            let network = Outline::read(&records(kind)[0]).unwrap();
            assert_eq!(check(&model, &optimizer, &network), Ok(()), "{kind:?}");
            let moments = Outline::read(&optimizer).unwrap().tensors.len();
            assert!(moments > 0, "{kind:?}");
        }
    }

    #[test]
    fn records_that_crash_burn_are_rejected() {
        let [model, optimizer] = records(OptimizerKind::AdamW);
        let network = Outline::read(&model).unwrap();
        let id = network.parameters.keys().next().unwrap();
        let [length, name] = [id.len() as u8 | 0xa0, b'!'];
        let edits: [(&str, &[u8], &[u8]); 7] = [
            ("another type", b"\xa3F32", b"\xa3F64"),
            (
                "a shape that no memory holds",
                b"\xa5shape\x94",
                b"\xa5shape\x95\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            ("a dimension more", b"\xa5shape\x91", b"\xa5shape\x92\x01"),
            ("another name", b"\xa5shape", b"\xa5sHape"),
            ("an id of other letters", id.as_bytes(), b"!!!!!!!!!!!!!"),
            (
                "a shorter id",
                &[&[length], id.as_bytes()].concat(),
                &[0xa1, name],
            ),
            (
                "a list of settings for a list of parts",
                b"\xa2_b\x90",
                b"\xa2_b\x91\x01",
            ),
        ];
        for (what, from, to) in edits {
            let changed = replaced(&model, from, to);
            assert!(check(&changed, &optimizer, &network).is_err(), "{what}");
        }
        let moments: [(&str, &[u8], &[u8]); 3] = [
            ("another parameter", id.as_bytes(), b"aaaaaaaaaaaaa"),
            ("another rank", b"\xa5Rank1", b"\xa5Rank2"),
            ("no rank", b"\xa5shape\x91", b"\xa5shape\x92\x01"),
        ];
        for (what, from, to) in moments {
            let changed = replaced(&optimizer, from, to);
            assert!(check(&model, &changed, &network).is_err(), "{what}");
        }
        let other = model::NetworkConfig::named("resnet8").unwrap();
        let other = Classifier::new(
            other.init::<Train>(&Default::default()).unwrap(),
            &TrainConfig::default(),
        );
        let other = Outline::of::<Train, _>(other.into_record()).unwrap();
        assert!(check(&model, &optimizer, &other).is_err());
    }

    proptest! {
        #[test]
        fn accepted_bytes_are_read_by_burn(place in any::<prop::sample::Index>(), value: u8) {
            static RECORDS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
            let [model, optimizer] = RECORDS.get_or_init(|| records(OptimizerKind::Sgd));
            let network = Outline::read(model).unwrap();
            let mut changed = model.clone();
            // Most bytes of a record are tensor values.
            let place = place.index(changed.len());
            changed[place] = value;
            if check(&changed, optimizer, &network).is_ok() {
                let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
                type Read = <Classifier<Train> as burn::module::Module<Train>>::Record;
                let _ = Recorder::<Train>::load::<Read>(&recorder, changed, &Default::default());
            }
        }
    }
}
