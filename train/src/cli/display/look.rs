//! Look of a screen on this terminal.

use std::env;
use std::path::Path;

use dashboard::{Background, Colors, Theme};

/// Reads the look from the environment: `NO_COLOR`, `COLORTERM`, `TERM`, `COLORFGBG` and the locale.
pub(crate) fn theme() -> Theme {
    of(&|name| env::var(name).unwrap_or_default())
}

fn of(variable: &dyn Fn(&str) -> String) -> Theme {
    let colors = if !variable("NO_COLOR").is_empty() || variable("TERM") == "dumb" {
        Colors::None
    } else if ["truecolor", "24bit"].contains(&variable("COLORTERM").as_str()) {
        Colors::Full
    } else if variable("TERM").contains("256") {
        Colors::Palette
    } else {
        Colors::Sixteen
    };
    // Color numbers of foreground and background: `0;15` is black on white.
    let background = match variable("COLORFGBG").rsplit(';').next() {
        Some("7" | "15") => Background::Light,
        _ => Background::Dark,
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable);
    let locale = locale.iter().find(|locale| !locale.is_empty());
    // Without a locale, as in a container, terminals usually support Unicode.
    let is_ascii = locale.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8") && locale != "c" && locale != "posix"
    });
    Theme {
        colors,
        background,
        ascii: is_ascii,
    }
}

/// Returns the name of a run on a screen: its folder's name.
pub(crate) fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(variables: &[(&str, &str)]) -> Theme {
        let value = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map_or_else(String::new, |(_, value)| (*value).to_owned())
        };
        of(&value)
    }

    #[test]
    fn terminal_features_follow_environment() {
        let plain = theme(&[]);
        assert_eq!(plain.colors, Colors::Sixteen);
        assert_eq!(plain.background, Background::Dark);
        assert!(!plain.ascii);
        let full = theme(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]);
        assert_eq!(full.colors, Colors::Full);
        assert_eq!(
            theme(&[("TERM", "screen-256color")]).colors,
            Colors::Palette
        );
        let none = theme(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
        assert_eq!(none.colors, Colors::None);
        assert_eq!(
            theme(&[("COLORFGBG", "0;15")]).background,
            Background::Light
        );
        assert_eq!(
            theme(&[("COLORFGBG", "15;default;0")]).background,
            Background::Dark
        );
        assert!(theme(&[("LANG", "de_DE.ISO-8859-1")]).ascii);
        assert!(!theme(&[("LANG", "de_DE"), ("LC_ALL", "en_GB.UTF-8")]).ascii);
    }
}
