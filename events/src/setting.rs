//! What settings say.

/// Settings that only say where a run is kept.
const WHEREABOUTS: [&str; 2] = ["name", "runs_dir"];

/// Whether runs with other values of a setting are other runs. Every run has a name of its own, and where it
/// lies changes nothing in it. The setting is named by the way to it, `optimizer.rate`.
pub fn tells_runs_apart(setting: &str) -> bool {
    !WHEREABOUTS.contains(&setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_folders_tell_nothing() {
        assert!(!tells_runs_apart("name"));
        assert!(!tells_runs_apart("runs_dir"));
        assert!(tells_runs_apart("seed"));
        assert!(tells_runs_apart("optimizer.name"));
    }
}
