//! Every page at several sizes, as text.

mod stage;
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dashboard::{Background, Colors, Command, Input, Mode, Options, State, Theme, update};
use events::{Ended, Ending, Epoch, Event, History, Metrics, Speed, Step, System};
use ratatui::style::Color;
use stage::{Stage, compared, going_on, live, text, watch};
use synthetic::Plan;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];
const PAGES: [&str; 6] = ["overview", "charts", "classes", "mistakes", "speed", "log"];

#[test]
fn pages_of_running_run_match_snapshots() {
    let stage = going_on();
    for size in SIZES {
        for (index, page) in PAGES.into_iter().enumerate() {
            let screen = stage.screen(live(), size, &(index + 1).to_string());
            insta::assert_snapshot!(format!("live_{}x{}_{page}", size.0, size.1), screen);
        }
    }
}

#[test]
fn pages_of_compared_runs_match_snapshots() {
    let stage = compared();
    for page in [1, 2, 6] {
        let screen = stage.screen(watch(), (120, 40), &format!("{page}r"));
        insta::assert_snapshot!(format!("compare_{}", PAGES[page - 1]), screen);
    }
}

#[test]
fn chart_options_match_snapshots() {
    let stage = going_on();
    for (name, keys) in [
        ("cursor_and_zoom", "2++→←←←←←←"),
        ("log_and_epochs", "2xlSS"),
        ("accuracy_over_time_best", "2MMxxb"),
        ("rate", "2m"),
        ("panned_validation", "2vv+++<<<"),
    ] {
        let screen = stage.screen(watch(), (100, 30), keys);
        insta::assert_snapshot!(format!("charts_{name}"), screen);
    }
}

#[test]
fn class_options_match_snapshots() {
    let stage = going_on();
    for (name, keys) in [("worst", "3o↓↓"), ("fitted", "3z"), ("earlier", "3[[")] {
        let screen = stage.screen(watch(), (100, 30), keys);
        insta::assert_snapshot!(format!("classes_{name}"), screen);
    }
}

/// A run in which everything goes wrong, on a machine with a GPU.
fn troubled() -> Stage {
    let plan = Plan::default();
    let mut history = plan.history(400);
    for step in 401..=440 {
        history.push(Event::Step(Step {
            seconds: step as f64 * 0.1,
            epoch: 3,
            step,
            metrics: Metrics::from_iter([("loss", f64::NAN), ("accuracy", 0.1)]),
        }));
        history.push(Event::Speed(Speed {
            seconds: step as f64 * 0.1,
            step,
            images: 300.0,
            waiting: 0.2,
            forward: 0.05,
            backward: 0.1,
            ..Speed::default()
        }));
        history.push(Event::System(System {
            seconds: step as f64 * 0.1,
            cpu: 0.2,
            cpu_machine: 0.4,
            memory: 2_000_000_000,
            memory_machine: 9_000_000_000,
            memory_total: 64_000_000_000,
            gpu: Some(0.97),
            gpu_memory: Some(7_500_000_000),
        }));
    }
    history.push(Event::Ended(Ended {
        seconds: 45.0,
        ending: Ending::Failed,
        hint: None,
        reason: Some("the loss of step 440 is not finite".to_owned()),
    }));
    Stage::new(vec![("troubled", history)], false)
}

#[test]
fn alerts_and_problems_are_shown() {
    let stage = troubled();
    for page in [1, 5, 6] {
        let screen = stage.screen(watch(), (120, 40), &page.to_string());
        insta::assert_snapshot!(format!("troubled_{}", PAGES[page - 1]), screen);
    }
    assert!(
        stage
            .screen(watch(), (80, 24), "")
            .contains("! the loss of step 401")
    );
}

/// As many classes as ImageNet has.
#[test]
fn many_classes_fit_or_scroll() {
    let mut history = Plan::default().history(1);
    let confusion = (0..1000).flat_map(|class| {
        let other = (class * 7 + 3) % 1000;
        [(class, class, 40), (class, other, 10 + class as u64 % 20)]
    });
    history.push(Event::Epoch(Box::new(Epoch {
        epoch: 1,
        confusion: confusion.collect(),
        ..Epoch::default()
    })));
    let stage = Stage::new(vec![("many", history)], true);
    for (name, keys) in [("fitted", "3"), ("numbers", "3zo↓↓↓")] {
        let screen = stage.screen(watch(), (120, 40), keys);
        insta::assert_snapshot!(format!("many_classes_{name}"), screen);
    }
}

#[test]
fn mouse_matches_keys() {
    let stage = compared();
    let views = stage.views();
    let size = (120, 40);
    let mut state = stage.state(watch(), size);
    let mouse = |state: &mut State, kind, column, row| {
        let event = MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        };
        update(state, Input::Mouse(event), &views).command
    };
    let screen = |state: &State| text(&stage.buffer(state, size));
    let (down, up) = (
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
    );
    mouse(&mut state, down, 16, 1);
    assert!(
        screen(&state).contains("steps 0 to 845"),
        "the page of charts"
    );
    mouse(&mut state, down, 59, 20);
    mouse(&mut state, up, 59, 20);
    assert!(screen(&state).contains("at step 388"), "the cursor");
    mouse(&mut state, MouseEventKind::ScrollUp, 59, 20);
    assert!(
        screen(&state).contains("steps 116 to 708"),
        "zoomed about the mouse"
    );
    mouse(&mut state, down, 59, 20);
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), 70, 20);
    mouse(&mut state, up, 70, 20);
    assert!(screen(&state).contains("steps 57 to 649"), "moved");
    mouse(&mut state, down, 4, 2);
    assert!(screen(&state).contains("83."), "accuracy in percent");
    mouse(&mut state, down, 2, 38);
    assert!(screen(&state).contains("this page"), "help");
    mouse(&mut state, MouseEventKind::ScrollDown, 59, 20);
    assert!(
        screen(&state).contains("this page"),
        "a wheel closes nothing"
    );
    mouse(&mut state, down, 2, 38);
    assert!(!screen(&state).contains("this page"));
    assert_eq!(mouse(&mut state, down, 9, 38), Some(Command::Quit));
}

#[test]
fn help_and_dialogs_match_snapshots() {
    let stage = going_on();
    for size in SIZES {
        let screen = stage.screen(live(), size, "?");
        insta::assert_snapshot!(format!("help_{}x{}", size.0, size.1), screen);
    }
    for (name, keys) in [("top", "?"), ("scrolled", "?↓↓↓")] {
        let screen = stage.screen(live(), (44, 12), keys);
        insta::assert_snapshot!(format!("help_44x12_{name}"), screen);
    }
    let last = format!("?{}", "↓".repeat(100));
    let screen = stage.screen(live(), (44, 12), &last);
    assert!(screen.contains("scroll; PgUp PgDn Home End"), "{screen}");
    assert!(screen.contains("more above: ↑"), "{screen}");
    let back = format!("{last}{}", "↑".repeat(100));
    let first = stage.screen(live(), (44, 12), "?");
    assert_eq!(stage.screen(live(), (44, 12), &back), first);
    assert_eq!(stage.screen(live(), (44, 12), &format!("{last}??")), first);
    let low = stage.screen(live(), (120, 12), "?");
    assert!(low.contains("more below: ↓"), "{low}");
    insta::assert_snapshot!("leave", stage.screen(live(), (80, 24), "q"));
    insta::assert_snapshot!("stop", stage.screen(live(), (80, 24), "2n"));
}

#[test]
fn empty_and_finished_runs_match_snapshots() {
    let empty = Stage::new(vec![("new", History::default())], true);
    insta::assert_snapshot!("empty", empty.screen(live(), (80, 24), ""));
    let begun = Stage::new(vec![("new", Plan::default().history(0))], true);
    for (index, page) in PAGES.into_iter().enumerate() {
        let screen = begun.screen(live(), (80, 24), &(index + 1).to_string());
        insta::assert_snapshot!(format!("begun_{page}"), screen);
    }
    let finished = Stage::new(vec![("first", Plan::default().finished())], false);
    for page in [1, 3] {
        let screen = finished.screen(watch(), (120, 40), &page.to_string());
        insta::assert_snapshot!(format!("finished_{}", PAGES[page - 1]), screen);
    }
}

#[test]
fn small_screens_show_required_size() {
    let stage = going_on();
    assert!(stage.screen(live(), (39, 24), "").contains("too small"));
    assert!(stage.screen(live(), (80, 9), "").contains("too small"));
    for (columns, rows) in [(40, 10), (60, 16)] {
        for page in [1, 2, 6] {
            let screen = stage.screen(live(), (columns, rows), &page.to_string());
            insta::assert_snapshot!(format!("small_{columns}_{}", PAGES[page - 1]), screen);
        }
    }
}

#[test]
fn ascii_mode_draws_only_ascii() {
    let theme = Theme {
        ascii: true,
        ..Theme::plain()
    };
    let options = Options::default().with_theme(theme);
    let stage = going_on();
    for page in 1..=6 {
        let screen = stage.screen(options, (120, 40), &page.to_string());
        let others: String = screen.chars().filter(|c| !c.is_ascii()).collect();
        // What stands for a missing figure, between words, and on the keys.
        let rest = others.trim_matches(['–', '·', '…', '←', '→', '↑', '↓']);
        assert_eq!(rest, "", "page {page}");
    }
}

#[test]
fn plain_theme_has_no_color_and_others_use_sixteen() {
    let stages = [going_on(), compared()];
    let sixteen = Theme::default();
    let light = Theme {
        background: Background::Light,
        ..sixteen
    };
    for theme in [Theme::plain(), sixteen, light] {
        for stage in &stages {
            for page in "123456?".chars() {
                let options = Options::default()
                    .with_mode(Mode::Live)
                    .with_theme(theme)
                    .with_detaches(true);
                let mut state = stage.state(options, (120, 40));
                stage.press(&mut state, &page.to_string());
                for cell in stage.buffer(&state, (120, 40)).content() {
                    for color in [cell.fg, cell.bg] {
                        let is_rich = matches!(color, Color::Rgb(..) | Color::Indexed(_));
                        assert!(!is_rich, "{page}");
                        if theme.colors == Colors::None {
                            assert_eq!(color, Color::Reset, "{page}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn keys_send_requests_to_running_run() {
    let stage = going_on();
    let mut state = stage.state(live(), (80, 24));
    let asked = stage.press(&mut state, "cenxny");
    assert_eq!(
        asked,
        [
            Command::Checkpoint,
            Command::StopAfterEpoch,
            Command::StopNow
        ]
    );
    assert_eq!(stage.press(&mut state, "qx"), []);
    assert_eq!(stage.press(&mut state, "qd"), [Command::Detach]);
    let interrupt = Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    let views = stage.views();
    assert_eq!(
        update(&mut state, interrupt, &views).command,
        Some(Command::StopNow)
    );

    // Who watches is asked before anything ends, and cannot detach what is another's.
    let mut state = stage.state(watch(), (80, 24));
    let asked = stage.press(&mut state, "cenxnyeydd");
    assert_eq!(
        asked,
        [
            Command::Checkpoint,
            Command::StopNow,
            Command::StopAfterEpoch
        ]
    );
    assert_eq!(stage.press(&mut state, "q"), [Command::Quit]);
    let response = update(&mut state, interrupt, &views);
    assert_eq!(response.command, Some(Command::Quit));
    insta::assert_snapshot!("watch_help", stage.screen(watch(), (80, 24), "?"));
    insta::assert_snapshot!("watch_stop", stage.screen(watch(), (80, 24), "n"));

    // There is nothing to ask of a run that is over.
    let over = Stage::new(vec![("first", Plan::default().history(300))], false);
    let mut state = over.state(watch(), (80, 24));
    assert_eq!(over.press(&mut state, "cyeynyd"), []);
    let help = over.screen(watch(), (80, 24), "?");
    assert!(
        !help.contains("checkpoint now") && !help.contains("The run"),
        "{help}"
    );
}

/// What cannot be asked is said, and is not shown as asked.
#[test]
fn requests_go_to_selected_run() {
    let plan = Plan::default();
    let runs = vec![("one", plan.history(300)), ("other", plan.history(200))];
    let stage = Stage::new(runs, true);
    let mut state = stage.state(watch(), (80, 24));
    assert_eq!(stage.press(&mut state, "ny"), [Command::StopNow]);
    let shown = |state: &State| text(&stage.buffer(state, (80, 24)));
    assert!(shown(&state).contains("stops now"), "{}", shown(&state));
    stage.press(&mut state, "r");
    assert!(!shown(&state).contains("stops now"), "{}", shown(&state));
}

#[test]
fn runs_that_ended_early_show_resume_command() {
    let mut history = Plan::default().history(300);
    for (ending, word) in [
        (None, "crashed; resume it with: train --resume runs/first"),
        (
            Some(Ending::Stopped),
            "stopped; resume it with: train --resume runs/first",
        ),
        (
            Some(Ending::Failed),
            "failed; resume it with: train --resume runs/first",
        ),
    ] {
        if let Some(ending) = ending {
            history.push(Event::Ended(Ended {
                seconds: 40.0,
                ending,
                hint: None,
                reason: None,
            }));
        }
        for is_running in [false, true] {
            let stage = Stage::new(vec![("first", history.clone())], is_running);
            for size in [(40, 10), (80, 24), (120, 40), (200, 50)] {
                let page = if size.0 == 40 { "6" } else { "1" };
                let screen = stage.screen(watch(), size, page);
                let seen = if size.0 == 40 { 30 } else { word.len() };
                let is_shown = screen.contains(&word[..seen]);
                assert_eq!(is_shown, !is_running, "{size:?} {screen}");
            }
        }
    }
    let finished = Stage::new(vec![("first", Plan::default().finished())], false);
    assert!(!finished.screen(watch(), (80, 24), "1").contains("resume"));
}

#[test]
fn mistakes_show_file_names() {
    let mut history = Plan::default().history(169);
    let path = "/home/me/photos/validation/Ankle boot/IMG_2041 (edited).jpeg";
    for mistake in &mut history.epochs[0].mistakes {
        mistake.path = Some(path.to_owned());
    }
    let path = "/home/me/elsewhere/a.png";
    history.epochs[0].mistakes[1].path = Some(path.to_owned());
    let mut started = history.started.take().unwrap();
    started.data = "folder:/home/me/photos".to_owned();
    history.started = Some(started);
    let stage = Stage::new(vec![("first", history)], true);
    let screen = stage.screen(watch(), (120, 40), "4");
    let whole = "1: /home/me/photos/validation/Ankle boot/IMG_2041 (edited).jpeg";
    assert!(screen.contains(whole), "{screen}");
    let cut = "…ot/IMG_2041 (edited).jpeg";
    assert!(screen.contains(cut), "{screen}");
    let next = stage.screen(watch(), (120, 40), "4→");
    assert!(next.contains("2: /home/me/elsewhere/a.png"), "{next}");
    // The last one is below; it is scrolled to.
    let last = stage.screen(watch(), (80, 24), &format!("4{}", "→".repeat(20)));
    assert!(last.contains(" 12: /home/me/photos/validation/"), "{last}");
    assert!(last.contains("to 12 shown"), "{last}");
}
