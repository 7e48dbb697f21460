//! Help, shell completions and the manual page of the real program.

use std::process::Command;

fn infer(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_infer"))
        .args(arguments)
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn short_help_fits_one_screen() {
    let help = infer(&["-h"]);
    assert!((10..=40).contains(&help.lines().count()), "{help}");
    assert!(
        help.lines().all(|line| line.chars().count() <= 80),
        "{help}"
    );
    for part in ["IMAGE", "Model:", "Output:", "--top-k"] {
        assert!(help.contains(part), "no {part} in {help}");
    }
    let long = infer(&["--help"]);
    for part in ["--list-devices", "--completions", "Examples:"] {
        assert!(long.contains(part) && !help.contains(part), "{part}");
    }
}

#[test]
fn completions_and_man_page_need_no_image() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            infer(&["--completions", shell]).contains("top-k"),
            "{shell}"
        );
    }
    let page = infer(&["--man"]);
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{page}");
    assert!(page.contains(".SH EXAMPLES"), "{page}");
}
