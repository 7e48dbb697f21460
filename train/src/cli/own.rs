//! Command lines of this program for users to paste.

use std::path::Path;

/// Returns a command line that calls this program like the current one, and ends with a run's folder.
///
/// It is quoted for shells; bytes of the path that are not text are replaced.
pub(crate) fn command_line(words: &[&str], folder: &Path) -> String {
    let program = std::env::args().next();
    let program = program.unwrap_or_else(|| "train".to_owned());
    let folder = folder.to_string_lossy();
    let line: Vec<&str> = [program.as_str()]
        .into_iter()
        .chain(words.iter().copied())
        .chain([folder.as_ref()])
        .collect();
    // Only null bytes cannot be quoted, and no path has one.
    shlex::try_join(line.iter().copied()).unwrap_or_else(|_| line.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_with_space_is_quoted() {
        let line = command_line(&["watch"], Path::new("runs/my run"));
        assert!(line.ends_with(" watch 'runs/my run'"), "{line}");
    }
}
