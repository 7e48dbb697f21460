//! The image of a screen that the README shows.

#[allow(dead_code, reason = "other tests use the rest")]
mod stage;
#[path = "../examples/screenshot/svg.rs"]
mod svg;
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use dashboard::trace;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use stage::{going_on, live};

#[test]
fn svg_draws_curves_and_bars_as_shapes() {
    let stage = going_on();
    for page in ["1", "2", "4"] {
        let size = (140, 42);
        let mut state = stage.state(live(), size);
        stage.press(&mut state, page);
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let mut curves = Vec::new();
        terminal
            .draw(|frame| curves = trace(frame, &state, &stage.views()))
            .unwrap();
        let svg = svg::svg(terminal.backend().buffer(), &curves);
        assert!(!svg.chars().any(is_drawn_as_shape), "page {page}");
        assert!(svg.contains(">Overview<"), "page {page}");
        // A line for each curve, through as many places as it has, and an area behind those of steps.
        let lines = curves.iter().filter(|curve| !curve.lines.is_empty());
        let areas = curves.iter().filter(|curve| !curve.band.is_empty());
        let [lines, areas] = [lines.count(), areas.count()];
        assert_eq!(svg.matches("stroke-linecap").count(), lines, "page {page}");
        assert_eq!(svg.matches("z\" fill").count(), areas, "page {page}");
        let has_curves = ["1", "2"].contains(&page);
        assert_eq!(lines > 1 && areas > 0, has_curves, "page {page}");
    }
}

fn is_drawn_as_shape(character: char) -> bool {
    matches!(character, '\u{2801}'..='\u{28ff}' | '\u{2580}'..='\u{2593}')
}
