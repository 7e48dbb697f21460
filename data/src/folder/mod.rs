//! Image folders.
//!
//! | module | content |
//! |---|---|
//! | `listing` | the images of a folder, by part |
//! | `parts` | the folders of the parts |
//! | `classes` | the class folders of a part |
//! | `labels` | images with labels from a table that the user specifies |
//! | `unlabeled` | parts with labels from a file next to the images |
//! | `table`, `index` | text tables, and the files that they name |
//! | `names` | unambiguous class names |
//! | `content` | checksum of a set's files |

mod classes;
mod content;
mod index;
mod labels;
mod listing;
mod names;
mod parts;
mod table;
mod tree;
mod unlabeled;

use std::collections::HashSet;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::archive;
use crate::decode::{DEFAULT_MAX_PIXELS, ImageError, ImageOpener};
use crate::error::{DataError, quoted};
use crate::options::{LoadOptions, Storage};
use crate::packed::{Brightness, PackedImages};
use crate::preprocessing::Preprocessing;
use crate::set::{DataSet, Listed, Reading, Splits, check_size, preparation};
use crate::store::{ImageFiles, ImageStore};
use crate::unreadable::Unreadable;
use listing::{ImageFile, Listing, list};
pub use names::ClassIndex;
pub(crate) use tree::{first_other_file, likely_set, only_archive};

impl Reading {
    /// Replaces the folder that an archive was unpacked into by the archive's name.
    fn rename(&mut self, folder: &Path, archive: &Path) {
        let texts = self.notes.iter_mut().chain(&mut self.warnings);
        for text in texts.filter(|_| folder != archive) {
            let [one, other] = [folder, archive].map(|path| quoted(&names::name_of(path)));
            *text = text.replace(&one, &other);
            let [one, other] = [folder, archive].map(|path| tree::below(path, path));
            *text = text.replace(&one, &other);
        }
    }
}

const CHANNELS: usize = 3;
/// Default height and width in pixels of a folder's images.
pub const FOLDER_SIDE: usize = 64;
/// Number of images, spread evenly over the classes, used to compute mean and standard deviation of
/// a set that stays in its files; the mean is then accurate to about one brightness step.
const STATISTICS_SAMPLE: usize = 2000;

/// Loads a set `name` of images of `[3, side, side]`.
pub(crate) fn load(
    path: &Path,
    name: String,
    options: &LoadOptions<'_>,
) -> Result<DataSet, DataError> {
    let side = options.image_size.unwrap_or(FOLDER_SIDE);
    let preparation = preparation(CHANNELS, side)?;
    let mut root = path.to_owned();
    if archive::is_archive(path) && !path.is_dir() {
        root = archive::unpacked(path, options.data_dir.as_deref(), &mut |_| {
            ControlFlow::Continue(())
        })?;
    }
    let Listing {
        class_names,
        train,
        validation,
        test,
        test_is_split_off,
        passed_over,
        mut reading,
    } = list(&root, options.labels.as_deref(), options.seed)
        .map_err(|error| error.with_root(&root, path))?;
    reading.rename(&root, path);
    let content = content::checksum([Some(&train), validation.as_ref(), Some(&test)]);
    let parts = Splits {
        train,
        validation,
        test,
    };
    let total = parts.iter().map(Vec::len).sum();
    let unreadable = match options.skip_unreadable {
        true => Unreadable::any_number(total),
        false => Unreadable::few(total),
    };
    let max_pixels = options
        .max_pixels
        .map_or(DEFAULT_MAX_PIXELS, NonZeroU64::get);
    let folder = Folder {
        preparation,
        opener: ImageOpener::new(max_pixels),
        unreadable,
        options,
    };
    let (parts, preprocessing, listed) = match options.storage {
        Storage::Memory => folder.pack(parts)?,
        Storage::Files => {
            let (parts, preprocessing) = folder.leave(parts)?;
            (parts, preprocessing, None)
        }
    };
    Ok(DataSet {
        name,
        class_names,
        train: parts.train,
        validation: parts.validation,
        test: parts.test,
        preprocessing,
        unreadable: folder.unreadable,
        flawed: folder.opener.flawed().clone(),
        passed_over,
        reading,
        root: Some(root),
        test_is_split_off,
        content,
        listed,
    })
}

/// Options for loading the images of a folder.
struct Folder<'a> {
    preparation: Preprocessing,
    opener: ImageOpener,
    unreadable: Unreadable,
    options: &'a LoadOptions<'a>,
}

impl Folder<'_> {
    /// Opens every image, and returns which training images are left out, if any.
    fn pack(
        &self,
        mut parts: Splits<Vec<ImageFile>>,
    ) -> Result<(Splits<ImageStore>, Preprocessing, Option<Listed>), DataError> {
        let size = self.image_bytes();
        let files: Vec<&Path> = parts
            .iter()
            .flatten()
            .map(|file| file.path.as_path())
            .collect();
        let (mut pixels, readable) = self.prepare(&files)?;
        let classes = classes(&parts.train);
        let listed = (self.unreadable.count() > 0).then(|| Listed {
            labels: parts.train.iter().map(|file| file.label).collect(),
            readable: readable[..parts.train.len()].to_vec(),
        });
        let mut readable = readable.into_iter();
        for part in parts.iter_mut() {
            part.retain(|_| readable.next() == Some(true));
        }
        // The remaining images must form a data set.
        if classes != self::classes(&parts.train) || parts.iter().any(Vec::is_empty) {
            return self.unreadable.too_many();
        }
        let mut start = 0;
        let starts = parts.map(|files| {
            start += files.len() * size;
            (start - files.len() * size, files)
        });
        // The last part is split off first, so that nothing else is copied.
        let mut split = |(start, files): (usize, Vec<ImageFile>)| {
            let labels = files.iter().map(|file| file.label).collect();
            let images =
                PackedImages::new(self.preparation.shape(), pixels.split_off(start), labels)?;
            let paths = files.into_iter().map(|file| file.path).collect();
            Ok::<_, DataError>(images.with_paths(paths))
        };
        let test = split(starts.test)?;
        let validation = starts.validation.map(&mut split).transpose()?;
        let train = split(starts.train)?;
        let preprocessing = self.preprocessing(train.statistics())?;
        let parts = Splits {
            train,
            validation,
            test,
        };
        Ok((parts.map(ImageStore::from), preprocessing, listed))
    }

    /// Leaves images in their files, and opens a sample for the statistics.
    fn leave(
        &self,
        parts: Splits<Vec<ImageFile>>,
    ) -> Result<(Splits<ImageStore>, Preprocessing), DataError> {
        let step = parts.train.len().div_ceil(STATISTICS_SAMPLE);
        let sample: Vec<&Path> = parts
            .train
            .iter()
            .step_by(step)
            .map(|file| file.path.as_path())
            .collect();
        let brightness = self.brightness(&sample)?;
        let stores = parts.map(|files| {
            let (paths, labels) = files
                .into_iter()
                .map(|file| (file.path, file.label))
                .unzip();
            ImageStore::from(ImageFiles::sharing(
                paths,
                labels,
                &self.opener,
                &self.unreadable,
            ))
        });
        Ok((stores, self.preprocessing(brightness.statistics())?))
    }

    /// Opens and prepares files, in parallel. Returns the pixels of the readable ones, `[file,
    /// channels, side, side]`, and which files could be read.
    fn prepare(&self, files: &[&Path]) -> Result<(Vec<u8>, Vec<bool>), DataError> {
        check_size(files.len(), CHANNELS, self.preparation.height())?;
        let size = self.image_bytes();
        let mut pixels = vec![0; files.len() * size];
        let done = AtomicUsize::new(0);
        let errors: Vec<Option<ImageError>> = pixels
            .par_chunks_exact_mut(size)
            .zip(files)
            .map(|(pixels, path)| {
                let prepared = self.preparation.prepare_file(&self.opener, path);
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                self.options.report(done, files.len());
                prepared
                    .map(|prepared| pixels.copy_from_slice(&prepared))
                    .err()
            })
            .collect();
        let readable: Vec<bool> = errors.iter().map(Option::is_none).collect();
        for (path, error) in files.iter().zip(errors) {
            if let Some(error) = error {
                self.unreadable.add(path, error);
            }
        }
        self.unreadable.check()?;
        let mut kept = 0;
        for index in (0..files.len()).filter(|&index| readable[index]) {
            if kept < index {
                pixels.copy_within(index * size..(index + 1) * size, kept * size);
            }
            kept += 1;
        }
        pixels.truncate(kept * size);
        Ok((pixels, readable))
    }

    /// Opens and prepares files, in parallel, and counts their brightness. Only the images being
    /// counted are in memory.
    fn brightness(&self, files: &[&Path]) -> Result<Brightness, DataError> {
        let [channels, height, width] = self.preparation.shape();
        let done = AtomicUsize::new(0);
        let nothing = || (Brightness::new(channels), Vec::new());
        let (brightness, errors) = files
            .par_iter()
            .fold(nothing, |(mut brightness, mut errors), path| {
                match self.preparation.prepare_file(&self.opener, path) {
                    Ok(pixels) => brightness.add(&pixels, height * width),
                    Err(error) => errors.push((path, error)),
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                self.options.report(done, files.len());
                (brightness, errors)
            })
            .reduce(nothing, |(one, mut errors), (other, more)| {
                errors.extend(more);
                (one.plus(&other), errors)
            });
        let none_readable = errors.len() == files.len();
        for (path, error) in errors {
            self.unreadable.add(path, error);
        }
        self.unreadable.check()?;
        match none_readable {
            true => self.unreadable.too_many(),
            false => Ok(brightness),
        }
    }

    fn preprocessing(&self, (mean, std): (Vec<f32>, Vec<f32>)) -> Result<Preprocessing, DataError> {
        let side = self.preparation.height();
        Ok(Preprocessing::new(
            self.preparation.shape(),
            side,
            mean,
            std,
        )?)
    }

    fn image_bytes(&self) -> usize {
        self.preparation.shape().iter().product()
    }
}

fn classes(files: &[ImageFile]) -> HashSet<u32> {
    files.iter().map(|file| file.label).collect()
}
