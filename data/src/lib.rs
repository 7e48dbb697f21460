//! Image data sets, their preprocessing, and batches of them for [Burn](burn).
//!
//! Data flows one way: a [`Source`] loads a [`DataSet`] (packed bytes in [`PackedImages`], plus the
//! [`Preprocessing`] that is stored with a trained model), [`split`] splits a validation part off
//! the training images, and a [`BatchLoader`] yields [`ImageBatch`]es to a training loop.
//! Prediction uses [`open_image`] and the same [`Preprocessing`].
//!
//! ```
//! use data::{LoadOptions, Source};
//!
//! let source: Source = "sample".parse()?;
//! let data = source.load(&LoadOptions::default())?;
//! assert_eq!(data.class_names[9], "Ankle boot");
//! assert_eq!((data.train.len(), data.test.len()), (6000, 1000));
//! # Ok::<(), data::DataError>(())
//! ```

mod error;
mod hint;
// Comparison of images with a model's training images.
mod fit;

// Images and their file formats.
mod convert;
mod decode;
mod packed;
mod preprocessing;
mod resampling;
mod resize;
mod store;
mod unreadable;

// Data sources.
mod archive;
mod cifar;
mod folder;
mod folders;
mod idx;
mod mnist;
mod options;
mod passed_over;
mod published;
mod sample;
mod set;
mod sheet;
mod source;
mod survey;

// Sampling, order and augmentation.
mod augment;
mod dataset;
mod epoch;
mod order;
mod outliers;
mod random;
mod split;

// Worker threads that assemble batches.
mod assembly;
mod pending;
mod shelf;
mod workers;

// The interface to Burn.
mod batch;
mod iterator;
mod loader;
mod position;

pub use augment::{
    Affine, Augmentation, AugmentationError, ColorJitter, ErasedFilling, RandomErasing, ResizedCrop,
};
pub use batch::{ImageBatch, ImageBatcher, Mixed};
pub use cifar::CIFAR10_CLASSES;
pub use dataset::ImageDataset;
pub use decode::{
    DEFAULT_MAX_PIXELS, DecodeError, DecodedImage, Flaw, FlawedImages, IMAGE_EXTENSIONS,
    IMAGE_FORMATS, ImageError, ImageFormat, ImageOpener, OtherFormat, decode_image, open_image,
};
pub use error::{DataError, MissingPart, PublishedError};
pub use fit::{Background, Centering, Conversion, Fitted, ImageLook, Mismatch, fit};
pub use folder::{ClassIndex, FOLDER_SIDE};
pub use loader::{BatchLoader, DEFAULT_BATCHES_AHEAD};
pub use options::{FetchProgress, LoadOptions, LoadProgress, Storage};
pub use outliers::{OutlierPart, Outliers};
pub use packed::PackedImages;
pub use passed_over::PassedOver;
pub use position::Position;
pub use preprocessing::{MAX_SIDE, Preprocessing, PreprocessingError};
pub use resampling::{CropStart, Filter, Resampling};
pub use set::{DataSet, Reading};
pub use sheet::contact_sheet;
pub use source::Source;
pub use split::split;
pub use store::{ImageFiles, ImageStore};
pub use survey::{Duplicate, Duplicates, PartSurvey, Survey};
pub use unreadable::Unreadable;
