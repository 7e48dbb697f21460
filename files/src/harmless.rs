//! Names from anywhere, made fit to be printed.

/// A text with a sign in place of every character that moves the cursor, changes a terminal or turns the
/// direction of writing, so that names from anywhere can be printed.
pub fn harmless(text: &str) -> String {
    let is_harmful = |character: char| {
        character.is_control()
            || matches!(
                character,
                '\u{ad}'
                    | '\u{61c}'
                    | '\u{180e}'
                    | '\u{200b}'..='\u{200f}'
                    | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}'
                    | '\u{feff}'
                    | '\u{fff9}'..='\u{fffb}'
                    | '\u{e0000}'..='\u{e007f}'
            )
    };
    text.replace(is_harmful, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_becomes_a_sign() {
        assert_eq!(
            harmless("Stra\u{df}e \u{72ac}.png"),
            "Stra\u{df}e \u{72ac}.png"
        );
        assert_eq!(
            harmless("a\u{1b}[31mred\n\r\u{202e}gpj"),
            "a\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}gpj"
        );
    }
}
