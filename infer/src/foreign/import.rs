//! A model of a file of weights.

use std::collections::BTreeMap;
use std::path::Path;

use model::NetworkConfig;
use weights::{
    ContentError, Contents, Entry, Precision, StateDict, Tensor, TensorInfo, TensorKind,
    to_safetensors,
};

use super::conventions::{self, Classes};
use super::detect::{Head, networks};
use super::error::{Differences, ForeignError};
use super::export::DESCRIPTION_KEY;
use super::hub::{self, Location, Prepared};
use super::listing::Listing;
use super::naming::Naming;
use super::notes::{self, Known};
use super::options::ImportOptions;
use super::published::Published;
use super::recognise::{View, name, recognise};
use super::select::{Candidate, Choice, choose, rest};
use super::translate::{Problem, translate};
use crate::description::{Accuracy, Activation, Description};
use crate::saved::{DESCRIPTION_FILE, SavedModel, WEIGHTS_FILE, check};

/// A file of weights, understood.
#[derive(Clone, Debug)]
pub struct Import {
    /// The model. Its description holds what the file says about itself, or else what is usual for
    /// networks of such a shape.
    pub saved: SavedModel,
    /// How the file names its tensors, in words.
    pub layout: &'static str,
    /// Sentences on all that was assumed, because neither the file nor the options say it, and on what
    /// of the file was left out.
    pub notes: Vec<String>,
    /// Whether the network has no head of its own: that of the model is zeros for one class.
    pub is_backbone: bool,
}

/// Makes a model of a file of weights: of `torch.save` or safetensors, in the names of torchvision,
/// timm, Hugging Face's transformers, mmpretrain, weiaicunzai or this project, behind any prefix. A
/// run's folder, and the weights in one, are taken with their description, and a folder of Hugging
/// Face's hub with its configuration.
///
/// # Errors
///
/// If the file cannot be read, holds none of the networks that are known or not the one that was
/// named, or if images cannot be brought to it. Every tensor of the file and of the network is
/// accounted for.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Import, ForeignError> {
    if options.model.is_none()
        && let Some(folder) = run_of(path)
    {
        return run(folder, options);
    }
    let location = Location::find(path)?;
    let mut files = Vec::with_capacity(location.files.len());
    for file in &location.files {
        files.push((file, weights::read_bytes(file)?));
    }
    let contents = files
        .iter()
        .map(|(file, bytes)| {
            let contents = match &options.key {
                Some(key) => Contents::parse_under(bytes, key),
                None => Contents::parse(bytes),
            };
            contents.map_err(|source| ForeignError::content(file.as_path(), source))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let listing = Listing::new(&contents)
        .map_err(|source| ForeignError::content(location.path.as_path(), source))?;
    let metadata = contents.first().map(Contents::metadata);
    let described = metadata
        .filter(|_| options.model.is_none())
        .and_then(described);
    Importer {
        location: &location,
        listing: &listing,
        options,
    }
    .import(described)
}

/// The run's folder that a path stands for: the folder itself, or that of a record with its
/// description.
fn run_of(path: &Path) -> Option<&Path> {
    if path.is_dir() {
        let is_other = hub::weights_in(path).is_some() && !path.join(DESCRIPTION_FILE).is_file();
        return (!is_other).then_some(path);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let is_record = path.file_name().is_some_and(|name| name == WEIGHTS_FILE);
    (is_record && folder.join(DESCRIPTION_FILE).is_file()).then_some(folder)
}

/// The model of a run, which says everything about itself.
fn run(folder: &Path, options: &ImportOptions) -> Result<Import, ForeignError> {
    let mut saved = SavedModel::open(folder)?;
    change(&mut saved.description, options)?;
    if !options.changes.is_empty() {
        let network = &saved.description.network;
        let differences = saved.differing_shapes(network)?;
        if !differences.is_empty() {
            return Err(ForeignError::Mismatch {
                origin: folder.join(WEIGHTS_FILE).display().to_string(),
                model: name(network),
                classes: network.classes(),
                differences: Differences(differences),
            });
        }
    }
    Ok(Import {
        saved,
        layout: Naming::own("").words(),
        notes: Vec::new(),
        is_backbone: false,
    })
}

/// Makes a description as the options say.
fn change(description: &mut Description, options: &ImportOptions) -> Result<(), ForeignError> {
    let model = description.model.clone();
    let network = options.changes.apply(description.network.clone());
    description.network = network.map_err(|source| ForeignError::Changes {
        model: model.clone(),
        source,
    })?;
    let preprocessing = conventions::with_options(&description.preprocessing, options);
    description.preprocessing =
        preprocessing.map_err(|source| ForeignError::Preprocessing { model, source })?;
    description.activation = options.activation.unwrap_or(description.activation);
    Ok(())
}

/// What a file that we wrote says about itself; from another version it may not be readable, and is
/// then left aside like everything else that files say about themselves.
fn described(metadata: &BTreeMap<String, String>) -> Option<Description> {
    let description = serde_json::from_str(metadata.get(DESCRIPTION_KEY)?).ok()?;
    check(&description).is_ok().then_some(description)
}

struct Importer<'a> {
    location: &'a Location,
    listing: &'a Listing<'a>,
    options: &'a ImportOptions,
}

impl Importer<'_> {
    fn import(&self, mut described: Option<Description>) -> Result<Import, ForeignError> {
        if let Some(description) = &mut described {
            change(description, self.options)?;
        }
        let (candidate, others) = self.candidate(described.as_ref())?;
        let network = self.network(&candidate)?;
        let is_backbone = !candidate.has_head();
        let has_unusable_head = matches!(candidate.head, Head::Unusable { .. });
        if has_unusable_head && !self.options.accepts_backbone {
            return Err(self.no_head(&candidate, &network));
        }
        let rest = rest(self.listing, &candidate, &others);
        if !candidate.differences.is_empty() || !rest.extra.is_empty() {
            let mut differences = candidate.differences.clone();
            differences.extend(rest.extra);
            return Err(self.mismatch(&network, differences));
        }
        if is_backbone && !self.options.accepts_backbone {
            return Err(self.no_head(&candidate, &network));
        }
        let is_single = network.classes() == 1 && !is_backbone;
        if is_single && self.options.activation == Some(Activation::Softmax) {
            return Err(ForeignError::OneOutput {
                path: self.location.path.clone(),
            });
        }
        // Two outputs, of which one is always 0, say the same by a softmax as one by a sigmoid.
        let network = match is_single {
            true => network.with_classes(2),
            false => network,
        };
        let (description, mut notes) = match described {
            Some(description) => (description, Vec::new()),
            None => self.describe(network, &candidate, is_single)?,
        };
        notes.extend(notes::left_out(&rest.left_out));
        let weights = self.record(&candidate, &description, is_single)?;
        let origin = self.location.path.display().to_string();
        Ok(Import {
            saved: SavedModel::from_parts(description, weights, origin),
            layout: candidate.naming.words(),
            notes,
            is_backbone,
        })
    }

    /// The network in the file, and the prefixes of others in it.
    fn candidate(
        &self,
        described: Option<&Description>,
    ) -> Result<(Candidate, Vec<String>), ForeignError> {
        let changes = match &self.location.config {
            Some(config) => config
                .changes()
                .map_err(|reason| self.unrecognised(reason))?,
            None => model::NetworkChanges::default(),
        };
        // Changes may not fit a network that is not the one that is chosen.
        let network_of = |view: &View<'_>| {
            let network = match (described, &self.options.model) {
                (Some(description), _) => return Ok(description.network.clone()),
                (None, Some(named)) => {
                    let [channels, classes] = view.ends()?;
                    let network = named.config.clone().with_classes(classes);
                    network.with_input_channels(channels)
                }
                (None, None) => recognise(view)?,
            };
            let network = changes.apply(network.clone()).unwrap_or(network);
            Ok(self
                .options
                .changes
                .apply(network.clone())
                .unwrap_or(network))
        };
        let candidates: Vec<Candidate> = networks(self.listing)
            .into_iter()
            .map(|found| Candidate::new(self.listing, found, &network_of))
            .collect();
        let whole: Vec<String> = candidates
            .iter()
            .filter(|candidate| candidate.is_whole())
            .map(|candidate| candidate.root.clone())
            .collect();
        match choose(candidates) {
            Choice::One(candidate) => Ok((*candidate, whole)),
            Choice::Several(keys) => Err(ForeignError::SeveralNetworks {
                path: self.location.path.clone(),
                keys: keys.iter().map(|key| weights::shown(key)).collect(),
            }),
            Choice::Nothing => Err(self.nothing()),
        }
    }

    /// Why the file holds no network.
    fn nothing(&self) -> ForeignError {
        if let Some(error) = self.quantized() {
            return error;
        }
        if let Some(source) = self.listing.whole_module() {
            return ForeignError::content(self.location.path.as_path(), source);
        }
        let first = self.listing.tensors().next();
        self.unrecognised(format!(
            "no first stage of blocks is among its {} tensors, which start with `{}`",
            self.listing.tensors().count(),
            weights::shown(first.map_or("", |tensor| tensor.name.as_str()))
        ))
    }

    /// An error if tensors hold small numbers in place of floats.
    fn quantized(&self) -> Option<ForeignError> {
        let is_quantized = |tensor: &&TensorInfo| {
            let is_deep = tensor.shape.as_ref().is_none_or(|shape| shape.len() >= 2);
            tensor.kind == TensorKind::Quantized
                || (tensor.kind == TensorKind::Integer
                    && is_deep
                    && tensor.name.ends_with("weight"))
                || QUANTIZED.iter().any(|part| tensor.name.contains(part))
        };
        let tensor = self.listing.tensors().find(is_quantized)?;
        Some(ForeignError::Quantized {
            path: self.location.path.clone(),
            tensor: tensor.name.clone(),
        })
    }

    /// The network of a candidate, with the channels and classes of the file.
    fn network(&self, candidate: &Candidate) -> Result<NetworkConfig, ForeignError> {
        let network = match &candidate.network {
            Ok(network) => network.clone(),
            Err(reason) => {
                return Err(self
                    .quantized()
                    .unwrap_or_else(|| self.unrecognised(reason.clone())));
            }
        };
        network.validate().map_err(|source| ForeignError::Config {
            path: self.location.path.clone(),
            source,
        })?;
        // The choice was made without what does not fit.
        self.options
            .changes
            .apply(network.clone())
            .map_err(|source| ForeignError::Changes {
                model: self.model(&network),
                source,
            })?;
        match &candidate.unnamed {
            Some(tensor) => Err(ForeignError::Unnamed {
                model: self.model(&network),
                tensor: tensor.clone(),
            }),
            None => Ok(network),
        }
    }

    /// The network's name, or what it is in words.
    fn model(&self, network: &NetworkConfig) -> String {
        match &self.options.model {
            Some(named) if self.options.changes.is_empty() => named.name.clone(),
            _ => name(network),
        }
    }

    fn mismatch(
        &self,
        network: &NetworkConfig,
        differences: Vec<super::Difference>,
    ) -> ForeignError {
        self.quantized().unwrap_or_else(|| ForeignError::Mismatch {
            origin: self.location.path.display().to_string(),
            model: self.model(network),
            classes: network.classes(),
            differences: Differences(differences),
        })
    }

    fn no_head(&self, candidate: &Candidate, network: &NetworkConfig) -> ForeignError {
        if let Some(error) = self.quantized() {
            return error;
        }
        let reason = match (&candidate.head, network) {
            (Head::Unusable { name, reason }, _) => {
                format!("`{}` cannot be one, because {reason}", weights::shown(name))
            }
            (_, NetworkConfig::Resnet(config)) => {
                let width = config.widths.last().copied().unwrap_or_default();
                format!(
                    "no linear layer with {} inputs is in it",
                    config.block.out_channels(width)
                )
            }
            (_, NetworkConfig::Digit(_)) => "no linear layer is in it".to_owned(),
        };
        ForeignError::NoHead {
            path: self.location.path.clone(),
            reason,
        }
    }

    fn unrecognised(&self, reason: String) -> ForeignError {
        ForeignError::Unrecognised {
            path: self.location.path.clone(),
            reason,
        }
    }

    /// A description of what the file does not describe, and what of it is assumed.
    fn describe(
        &self,
        network: NetworkConfig,
        candidate: &Candidate,
        is_single: bool,
    ) -> Result<(Description, Vec<String>), ForeignError> {
        let Self {
            location, options, ..
        } = self;
        let model = self.model(&network);
        let published = Published::of_file(&location.path);
        let config = location.config.as_ref();
        let cannot_prepare = |source| ForeignError::Preprocessing {
            model: model.clone(),
            source,
        };
        let resize = published.map(|published| published.resize());
        let usual =
            conventions::preprocessing(&network, options, resize).map_err(cannot_prepare)?;
        let prepared = hub::prepared(config, location.processor.as_ref(), &network, &usual)
            .transpose()
            .map_err(cannot_prepare)?;
        let is_prepared = prepared.is_some() || published.is_some();
        let (preprocessing, mut notes) = match prepared {
            Some(Prepared {
                preprocessing,
                notes,
            }) => (
                conventions::with_options(&preprocessing, options).map_err(cannot_prepare)?,
                notes,
            ),
            None => (usual, Vec::new()),
        };
        let outputs = match is_single {
            true => 1,
            false => network.classes(),
        };
        let class_names = config.and_then(|config| config.class_names(outputs));
        let has_class_names = class_names.is_some();
        let classes = match class_names {
            Some(names) => Classes {
                names: match &names[..] {
                    [name] if is_single => vec![format!("not {name}"), name.clone()],
                    _ => names,
                },
                trained_on: "the classes of its config.json".to_owned(),
                are_assumed: false,
            },
            None => conventions::classes(&network),
        };
        let activation = options
            .activation
            .filter(|_| !is_single)
            .or_else(|| config?.activation())
            .unwrap_or_default();
        let is_one_of_two = is_single || !candidate.has_head();
        let known = Known {
            is_named: options.model.is_some() || published.is_some(),
            is_configured: config.is_some_and(|config| config.is_resnet()),
            is_prepared,
            has_classes: !classes.are_assumed || published.is_some() || has_class_names,
            has_activation: is_one_of_two
                || published.is_some()
                || config.is_some_and(|config| config.activation().is_some()),
        };
        let description = Description {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model,
            network,
            class_names: classes.names,
            preprocessing,
            activation: match is_single {
                true => Activation::Softmax,
                false => activation,
            },
            trained_on: classes.trained_on,
            epochs: 0,
            accuracy: Accuracy::default(),
            scoring: None,
            about: None,
            images: None,
        };
        if is_single {
            notes.push(format!(
                "assumed: the one output is for a sigmoid: the probability of `{}`, where the rest is \
                 that of `{}`",
                description.class_names[1], description.class_names[0]
            ));
        }
        if published.is_none() {
            notes.extend(notes::assumptions(
                &description,
                &candidate.naming,
                options,
                known,
            ));
        }
        Ok((description, notes))
    }

    /// The bytes of this project's record.
    fn record(
        &self,
        candidate: &Candidate,
        description: &Description,
        is_single: bool,
    ) -> Result<Vec<u8>, ForeignError> {
        let origin = self.location.path.display().to_string();
        let content = |source| ForeignError::content(origin.as_str(), source);
        let naming = &candidate.naming;
        let mut described = description.clone();
        if is_single {
            described.network = described.network.with_classes(1);
        }
        let mut names = Vec::new();
        let tensors = tensors(&described, &origin)?;
        for tensor in &tensors {
            names.extend(naming.name(&tensor.name));
        }
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        let entries = self.listing.read(&borrowed).map_err(content)?;
        let mut state_dict = StateDict::new();
        for (name, entry) in names.into_iter().zip(entries) {
            state_dict.insert(name, entry).map_err(content)?;
        }
        let mut naming = naming.clone();
        if naming.head.is_none() {
            // A head that is to be replaced.
            naming.head = Some(NEW_HEAD.to_owned());
            for tensor in &tensors {
                if tensor.name.starts_with("head.linear.")
                    && let Some(name) = naming.name(&tensor.name)
                {
                    let shape = super::translate::oriented(&naming, &tensor.shape);
                    state_dict.insert(name, zeros(shape)).map_err(content)?;
                }
            }
        }
        let mut own = renamed(state_dict, &naming, &Naming::own(""), &described, &origin)?;
        if is_single {
            own = with_two_outputs(own).map_err(content)?;
        }
        // As burn-store orders them, so that a record that went through other names is the same file.
        let mut tensors: Vec<_> = own.into_iter().collect();
        tensors.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut sorted = StateDict::new();
        for (name, entry) in tensors {
            sorted.insert(name, entry).map_err(content)?;
        }
        let metadata = BTreeMap::from([("format".to_owned(), "burn".to_owned())]);
        to_safetensors(&sorted, &metadata, Precision::Single).map_err(content)
    }
}

/// Parts of names that only quantized tensors have: those of PyTorch, bitsandbytes, GPTQ and AWQ.
const QUANTIZED: [&str; 7] = [
    "_packed_params",
    ".SCB",
    ".quant_state",
    ".quant_map",
    ".absmax",
    ".qweight",
    ".qzeros",
];
/// A name that no file has.
const NEW_HEAD: &str = "\0head";

fn zeros(shape: Vec<usize>) -> Entry {
    let values = vec![0.0; shape.iter().product()];
    Entry::Float(Tensor::new(shape, values).expect("as many values as the shape has"))
}

/// The record of a network with one output as one with two, the first of which is always 0:
/// `softmax([0, x])` is `[1 - sigmoid(x), sigmoid(x)]`.
fn with_two_outputs(state_dict: StateDict) -> Result<StateDict, ContentError> {
    let mut changed = StateDict::new();
    for (name, entry) in state_dict {
        let entry = match (name.as_str(), entry) {
            (
                "head.linear.weight" | "head.linear.bias" | "linear.weight" | "linear.bias",
                Entry::Float(tensor),
            ) => {
                let (mut shape, values) = tensor.into_parts();
                if let Some(outputs) = shape.last_mut() {
                    *outputs = 2;
                }
                let values = values.into_iter().flat_map(|value| [0.0, value]).collect();
                Entry::Float(Tensor::new(shape, values).map_err(super::translate::shape_error)?)
            }
            (_, entry) => entry,
        };
        changed.insert(name, entry)?;
    }
    Ok(changed)
}

fn tensors(
    description: &Description,
    origin: &str,
) -> Result<Vec<model::TensorShape>, ForeignError> {
    model::tensors(&description.network).map_err(|source| ForeignError::Config {
        path: origin.into(),
        source,
    })
}

/// The tensors of the described network under other names.
pub(super) fn renamed(
    state_dict: StateDict,
    from: &Naming,
    to: &Naming,
    description: &Description,
    origin: &str,
) -> Result<StateDict, ForeignError> {
    let Description { model, network, .. } = description;
    let tensors = tensors(description, origin)?;
    translate(state_dict, from, to, &tensors).map_err(|problem| match problem {
        Problem::Differences(differences) => ForeignError::Mismatch {
            origin: origin.to_owned(),
            model: model.clone(),
            classes: network.classes(),
            differences: Differences(differences),
        },
        Problem::Unnamed(tensor) => ForeignError::Unnamed {
            model: model.clone(),
            tensor,
        },
        Problem::Content(source) => ForeignError::content(origin, source),
    })
}
