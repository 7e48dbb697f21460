//! Several concurrent downloads of the same file, and one that is killed.

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::server::{Reply, Server};
use super::{Setup, content, sha256};
use crate::{Download, Outcome, Progress, fetch};

#[test]
fn one_process_downloads_while_others_wait() {
    let file = content(10_000);
    // The server responds once the others are known to wait.
    let waiting = Arc::new((Mutex::new(0), Condvar::new()));
    let server = Server::new({
        let (file, waiting) = (file.clone(), waiting.clone());
        move |asked| {
            let (count, changed) = &*waiting;
            let count = count.lock().unwrap();
            drop(changed.wait_while(count, |count| *count < 3).unwrap());
            Reply::good(asked, &file, "\"1\"")
        }
    });
    let place = Setup::new();
    let loaded = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut has_waited = false;
                let mut count_waiting = |progress| {
                    if progress == Progress::Waiting && !has_waited {
                        has_waited = true;
                        *waiting.0.lock().unwrap() += 1;
                        waiting.1.notify_all();
                    }
                    ControlFlow::Continue(())
                };
                let outcome = place
                    .fetch_watched(&server.mirrors(), &file, &mut count_waiting)
                    .unwrap();
                if outcome != Outcome::AlreadyThere {
                    loaded.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(loaded.into_inner(), 1);
    assert_eq!(server.ranges(), [None]);
    place.assert_holds(&file);
}

/// Environment variable with the URL for the process that is killed.
const URL: &str = "DOWNLOAD_TEST_URL";
const CHECKSUM: &str = "DOWNLOAD_TEST_CHECKSUM";
const PATH: &str = "DOWNLOAD_TEST_PATH";

#[test]
fn killed_process_leaves_part_without_lock() {
    let file = content(100_000);
    let server = Server::with(&file, |asked, file| {
        let reply = Reply::good(asked, file, "\"1\"");
        match asked.index {
            0 => reply.cut(40_000).stall(),
            _ => reply,
        }
    });
    let place = Setup::new();
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "tests::together::process_to_kill", "--ignored"])
        .env(URL, server.url("/file"))
        .env(CHECKSUM, sha256(&file))
        .env(PATH, &place.path)
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while fs::metadata(place.part()).map_or(0, |part| part.len()) < 40_000 {
        assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
        thread::sleep(Duration::from_millis(5));
    }
    process.kill().unwrap();
    process.wait().unwrap();

    let outcome = place.fetch(&server.mirrors(), &file).unwrap();
    assert_eq!(outcome, Outcome::Downloaded { received: 60_000 });
    place.assert_holds(&file);
}

/// Runs in the separate process of the test above.
#[test]
#[ignore = "does nothing by itself"]
fn process_to_kill() {
    let (Ok(url), Ok(checksum), Ok(path)) = (env::var(URL), env::var(CHECKSUM), env::var(PATH))
    else {
        return;
    };
    let download = Download {
        mirrors: &[url],
        checksum: &checksum,
        path: path.as_ref(),
        max_bytes: 1 << 20,
    };
    fetch(&download, &mut |_| ControlFlow::Continue(())).unwrap();
}
