//! The table of crates in ARCHITECTURE.md is what Cargo knows, the modules of every crate form no cycles, and those of
//! `train` form layers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// Of each crate in this workspace or module of a crate, the others that it depends on, but for tests alone.
type Dependencies = BTreeMap<String, BTreeSet<String>>;

#[test]
fn crate_table_matches_cargo() {
    assert_eq!(written(), known_to_cargo());
}

fn written() -> Dependencies {
    let rows = include_str!("../../ARCHITECTURE.md")
        .lines()
        .skip_while(|line| !line.starts_with("| crate |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let name = names(cells[1]).pop_first().unwrap();
        (name, names(cells[3]))
    })
    .collect()
}

/// What stands in backticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn known_to_cargo() -> Dependencies {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let members: BTreeSet<String> = packages.iter().map(name).collect();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let built = all.filter(|dependency| dependency["kind"] != "dev");
        built
            .map(name)
            .filter(|name| members.contains(name))
            .collect()
    };
    packages
        .iter()
        .map(|package| (name(package), of(package)))
        .collect()
}

#[test]
fn modules_form_no_cycles() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.flat_map(|package| package["targets"].as_array().unwrap());
    let mut cycles = Vec::new();
    for target in targets {
        if target["kind"] != json!(["lib"]) && target["kind"] != json!(["bin"]) {
            continue;
        }
        let root = Path::new(target["src_path"].as_str().unwrap());
        let imports = imports(root);
        let mut reached = imports.clone();
        for _ in &imports {
            for modules in reached.values_mut() {
                let further = modules.iter().flat_map(|module| &imports[module]);
                *modules = modules.iter().chain(further).cloned().collect();
            }
        }
        reached.retain(|module, reached| reached.contains(module));
        if !reached.is_empty() {
            let modules: Vec<String> = reached.into_keys().collect();
            cycles.push(format!("{}: {}", root.display(), modules.join(", ")));
        }
    }
    assert_eq!(cycles, [""; 0]);
}

/// The modules of the library as its documentation lists them: each imports from those above it alone.
#[test]
fn modules_import_only_from_layers_above() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let library = fs::read_to_string(&root).unwrap();
    let rows = library
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "));
    let layers: Vec<String> = rows.filter_map(|row| names(row).pop_first()).collect();
    let layer = |module: &str| {
        let mut layers = layers.iter().map(|name| name.trim_matches(['[', ']']));
        let layer = layers.position(|layer| layer == module);
        layer.unwrap_or_else(|| panic!("{module} is not in the table"))
    };
    for (module, imported) in imports(&root) {
        for from in imported {
            assert!(
                layer(&from) < layer(&module),
                "{module} imports from {from}, which is below it"
            );
        }
    }
}

/// Returns the top-level modules of a crate, and from which of the others each imports: by `crate::module` or by a name
/// that the crate's root takes from a module.
fn imports(root: &Path) -> Dependencies {
    let text = code(root);
    let modules: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_suffix(';')?.rsplit_once("mod "))
        .map(|(_, module)| module)
        .collect();
    let mut home: BTreeMap<&str, &str> = BTreeMap::new();
    for statement in text.split("use ").skip(1) {
        let statement = statement.split(';').next().unwrap();
        let mut names = statement.split(|letter| !is_of_a_name(letter));
        if let Some(module) = names.next().filter(|name| modules.contains(name)) {
            home.extend(names.map(|name| (name, module)));
        }
    }
    home.extend(modules.iter().map(|module| (*module, *module)));
    let of = |module: &&str| {
        let files = files_of(root.parent().unwrap(), module);
        let code: Vec<String> = files.iter().map(|file| code(file)).collect();
        let paths = code.iter().flat_map(|code| code.split("crate::").skip(1));
        let homes = paths
            .flat_map(first_names)
            .filter_map(|name| home.get(name));
        let others = homes.filter(|home| *home != module);
        others.map(|home| (*home).to_owned()).collect()
    };
    modules
        .iter()
        .map(|module| ((*module).to_owned(), of(module)))
        .collect()
}

/// Returns the content of a file without comments and unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("\nmod tests {").next().unwrap().lines();
    let code: Vec<&str> = code.map(|line| line.split("//").next().unwrap()).collect();
    code.join("\n")
}

/// Returns the first name of a path, or of each path in braces.
fn first_names(path: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut is_first = true;
    let mut names = Vec::new();
    for part in path.split_inclusive(|letter| !is_of_a_name(letter)) {
        let name = part.trim_end_matches(|letter| !is_of_a_name(letter));
        if is_first && !name.is_empty() {
            names.push(name);
            is_first = false;
        }
        match part.chars().last() {
            Some('{') => depth += 1,
            Some('}') => depth -= 1,
            Some(',') => is_first = depth == 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns a module's own file and all files of its folder.
fn files_of(source: &Path, module: &str) -> Vec<PathBuf> {
    let mut files = vec![source.join(format!("{module}.rs"))];
    files.retain(|file| file.is_file());
    let mut folders = vec![source.join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.file_stem().is_some_and(|name| name == "tests") {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "rs"));
    files
}
