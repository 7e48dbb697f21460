//! Colors and signs.

use ratatui::style::{Color, Modifier, Style};

/// Which colors the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// None are to be used, as `NO_COLOR` asks for.
    None,
    /// The 16 that every terminal has.
    #[default]
    Sixteen,
    /// Besides them, the palette of 256 for images.
    Palette,
    /// Besides them, any color for images.
    Full,
}

/// What is behind the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// Something dark.
    #[default]
    Dark,
    /// Something light.
    Light,
}

/// What the screen looks like. Text has the terminal's own foreground and background; the 16 colors
/// only help to tell things apart, which signs and words do as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Which colors there are.
    pub colors: Colors,
    /// Which of them read well.
    pub background: Background,
    /// Whether there are no characters but those of ASCII for charts and lines.
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
    /// No color at all.
    pub fn plain() -> Self {
        Self {
            colors: Colors::None,
            ..Self::default()
        }
    }

    /// The next one for who does not like this one, on a terminal with such colors: dark, light, none. Who
    /// asks for colors gets 16 where none were to be used.
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

    /// For lines and grids, never for text that has to be read.
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

    /// That of a curve, or a part of a bar.
    pub(crate) fn series(self, index: usize) -> Style {
        let index = index % ON_DARK.len();
        self.color(ON_DARK[index], ON_LIGHT[index])
    }

    /// The sign of a curve's points.
    pub(crate) fn mark(self, index: usize) -> char {
        let marks = self.either(
            ['●', '◆', '▲', '■', '✚', '◀'],
            ['o', '#', '^', '%', '+', '@'],
        );
        marks[index % marks.len()]
    }

    /// The sign of a curve's points where that of the same run is taken.
    pub(crate) fn second_mark(self, index: usize) -> char {
        let marks = self.either(
            ['○', '◇', '△', '□', '☆', '◁'],
            ['0', 'H', 'A', 'M', 'T', 'Q'],
        );
        marks[index % marks.len()]
    }

    /// How a part of a bar is filled.
    pub(crate) fn fill(self, index: usize) -> char {
        let fills = self.either(['█', '▓', '▒', '░', '·'], ['#', '=', '+', '-', '.']);
        fills[index % fills.len()]
    }

    /// A share, 0 to 1, as how dark a cell is.
    pub(crate) fn shade(self, share: f64) -> char {
        let shades = self.either([' ', '░', '▒', '▓', '█'], [' ', '.', '+', '*', '#']);
        let level = (share.clamp(0.0, 1.0) * 5.0) as usize;
        shades[level.min(4)]
    }

    /// One of two things: the latter where there is ASCII alone.
    pub(crate) fn either<T>(self, unicode: T, ascii: T) -> T {
        if self.ascii { ascii } else { unicode }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_go_round_and_the_plain_one_has_no_color() {
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
    fn shades_rise() {
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
