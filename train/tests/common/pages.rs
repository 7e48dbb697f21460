//! Commands shown in README.md, CONTRIBUTING.md and the pages in docs/, with the output shown for them.

use std::fs;
use std::path::{Path, PathBuf};

/// A command shown on a page.
#[derive(Debug)]
pub struct Documented {
    /// File name and line, such as `runs.md:19`.
    pub place: String,
    pub words: Vec<String>,
    pub output: Vec<String>,
}

/// Returns the workspace folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns every command, in page order.
pub fn commands() -> Vec<Documented> {
    let mut pages = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    let docs = fs::read_dir(root().join("docs")).unwrap();
    pages.extend(docs.map(|entry| entry.unwrap().path()));
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    pages.sort();
    pages.iter().flat_map(|page| of_page(page)).collect()
}

fn of_page(page: &Path) -> Vec<Documented> {
    let text = fs::read_to_string(page).unwrap();
    let mut commands: Vec<Documented> = Vec::new();
    let mut is_console = false;
    for (number, line) in (1..).zip(text.lines()) {
        match (is_console, line.strip_prefix("$ ")) {
            (_, None) if line.starts_with("```") => is_console = line == "```console",
            (true, Some(command)) => {
                let command = command.split(" #").next().unwrap_or_default();
                commands.push(Documented {
                    place: format!("{}:{number}", page.file_name().unwrap().display()),
                    words: command.split_whitespace().map(str::to_owned).collect(),
                    output: Vec::new(),
                });
            }
            (true, None) => commands.last_mut().unwrap().output.push(line.to_owned()),
            (false, _) => {}
        }
    }
    commands
}

impl Documented {
    /// Returns the arguments, if the command runs this program.
    pub fn arguments_of(&self, program: &str) -> Option<Vec<String>> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let arguments = match &words[..] {
            [first, rest @ ..] if *first == program => rest,
            ["cargo", "run", rest @ ..] => {
                let end = rest.iter().position(|word| *word == "--");
                let (cargo, arguments) = match end {
                    Some(end) => (&rest[..end], &rest[end + 1..]),
                    None => (rest, &rest[rest.len()..]),
                };
                let package = cargo.iter().position(|word| *word == "-p")?;
                if cargo.get(package + 1) != Some(&program) {
                    return None;
                }
                arguments
            }
            _ => return None,
        };
        let arguments = arguments.iter().take_while(|word| **word != ">");
        Some(arguments.map(|word| (*word).to_owned()).collect())
    }
}
