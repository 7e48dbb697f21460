//! Failure of a device during a run.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use command_line::started::command_line;
use device::MORE_THREADS;
use thiserror::Error;
use train::RunFolder;

/// A run that ended in a panic, as drivers and Burn's threads report fatal errors.
#[derive(Debug, Error)]
#[error("the run failed: {message}")]
pub(crate) struct BrokenOff {
    message: String,
    folder: PathBuf,
}

impl BrokenOff {
    pub(crate) fn hint(&self) -> String {
        if self.message == NO_THREAD {
            return MORE_THREADS.to_owned();
        }
        let log = self.folder.join("experiment.log");
        let again = match RunFolder::has_checkpoint(&self.folder) {
            true => format!(
                "resume it with `{}`",
                command_line(&["--resume"], &self.folder)
            ),
            false => "start it again".to_owned(),
        };
        format!(
            "{again}; if that fails too, {} and --device flex tell more",
            log.display()
        )
    }
}

/// Message for a panic because the system started no other thread.
const NO_THREAD: &str = "the system does not allow another thread";

/// Runs the work and turns a panic into an error. Panics of other threads, such as Burn's, go to the log.
pub(crate) fn catch<T>(folder: &Path, work: impl FnOnce() -> T) -> Result<T, BrokenOff> {
    let printing = panic::take_hook();
    panic::set_hook(Box::new(|info| log::error!("{info}")));
    let result = catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(printing);
    result.map_err(|panic| BrokenOff {
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
    line.map_or_else(|| "a panic without a message".to_owned(), plain)
}

/// Replaces Rust's debug form of a system error, such as `Os { code: 12, kind: OutOfMemory, message: "Cannot allocate
/// memory" }`, by its message.
fn plain(message: &str) -> String {
    if message.contains("kind: WouldBlock") {
        return NO_THREAD.to_owned();
    }
    let [start, mark] = ["Os { code: ", "message: \""];
    message
        .split_once(start)
        .and_then(|(before, error)| {
            let (_, words) = error.split_once(mark)?;
            let (words, after) = words.split_once("\" }")?;
            Some(format!("{before}{words}{after}"))
        })
        .unwrap_or_else(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_becomes_message_with_hint() {
        let folder = Path::new("runs/mine");
        let error = catch(folder, || panic!("no memory left on {}", "cuda:0")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the run failed: no memory left on cuda:0"
        );
        assert!(
            error.hint().starts_with("start it again; "),
            "{}",
            error.hint()
        );
        let system = "called `Result::unwrap()` on an `Err` value: Os { code: 11, kind: WouldBlock, message: \"Resource temporarily unavailable\" }";
        let error = catch(folder, || panic!("{system}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the run failed: the system does not allow another thread"
        );
        assert!(error.hint().contains("ulimit -u"), "{}", error.hint());
        let system =
            "cannot map: Os { code: 12, kind: OutOfMemory, message: \"Cannot allocate memory\" }";
        assert_eq!(message(&system), "cannot map: Cannot allocate memory");
        assert_eq!(message(&7), "a panic without a message");
        assert_eq!(catch(folder, || 7).unwrap(), 7);
    }
}
