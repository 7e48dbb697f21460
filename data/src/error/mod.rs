//! Errors of data sets.

mod published;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use files::{printable, shortened, shown_path};

use crate::augment::AugmentationError;
use crate::decode::{IMAGE_FORMATS, ImageError};
use crate::preprocessing::PreprocessingError;
pub use published::{MissingPart, PublishedError};

/// Maximum number of characters of a name in a message.
pub(crate) const SHOWN: usize = 40;

/// The error type for loading, splitting and batching data sets.
///
/// Each message is one sentence that names the problem and its location; [`DataError::hint`]
/// suggests a fix where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The text is not a known data source.
    #[error(
        "unknown data source `{text}`: expected one of sample, mnist, fashion-mnist, cifar10, \
         cifar100 or folder:PATH"
    )]
    UnknownSource {
        /// The text as given.
        text: String,
        /// Most similar valid source.
        nearest: Option<String>,
    },

    /// The files of a published data set are not available.
    #[error(transparent)]
    Published(#[from] PublishedError),

    /// A file or folder could not be read.
    #[error("cannot read {}: {source}", shown_path(path))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// I/O error.
        source: io::Error,
    },

    /// A gzip file cannot be decompressed.
    #[error(
        "cannot unpack {}, its gzip data is damaged: {source}",
        shown_path(path)
    )]
    Unpack {
        /// The file.
        path: PathBuf,
        /// Error of the decoder.
        source: io::Error,
    },

    /// A file is shorter than its format or header requires.
    #[error(
        "{} is cut off: expected {expected} bytes when unpacked, found {found}",
        shown_path(path)
    )]
    CutOff {
        /// The file.
        path: PathBuf,
        /// Expected decompressed size in bytes.
        expected: u64,
        /// Actual decompressed size in bytes.
        found: u64,
    },

    /// A file continues after the bytes that its header declares.
    #[error(
        "{} does not end where its header says: expected {expected} bytes when unpacked, found more",
        shown_path(path)
    )]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Expected decompressed size in bytes.
        expected: u64,
    },

    /// An IDX file starts with the wrong magic number.
    #[error(
        "{} is not an IDX file of {content}: expected magic number {expected:#06x}, found \
         {found:#06x}",
        shown_path(path)
    )]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// Expected content: `images` or `labels`.
        content: &'static str,
        /// Magic number of the format.
        expected: u32,
        /// Magic number found.
        found: u32,
    },

    /// A file's header declares no images, or more than any valid file of its kind.
    #[error(
        "{} declares {count} images of {height}x{width} pixels: expected 1 to {limit} bytes in all",
        shown_path(path)
    )]
    DeclaredSize {
        /// The file.
        path: PathBuf,
        /// Declared number of images.
        count: u32,
        /// Declared height in pixels.
        height: u32,
        /// Declared width in pixels.
        width: u32,
        /// Maximum number of bytes.
        limit: u64,
    },

    /// A file is larger than any valid file of its kind.
    #[error("{} is too large: expected at most {limit} bytes", shown_path(path))]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Maximum number of bytes.
        limit: u64,
    },

    /// A file does not hold a whole number of records.
    #[error(
        "{} does not hold whole images: expected a multiple of {record} bytes, found {found}",
        shown_path(path)
    )]
    RecordLength {
        /// The file.
        path: PathBuf,
        /// Size of a record in bytes.
        record: usize,
        /// Size of the file in bytes.
        found: u64,
    },

    /// A label file and its image file differ in length.
    #[error(
        "{} holds {labels} labels: expected {images}, one for each image beside it",
        shown_path(path)
    )]
    LabelCount {
        /// The label file.
        path: PathBuf,
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },

    /// A label is out of range.
    #[error(
        "{} gives image {index} label {label}: expected 0 to {}",
        shown_path(path),
        classes - 1
    )]
    LabelOutOfRange {
        /// The file.
        path: PathBuf,
        /// Index of the image in the file, counted from 0.
        index: usize,
        /// Label found.
        label: u8,
        /// Number of classes, at least 1.
        classes: usize,
    },

    /// A file of class names has the wrong number of names.
    #[error("{} holds {found} class names: expected {expected}", shown_path(path))]
    ClassNames {
        /// The file.
        path: PathBuf,
        /// Number of classes in the data set.
        expected: usize,
        /// Number of names found.
        found: usize,
    },

    /// Training and test images differ in size.
    #[error(
        "training and test images of {name} differ in size: {train:?} and {test:?} as \
         [channels, height, width]"
    )]
    ShapesDiffer {
        /// Name of the data set.
        name: String,
        /// `[channels, height, width]` of the training images.
        train: [usize; 3],
        /// `[channels, height, width]` of the test images.
        test: [usize; 3],
    },

    /// The folder of class folders does not exist, or is a file.
    #[error("{} {}", shown_path(path), if path.exists() { "is not a folder" } else { "does not exist" })]
    NotAFolder {
        /// Path as given.
        path: PathBuf,
    },

    /// A folder holds no class folders.
    #[error(
        "{} holds no class folders: expected one folder of images for each class, found {found}",
        shown_path(path)
    )]
    NoClassFolders {
        /// The folder.
        path: PathBuf,
        /// Content of the folder, in words.
        found: String,
    },

    /// A folder holds no images.
    #[error("{} holds no images: found {found}", shown_path(path))]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// Content of the folder, in words.
        found: String,
    },

    /// A folder can be interpreted in several ways, or in none.
    #[error("cannot tell the classes in {}: {reason}", shown_path(path))]
    AmbiguousLayout {
        /// The folder.
        path: PathBuf,
        /// The conflict.
        reason: String,
    },

    /// Class names are invalid or ambiguous.
    #[error("cannot use the class names of {}: {reason}", shown_path(path))]
    ClassName {
        /// The folder of class folders, or the label file.
        path: PathBuf,
        /// The names and the problem.
        reason: String,
    },

    /// A table does not provide labels for the images of a folder.
    #[error("cannot use the labels in {}: {reason}", shown_path(path))]
    Labels {
        /// The table.
        path: PathBuf,
        /// The problem.
        reason: String,
    },

    /// An archive of images cannot be used.
    #[error("cannot unpack {}: {reason}", shown_path(path))]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The problem.
        reason: String,
        /// Suggested fix.
        hint: &'static str,
    },

    /// A folder has test images but no training images.
    #[error("{} has {}, but no folder `train`", shown_path(path), joined(found))]
    NoTrainingFolder {
        /// The folder.
        path: PathBuf,
        /// Names of the parts found.
        found: Vec<String>,
    },

    /// Two folders may both be the same part of a set.
    #[error(
        "{} and {} may be the same part of the data",
        shown_path(&folders[0]),
        shown_path(&folders[1])
    )]
    AmbiguousParts {
        /// The folders.
        folders: [PathBuf; 2],
    },

    /// A folder holds a single class.
    #[error(
        "{} holds a single class folder, `{class}`: expected two or more classes, found {found}",
        shown_path(path)
    )]
    OneClass {
        /// The folder.
        path: PathBuf,
        /// Content of the folder, in words.
        found: String,
        /// The only class.
        class: String,
    },

    /// A class folder holds no images.
    #[error(
        "the class folder {} holds no images: expected {IMAGE_FORMATS} files, found {found}",
        shown_path(path)
    )]
    EmptyClass {
        /// The class folder.
        path: PathBuf,
        /// Content of the folder, in words.
        found: String,
    },

    /// A class has a single image, which cannot be used for both training and testing.
    #[error(
        "the class folder {} holds a single image: expected two or more, one of them for the test",
        shown_path(path)
    )]
    SingleImage {
        /// The class folder.
        path: PathBuf,
    },

    /// The validation or test part holds a class that the training part lacks.
    #[error(
        "the class folder {} has no training images: expected `{class}` in {}",
        shown_path(path),
        shown_path(train)
    )]
    UnknownTestClass {
        /// The class folder.
        path: PathBuf,
        /// Name of the class.
        class: String,
        /// The folder of training classes.
        train: PathBuf,
    },

    /// There are no images.
    #[error("there are no images: expected at least one")]
    Empty,

    /// Too many images of a folder cannot be read, or all images of a class.
    #[error("{count} of {total} images cannot be read, the first: {first}")]
    UnreadableImages {
        /// Number of unreadable images.
        count: usize,
        /// Total number of images.
        total: usize,
        /// Error of the first one, which names the file.
        #[source]
        first: Arc<ImageError>,
    },

    /// The prepared images exceed the memory limit.
    #[error(
        "{images} images of {side}x{side} pixels need {bytes} bytes of memory: expected at \
         most {limit}"
    )]
    TooManyBytes {
        /// Number of images.
        images: usize,
        /// Height and width in pixels.
        side: usize,
        /// Number of bytes needed.
        bytes: u64,
        /// Maximum number of bytes.
        limit: u64,
    },

    /// The number of packed pixels does not match the shape and the labels.
    #[error(
        "{labels} images of {shape:?} [channels, height, width] do not fit {pixels} bytes of pixels"
    )]
    PixelCount {
        /// `[channels, height, width]`.
        shape: [usize; 3],
        /// Number of labels, one per image.
        labels: usize,
        /// Number of bytes given.
        pixels: usize,
    },

    /// The number of labels differs from the number of image files.
    #[error("{files} image files have {labels} labels: expected one each")]
    FileLabels {
        /// Number of files.
        files: usize,
        /// Number of labels.
        labels: usize,
    },

    /// An image needed for a batch cannot be used.
    #[error(transparent)]
    Image(#[from] ImageError),

    /// A thread that makes batches panicked.
    #[error("cannot make a batch: {message}")]
    Panicked {
        /// Panic message.
        message: String,
    },

    /// An index is out of range.
    #[error("the image index is {index}, but must be 0 to below {len}")]
    IndexOutOfRange {
        /// The index.
        index: usize,
        /// Number of images.
        len: usize,
    },

    /// The fraction to split off is out of range.
    #[error("the fraction to split off is {fraction}, but must be 0 to below 1")]
    Fraction {
        /// Fraction given.
        fraction: f64,
    },

    /// The augmentation settings are invalid.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),

    /// The sizes or statistics for preprocessing are inconsistent.
    #[error(transparent)]
    Preprocessing(#[from] PreprocessingError),
}

impl DataError {
    /// Replaces the prefix `root` of all paths, such as the folder that an archive was unpacked
    /// into, by `shown`.
    pub(crate) fn with_root(mut self, root: &Path, shown: &Path) -> Self {
        let paths = match &mut self {
            Self::AmbiguousParts {
                folders: [one, other],
            } => vec![one, other],
            Self::UnknownTestClass { path, train, .. } => vec![path, train],
            Self::Read { path, .. }
            | Self::NoClassFolders { path, .. }
            | Self::NoImages { path, .. }
            | Self::AmbiguousLayout { path, .. }
            | Self::ClassName { path, .. }
            | Self::Labels { path, .. }
            | Self::NoTrainingFolder { path, .. }
            | Self::OneClass { path, .. }
            | Self::EmptyClass { path, .. }
            | Self::SingleImage { path } => vec![path],
            _ => Vec::new(),
        };
        for path in paths {
            if let Ok(inner) = path.strip_prefix(root) {
                *path = match inner.as_os_str().is_empty() {
                    true => shown.to_owned(),
                    false => shown.join(inner),
                };
            }
        }
        self
    }
}

/// Quotes a name for a message: shortened, and without terminal control characters.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", shortened(&printable(name), SHOWN))
}

fn joined(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}
