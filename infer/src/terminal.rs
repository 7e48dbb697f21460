//! What both programs show on a terminal while something takes its time.

use std::ops::ControlFlow;
use std::path::PathBuf;

use download::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::foreign::{Published, PublishedError};

/// [`Published::fetch`] with a progress bar on standard error, which hides itself where that is no
/// terminal.
///
/// # Errors
///
/// As those of [`Published::fetch`].
pub fn fetch(weights: Published) -> Result<PathBuf, PublishedError> {
    let style = ProgressStyle::with_template(
        "{msg} [{bar:30}] {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .progress_chars("=> ");
    let bar = ProgressBar::no_length().with_style(style);
    let result = weights.fetch(&mut |progress| {
        match progress {
            Progress::Waiting => bar.set_message("another process downloads"),
            Progress::Checking { checked, total } => {
                bar.set_message(format!("checking {weights}"));
                bar.set_length(total);
                bar.set_position(checked);
            }
            Progress::Receiving { received, total } => {
                bar.set_message(format!("downloading {weights}"));
                if let Some(total) = total {
                    bar.set_length(total);
                }
                bar.set_position(received);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    result
}
