//! Import of a model from a weights file.

use std::collections::BTreeMap;
use std::path::Path;

use model::NetworkConfig;
use weights::Contents;

use super::conventions::{self, Classes};
use super::detect::{networks, without_wrappers};
use super::error::ForeignError;
use super::export::DESCRIPTION_KEY;
use super::heads::{Head, is_usual};
use super::hub::{self, Location};
use super::listing::Listing;
use super::notes::{self, Known};
use super::options::ImportOptions;
use super::processor::Prepared;
use super::published::Published;
use super::quantized::quantized_tensor;
use super::rebuild::record;
use super::recognize::{View, name, recognize};
use super::rest::rest;
use super::run::{change, run, run_of};
use super::select::{Candidate, Choice, choose};
use crate::description::{Accuracy, Activation, Description};
use crate::difference::{Difference, Differences};
use crate::saved::{SavedModel, check};

/// The result of importing a weights file.
#[derive(Clone, Debug)]
pub struct Import {
    /// The model. Its description comes from the file, or else from the defaults for networks of
    /// its shape.
    pub saved: SavedModel,
    /// How the file names its tensors, in words.
    pub layout: &'static str,
    /// Sentences on every assumption that neither the file nor the options settle, and on every
    /// part of the file that was left out.
    pub notes: Vec<String>,
    /// Whether the network has no head of its own. The model then has a zero-filled head with one
    /// class.
    pub is_backbone: bool,
}

/// Imports a model from a weights file written by `torch.save` or as safetensors, with the names of
/// torchvision, timm, Hugging Face's transformers, mmpretrain, weiaicunzai or this project, behind
/// any prefix. A run's folder, or the weights in one, are imported with their description, and a
/// folder of the Hugging Face Hub with its configuration.
///
/// # Errors
///
/// If the file cannot be read, does not contain a known network or the requested one, or if images
/// cannot be prepared for the network. Every tensor of the file and of the network is accounted
/// for.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Import, ForeignError> {
    if options.model.is_none()
        && let Some(folder) = run_of(path)
    {
        return run(folder, options);
    }
    if path.is_dir() && hub::weights_in(path).is_none() {
        let files = hub::other_files(path);
        if !files.is_empty() {
            return Err(ForeignError::Folder {
                path: path.to_owned(),
                files,
            });
        }
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
            let mut contents =
                contents.map_err(|source| ForeignError::content(file.as_path(), source))?;
            contents.rename(without_wrappers);
            Ok(contents)
        })
        .collect::<Result<Vec<_>, ForeignError>>()?;
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

/// Returns the description in the metadata of a file that we wrote. Metadata of another version may
/// not be readable, and is then ignored like any other metadata.
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
        let mut changed = None;
        if let Some(description) = &mut described {
            changed = change(description, self.options)?;
        }
        if let Some(config) = &self.location.config
            && self.options.activation.is_none()
        {
            config.check_outputs()?;
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
            return Err(self.mismatch(&network, &candidate, differences));
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
        // A softmax over two outputs, one of which is always 0, equals a sigmoid over one.
        let network = match is_single {
            true => network.with_classes(2),
            false => network,
        };
        let (description, mut notes) = match described {
            Some(description) => (description, changed.into_iter().collect()),
            None => self.describe(network, &candidate, is_single)?,
        };
        notes.extend(notes::left_out(&rest.left_out));
        let origin = self.location.path.display().to_string();
        let weights = record(self.listing, &candidate, &description, is_single, &origin)?;
        Ok(Import {
            saved: SavedModel::from_parts(description, weights, origin),
            layout: candidate.naming.words(),
            notes,
            is_backbone,
        })
    }

    /// Returns the network in the file, and the prefixes of the others in it.
    fn candidate(
        &self,
        described: Option<&Description>,
    ) -> Result<(Candidate, Vec<String>), ForeignError> {
        let changes = match &self.location.config {
            Some(config) => {
                let is_named = self.options.model.is_some();
                (if is_named {
                    Ok(())
                } else {
                    config.check_architecture()
                })
                .and_then(|()| config.changes())
                .map_err(|reason| self.unrecognized(reason))?
            }
            None => model::NetworkChanges::default(),
        };
        // Changes may not fit networks other than the chosen one.
        let network_of = |view: &View<'_>| {
            let network = match (described, &self.options.model) {
                (Some(description), _) => return Ok(description.network.clone()),
                (None, Some(named)) => {
                    let [channels, classes] = view.ends()?;
                    let network = named.config.clone().with_classes(classes);
                    network.with_input_channels(channels)
                }
                (None, None) => recognize(view)?,
            };
            let network = changes.apply(network.clone()).unwrap_or(network);
            Ok(self
                .options
                .changes
                .apply(network.clone())
                .unwrap_or(network))
        };
        let found = networks(self.listing);
        let prefixes: Vec<String> = found.iter().map(|naming| naming.prefix.clone()).collect();
        let candidates: Vec<Candidate> = found
            .into_iter()
            .map(|naming| Candidate::new(self.listing, naming, &prefixes, &network_of))
            .collect();
        let whole: Vec<String> = candidates
            .iter()
            .filter(|candidate| candidate.is_whole())
            .map(|candidate| candidate.root.clone())
            .collect();
        match choose(self.listing, candidates) {
            Choice::One(candidate) => Ok((*candidate, whole)),
            Choice::Several(keys) => Err(ForeignError::SeveralNetworks {
                path: self.location.path.clone(),
                keys: keys.iter().map(|key| weights::shown(key)).collect(),
            }),
            Choice::Nothing => Err(self.nothing()),
        }
    }

    /// Returns the reason why the file contains no network.
    fn nothing(&self) -> ForeignError {
        if let Some(error) = self.quantized(None) {
            return error;
        }
        if let Some(source) = self.listing.whole_module() {
            return ForeignError::content(self.location.path.as_path(), source);
        }
        let first = self.listing.tensors().next();
        self.unrecognized(format!(
            "no first stage of blocks is among its {} tensors, which start with `{}`",
            self.listing.tensors().count(),
            weights::shown(first.map_or("", |tensor| tensor.name.as_str()))
        ))
    }

    /// Returns an error if the network's tensors are quantized.
    fn quantized(&self, candidate: Option<&Candidate>) -> Option<ForeignError> {
        let tensor = quantized_tensor(self.listing, candidate)?;
        Some(ForeignError::Quantized {
            path: self.location.path.clone(),
            tensor,
        })
    }

    /// Returns the network of a candidate, with the channels and classes of the file.
    fn network(&self, candidate: &Candidate) -> Result<NetworkConfig, ForeignError> {
        let network = match &candidate.network {
            Ok(network) => network.clone(),
            Err(reason) => {
                return Err(self
                    .quantized(Some(candidate))
                    .unwrap_or_else(|| self.unrecognized(reason.clone())));
            }
        };
        network.validate().map_err(|source| ForeignError::Config {
            path: self.location.path.clone(),
            source,
        })?;
        // The network was chosen without the changes that do not fit.
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

    /// Returns the network's name, or a description of it.
    fn model(&self, network: &NetworkConfig) -> String {
        match &self.options.model {
            Some(named) if self.options.changes.is_empty() => named.name.clone(),
            _ => name(network),
        }
    }

    fn mismatch(
        &self,
        network: &NetworkConfig,
        candidate: &Candidate,
        differences: Vec<Difference>,
    ) -> ForeignError {
        let mismatch = || ForeignError::Mismatch {
            origin: self.location.path.display().to_string(),
            model: self.model(network),
            classes: network.classes(),
            differences: Differences(differences),
        };
        self.quantized(Some(candidate)).unwrap_or_else(mismatch)
    }

    fn no_head(&self, candidate: &Candidate, network: &NetworkConfig) -> ForeignError {
        if let Some(error) = self.quantized(Some(candidate)) {
            return error;
        }
        let reason = match (&candidate.head, network) {
            (Head::Unusable { reason, .. }, _) => reason.clone(),
            (_, NetworkConfig::Resnet(config)) => {
                let width = config.widths.last().copied().unwrap_or_default();
                format!(
                    "no linear layer with {} inputs in it could be one",
                    config.block.out_channels(width)
                )
            }
            (_, NetworkConfig::Digit(_)) => "no linear layer in it could be one".to_owned(),
        };
        ForeignError::NoHead {
            path: self.location.path.clone(),
            reason,
        }
    }

    fn unrecognized(&self, reason: String) -> ForeignError {
        ForeignError::Unrecognized {
            path: self.location.path.clone(),
            reason,
        }
    }

    /// Returns a description for a file without one, and the assumptions in it.
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
        let usual = conventions::preprocessing(&network, &ImportOptions::default(), resize)
            .map_err(cannot_prepare)?;
        let prepared = hub::prepared(location, &network, &usual, options.resize.is_some())?;
        let is_prepared = prepared.is_some() || published.is_some();
        let Prepared {
            preprocessing,
            mut notes,
        } = prepared.unwrap_or(Prepared {
            preprocessing: usual,
            notes: Vec::new(),
        });
        let preprocessing =
            conventions::with_options(&preprocessing, options).map_err(cannot_prepare)?;
        let outputs = match is_single {
            true => 1,
            false => network.classes(),
        };
        let class_names = config.and_then(|config| config.class_names(outputs));
        notes.extend(config.and_then(|config| config.wrong_class_names(outputs)));
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
            is_in_order: candidate.is_in_order(self.listing),
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
                "assumed: the only output is, after a sigmoid, the probability of `{}`; the \
                 remaining probability is that of `{}`",
                description.class_names[1], description.class_names[0]
            ));
        }
        if let Head::Linear(head) = &candidate.head
            && !is_usual(head)
        {
            notes.push(format!("assumed: `{}` is the head", weights::shown(head)));
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
}
