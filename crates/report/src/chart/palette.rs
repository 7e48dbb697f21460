//! Colors and dashes of lines.

use std::fmt::Write as _;

/// Okabe and Ito's palette without yellow, which is faint on white, each with the color for a dark
/// background, where the darker ones are lightened.
pub(crate) const COLORS: [[&str; 2]; 6] = [
    ["#0072b2", "#56a8e0"],
    ["#d55e00", "#f0883e"],
    ["#009e73", "#2fc79a"],
    ["#a8548a", "#d992bf"],
    ["#8a6d00", "#d9b84a"],
    ["#555555", "#aaaaaa"],
];

/// Background, text, titles and grid.
const GRAYS: [[&str; 4]; 2] = [
    ["#ffffff", "#444444", "#111111", "#dddddd"],
    ["#0d1117", "#b0b8c0", "#f0f4f8", "#30363d"],
];

/// Lengths of dashes and of the gaps between them; empty for a solid line.
pub(crate) const DASHES: [&str; 5] = ["", "6 4", "2 3", "10 3 2 3", "12 5"];

/// Returns the style sheet rules for a light or a dark background.
pub(crate) fn color_rules(is_dark: bool) -> String {
    let column = usize::from(is_dark);
    let [ground, text, strong, grid] = GRAYS[column];
    let mut rules = format!(
        ".ground{{fill:{ground}}}text{{fill:{text}}}.strong{{fill:{strong};font-weight:600}}\
         .grid{{stroke:{grid}}}"
    );
    for (number, colors) in COLORS.iter().enumerate() {
        let color = colors[column];
        // Writing to a string cannot fail.
        let _ = write!(
            rules,
            ".l{number}{{stroke:{color}}}.m{number}{{fill:{color}}}"
        );
    }
    rules
}
