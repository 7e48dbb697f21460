//! Colors and markers.

use ratatui::style::{Color, Modifier, Style};

/// Colors that the terminal supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// No colors, as requested by `NO_COLOR`.
    None,
    /// The 16 colors of every terminal.
    #[default]
    Sixteen,
    /// Also the 256-color palette, for images.
    Palette,
    /// Also any color, for images.
    Full,
}

/// Background of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// A dark background.
    #[default]
    Dark,
    /// A light background.
    Light,
}

/// Look of the dashboard. Text has the terminal's own foreground and background; the 16 colors only
/// help to distinguish things, and markers and words do so too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Colors in use.
    pub colors: Colors,
    /// Background that the colors are chosen for.
    pub background: Background,
    /// Whether charts and lines only use ASCII characters.
    pub ascii: bool,
}

/// Colors of curves, in order.
const ON_DARK: [Color; 6] = [
    Color::Cyan,
    Color::Yellow,
    Color::LightMagenta,
    Color::LightGreen,
    Color::LightBlue,
    Color::LightRed,
];
const ON_LIGHT: [Color; 6] = [
    Color::Blue,
    Color::Red,
    Color::Magenta,
    Color::Green,
    Color::Cyan,
    Color::DarkGray,
];

impl Theme {
    /// Returns a theme without colors.
    pub fn plain() -> Self {
        Self {
            colors: Colors::None,
            ..Self::default()
        }
    }

    /// Returns the next theme on a terminal with the given colors, in the order dark, light, none.
    /// If the terminal has no colors, dark and light use 16.
    #[must_use]
    pub(crate) fn next(self, terminal: Colors) -> Self {
        let some = match terminal {
            Colors::None => Colors::Sixteen,
            some => some,
        };
        let (colors, background) = match (self.colors, self.background) {
            (Colors::None, _) => (some, Background::Dark),
            (colors, Background::Dark) => (colors, Background::Light),
            (_, Background::Light) => (Colors::None, Background::Dark),
        };
        Self {
            colors,
            background,
            ..self
        }
    }

    fn color(self, on_dark: Color, on_light: Color) -> Style {
        match (self.colors, self.background) {
            (Colors::None, _) => Style::new(),
            (_, Background::Dark) => Style::new().fg(on_dark),
            (_, Background::Light) => Style::new().fg(on_light),
        }
    }

    pub(crate) fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Style for lines and grids, never for text that must be readable.
    pub(crate) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(crate) fn key(self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    pub(crate) fn accent(self) -> Style {
        self.color(Color::Cyan, Color::Blue)
    }

    pub(crate) fn good(self) -> Style {
        self.color(Color::LightGreen, Color::Green)
    }

    pub(crate) fn warning(self) -> Style {
        self.color(Color::Yellow, Color::Magenta)
            .add_modifier(Modifier::BOLD)
    }

    pub(crate) fn bad(self) -> Style {
        self.color(Color::LightRed, Color::Red)
            .add_modifier(Modifier::BOLD)
    }

    /// Returns the style of a curve, or of a part of a bar.
    pub(crate) fn series(self, index: usize) -> Style {
        let index = index % ON_DARK.len();
        self.color(ON_DARK[index], ON_LIGHT[index])
    }

    /// Returns the marker of a curve's points.
    pub(crate) fn mark(self, index: usize) -> char {
        let marks = self.either(
            ['●', '◆', '▲', '■', '✚', '◀'],
            ['o', '#', '^', '%', '+', '@'],
        );
        marks[index % marks.len()]
    }

    /// Returns the marker of a curve's points if another curve of the same run uses the first.
    pub(crate) fn second_mark(self, index: usize) -> char {
        let marks = self.either(
            ['○', '◇', '△', '□', '☆', '◁'],
            ['0', 'H', 'A', 'M', 'T', 'Q'],
        );
        marks[index % marks.len()]
    }

    /// Returns the character that fills a part of a bar.
    pub(crate) fn fill(self, index: usize) -> char {
        let fills = self.either(['█', '▓', '▒', '░', '·'], ['#', '=', '+', '-', '.']);
        fills[index % fills.len()]
    }

    /// Returns the character that shades a cell for a fraction, 0 to 1.
    pub(crate) fn shade(self, share: f64) -> char {
        let shades = self.either([' ', '░', '▒', '▓', '█'], [' ', '.', '+', '*', '#']);
        let level = (share.clamp(0.0, 1.0) * 5.0) as usize;
        shades[level.min(4)]
    }

    /// Returns one of two values: the second if only ASCII is used.
    pub(crate) fn either<T>(self, unicode: T, ascii: T) -> T {
        if self.ascii { ascii } else { unicode }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_cycle_and_plain_theme_has_no_color() {
        for colors in [Colors::Sixteen, Colors::Palette, Colors::Full] {
            let theme = Theme {
                colors,
                ..Theme::default()
            };
            let next = |theme: Theme| theme.next(colors);
            assert_eq!(next(next(next(theme))), theme);
        }
        let plain = Theme::plain();
        assert_eq!(plain.next(Colors::None), Theme::default());
        let styles = [
            plain.accent(),
            plain.good(),
            plain.warning(),
            plain.bad(),
            plain.series(4),
            plain.key(),
        ];
        assert!(styles.iter().all(|style| style.fg.is_none()));
    }

    #[test]
    fn shades_increase_with_value() {
        let theme = Theme::default();
        let shades: String = [0.0, 0.25, 0.5, 0.75, 1.0, f64::NAN]
            .map(|share| theme.shade(share))
            .into_iter()
            .collect();
        assert_eq!(shades, " ░▒▓█ ");
        assert!(
            Theme {
                ascii: true,
                ..theme
            }
            .shade(1.0)
            .is_ascii()
        );
    }
}
