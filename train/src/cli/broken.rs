//! A device that gives up in the middle of a run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A run that ended in a panic: so do drivers and Burn's threads tell that they cannot go on.
#[derive(Debug, Error)]
#[error("the run broke off: {message}")]
pub(crate) struct BrokenOff {
    message: String,
    folder: PathBuf,
}

impl BrokenOff {
    pub(crate) fn hint(&self) -> String {
        format!(
            "go on from its last checkpoint with --resume {}; if that breaks off too, {} and --device flex tell more",
            self.folder.display(),
            self.folder.join("experiment.log").display()
        )
    }
}

/// Does the work on a run; a panic in it becomes an error.
pub(super) fn catch<T>(folder: &Path, work: impl FnOnce() -> T) -> Result<T, BrokenOff> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| BrokenOff {
        message: message(&*panic),
        folder: folder.to_owned(),
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()));
    line.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_sentence_and_a_way_out() {
        let folder = Path::new("runs/mine");
        let error = catch(folder, || panic!("no memory left on {}", "cuda:0")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the run broke off: no memory left on cuda:0"
        );
        assert!(
            error.hint().contains("--resume runs/mine"),
            "{}",
            error.hint()
        );
        assert_eq!(message(&7), "a panic without a message");
        assert_eq!(catch(folder, || 7).unwrap(), 7);
    }
}
