//! The picture of a screen that the README shows.

#[allow(dead_code, reason = "other tests use the rest")]
mod stage;
#[path = "../examples/picture/svg.rs"]
mod svg;
mod synthetic;

use stage::{going_on, live};

#[test]
fn curves_and_bars_are_shapes() {
    let stage = going_on();
    for page in ["1", "2", "4"] {
        let size = (140, 42);
        let mut state = stage.state(live(), size);
        stage.press(&mut state, page);
        let buffer = stage.buffer(&state, size);
        let is_shape = |symbol: &str| symbol.chars().any(is_drawn_as_shape);
        assert!(
            buffer.content().iter().any(|cell| is_shape(cell.symbol())),
            "page {page}"
        );
        let svg = svg::svg(&buffer);
        assert!(!svg.chars().any(is_drawn_as_shape), "page {page}");
        assert!(svg.contains(">Overview<"), "page {page}");
        // The lines of curves are of full strength; what is faint is behind them.
        let has_curves = ["1", "2"].contains(&page);
        assert_eq!(svg.contains("stroke-linecap"), has_curves, "page {page}");
        let faint = svg
            .rfind("<path")
            .is_some_and(|last| svg[last..].contains("opacity"));
        assert!(!faint, "page {page}");
    }
}

fn is_drawn_as_shape(character: char) -> bool {
    matches!(character, '\u{2801}'..='\u{28ff}' | '\u{2580}'..='\u{2593}')
}
