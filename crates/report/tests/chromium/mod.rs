//! Chromium without a window, led by its DevTools protocol over two pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// The browser reads its orders from file 3 and answers to file 4.
const START: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub is_dark: bool,
    pub is_print: bool,
    pub has_scripts: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 900,
            is_dark: false,
            is_print: false,
            has_scripts: true,
        }
    }
}

/// A browser with one page.
pub struct Browser {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let programs = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let mut found = programs.filter(|program| program.is_file());
    found.next().expect("there is no Chromium on the PATH")
}

impl Browser {
    /// Opens a file, and waits until it is loaded.
    pub fn open(file: &Path, look: Look) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", START])
            .arg(program())
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
            ])
            .args([
                "--no-first-run",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut browser = Self {
            orders: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
            session: None,
            last: 0,
            events: Vec::new(),
            _profile: profile,
        };
        browser.load(file, look);
        browser
    }

    fn load(&mut self, file: &Path, look: Look) {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", target);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let size = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.width < 600,
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let scheme = if look.is_dark { "dark" } else { "light" };
        let media = json!({
            "media": if look.is_print { "print" } else { "" },
            "features": [{"name": "prefers-color-scheme", "value": scheme}],
        });
        self.call("Emulation.setEmulatedMedia", media);
        self.call(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": !look.has_scripts}),
        );
        let address = format!("file://{}", file.display());
        self.call("Page.navigate", json!({"url": address}));
        while !self
            .events
            .iter()
            .any(|event| event["method"] == "Page.loadEventFired")
        {
            let event = self.receive();
            self.events.push(event);
        }
    }

    /// Sends an order and returns its result.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut order = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        self.orders
            .write_all(format!("{order}\0").as_bytes())
            .unwrap();
        loop {
            let answer = self.receive();
            if answer["id"] != json!(self.last) {
                self.events.push(answer);
                continue;
            }
            assert!(answer["error"].is_null(), "{method}: {answer}");
            return answer["result"].clone();
        }
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "Chromium has gone away");
        serde_json::from_slice(&message).unwrap()
    }

    /// The value of an expression on the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let order = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", order);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// The text of an expression on the page.
    pub fn text(&mut self, expression: &str) -> String {
        let value = self.evaluate(expression);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{expression}: {value}"))
            .to_owned()
    }

    /// Moves the pointer to a place of the window.
    pub fn point(&mut self, x: f64, y: f64) {
        let event = json!({"type": "mouseMoved", "x": x, "y": y});
        self.call("Input.dispatchMouseEvent", event);
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", json!({"type": kind, "key": key}));
        }
    }

    /// Saves what the whole page looks like, for people.
    pub fn image(&mut self, file: &Path) {
        let size = self.call("Page.getLayoutMetrics", json!({}))["cssContentSize"].clone();
        let clip =
            json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let order = json!({"captureBeyondViewport": true, "clip": clip});
        let image = self.call("Page.captureScreenshot", order);
        write(file, &image);
    }

    /// Saves what the window shows, for people.
    pub fn view(&mut self, file: &Path) {
        let image = self.call("Page.captureScreenshot", json!({}));
        write(file, &image);
    }

    /// Saves the page as it is printed.
    pub fn print(&mut self, file: &Path) -> usize {
        let printed = self.call(
            "Page.printToPDF",
            json!({"preferCSSPageSize": true, "paperWidth": 8.27, "paperHeight": 11.69}),
        );
        write(file, &printed)
    }

    /// Everything that a user would see in the console, and every request but that for the page.
    pub fn troubles(&mut self) -> Vec<String> {
        // Events before the answer to this have arrived with it.
        self.evaluate("1");
        let is_trouble = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled") => true,
            Some("Network.requestWillBeSent") => {
                let address = event["params"]["request"]["url"]
                    .as_str()
                    .unwrap_or_default();
                !address.starts_with("data:") && event["params"]["type"] != "Document"
            }
            _ => false,
        };
        let troubles = self.events.iter().filter(is_trouble);
        troubles.map(Value::to_string).collect()
    }
}

fn write(file: &Path, answer: &Value) -> usize {
    let bytes = BASE64_STANDARD
        .decode(answer["data"].as_str().unwrap())
        .unwrap();
    std::fs::write(file, &bytes).unwrap();
    bytes.len()
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
