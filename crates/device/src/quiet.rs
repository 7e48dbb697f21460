//! Suppresses panic messages of drivers and of Burn's own threads while a device is tried.

use std::{
    panic::{self, PanicHookInfo},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync + 'static>;

/// Only one probe at a time may replace the process's panic hook; otherwise the wrong hook is
/// restored.
static HOOK_IN_USE: Mutex<()> = Mutex::new(());

/// Guard that suppresses panic output and records panic messages while it is alive.
///
/// The panic hook applies to the whole process: panics of unrelated threads are not printed either
/// during this time. Dropping the guard restores the previous hook.
pub(crate) struct Quiet {
    messages: Arc<Mutex<Vec<String>>>,
    previous: Option<Hook>,
    _only_one: MutexGuard<'static, ()>,
}

impl Quiet {
    /// Silences panics until the value is dropped. Blocks while another thread holds a guard, so a
    /// thread must not hold two.
    pub(crate) fn begin() -> Self {
        let only_one = HOOK_IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = Arc::new(Mutex::new(Vec::new()));
        let previous = panic::take_hook();
        let sink = Arc::clone(&messages);
        panic::set_hook(Box::new(move |info| {
            let message = info.payload_as_str().unwrap_or("a panic without a message");
            sink.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(message.to_owned());
        }));
        Self {
            messages,
            previous: Some(previous),
            _only_one: only_one,
        }
    }

    /// Runs `work` and converts a panic in it into the message of the first panic since `begin` on
    /// any thread, because later panics are usually its consequences.
    #[cfg(any(feature = "cuda", feature = "rocm", feature = "wgpu", test))]
    pub(crate) fn catch<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        panic::catch_unwind(panic::AssertUnwindSafe(work)).map_err(|_| {
            self.first_message()
                .unwrap_or_else(|| "it panicked without a message".to_owned())
        })
    }

    /// Returns the first line of the first panic since `begin`, if any.
    pub(crate) fn first_message(&self) -> Option<String> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = messages.first()?.lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty());
        Some(
            lines
                .next()
                .unwrap_or("a panic without a message")
                .to_owned(),
        )
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A panicking thread cannot change the hook; it then stays silent.
        if let Some(previous) = self.previous.take()
            && !std::thread::panicking()
        {
            panic::set_hook(previous);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_panic_of_any_thread_becomes_reason() {
        let quiet = Quiet::begin();
        let result = quiet.catch(|| {
            let root = std::thread::spawn(|| panic!("\n  no driver \n details"));
            root.join().expect("a consequence");
        });
        assert_eq!(result, Err("no driver".to_owned()));
    }

    #[test]
    fn successful_work_returns_its_value() {
        let quiet = Quiet::begin();
        assert_eq!(quiet.catch(|| 7), Ok(7));
        assert_eq!(quiet.first_message(), None);
    }
}
