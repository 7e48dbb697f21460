//! Keeps the panics of drivers and of Burn's own threads off the terminal while a device is tried.

use std::{
    panic::{self, PanicHookInfo},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync + 'static>;

/// Only one probe at a time may swap the process's panic hook, or the wrong one is put back.
static HOOK_IN_USE: Mutex<()> = Mutex::new(());

/// While it lives, panics print nothing and their messages are kept.
///
/// The panic hook belongs to the whole process: a panic of an unrelated thread during this time
/// is not printed either. The previous hook is put back on drop.
pub(crate) struct Quiet {
    messages: Arc<Mutex<Vec<String>>>,
    previous: Option<Hook>,
    _only_one: MutexGuard<'static, ()>,
}

impl Quiet {
    /// Silences panics until the value is dropped. Waits while another thread holds one, so a
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

    /// Runs `work` and turns a panic in it into the message of the first panic since `begin`,
    /// on whatever thread: later ones are usually its consequences.
    #[cfg(any(feature = "cuda", feature = "rocm", feature = "wgpu", test))]
    pub(crate) fn catch<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        panic::catch_unwind(panic::AssertUnwindSafe(work)).map_err(|_| {
            self.first_message()
                .unwrap_or_else(|| "it panicked without a message".to_owned())
        })
    }

    /// The first line of the first panic since `begin`, if there was one.
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
        // The hook cannot be touched from a panicking thread; it then stays silent.
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
    fn the_first_panic_of_any_thread_is_the_reason() {
        let quiet = Quiet::begin();
        let result = quiet.catch(|| {
            let root = std::thread::spawn(|| panic!("\n  no driver \n details"));
            root.join().expect("a consequence");
        });
        assert_eq!(result, Err("no driver".to_owned()));
    }

    #[test]
    fn work_that_succeeds_gives_its_value() {
        let quiet = Quiet::begin();
        assert_eq!(quiet.catch(|| 7), Ok(7));
        assert_eq!(quiet.first_message(), None);
    }
}
