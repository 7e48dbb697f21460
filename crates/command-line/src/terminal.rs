//! Progress bars of both programs.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use data::{DataError, FetchProgress, Source};
use download::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use saved_models::foreign::{Published, PublishedError};

/// Like [`Published::fetch`], with a progress bar on standard error, which is hidden if that is not
/// a terminal.
///
/// # Errors
///
/// Like [`Published::fetch`].
pub fn fetch(weights: Published) -> Result<PathBuf, PublishedError> {
    let bar = byte_bar();
    let name = weights.to_string();
    let result = weights.fetch(&mut |progress| {
        show(&bar, &name, progress);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    result
}

/// Like [`Source::fetch`], with the same progress bar.
///
/// # Errors
///
/// Like [`Source::fetch`].
pub fn fetch_data(source: &Source, data_dir: Option<&Path>) -> Result<(), DataError> {
    let bar = byte_bar();
    let result = source.fetch(data_dir, &mut |progress| {
        match progress {
            FetchProgress::Downloading { file, progress } => {
                show(&bar, &format!("{source}: {file}"), progress);
            }
            FetchProgress::Unpacking { file, done, total } => {
                bar.set_message(format!("unpacking {file}"));
                bar.set_length(total);
                bar.set_position(done);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    result
}

/// Runs a measurement with the same progress bar. `measure` receives a function that takes the
/// fraction done, 0 to 1.
pub fn measuring<T>(measure: impl FnOnce(&mut dyn FnMut(f64)) -> T) -> T {
    let style = ProgressStyle::with_template("measuring [{bar:30}] {percent:>3} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bar = ProgressBar::new(1000).with_style(style);
    let result = measure(&mut |part| bar.set_position((1e3 * part.min(1.0)) as u64));
    bar.finish_and_clear();
    result
}

fn show(bar: &ProgressBar, name: &str, progress: Progress) {
    match progress {
        Progress::Waiting => bar.set_message("another process downloads"),
        Progress::Checking { checked, total } => {
            bar.set_message(format!("checking {name}"));
            bar.set_length(total);
            bar.set_position(checked);
        }
        Progress::Receiving { received, total } => {
            bar.set_message(format!("downloading {name}"));
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(received);
        }
        _ => {}
    }
}

fn byte_bar() -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg} [{bar:30}] {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .progress_chars("=> ");
    ProgressBar::no_length().with_style(style)
}
