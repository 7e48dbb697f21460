//! Events that nobody means well with.

use events::{
    Ended, Ending, Epoch, Event, Level, Message, Metrics, Mistake, Resumed, Speed, Started, Step,
    System, Tested, Thumbnail,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Texts that try to become something else, and numbers that are none.
pub fn text_strategy() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        ".{0,6}",
        Just("</script><script>alert(1)</script>".to_owned()),
        Just("</style></title><img src=x onerror=alert(1)>".to_owned()),
        Just("\" onload=\"alert(1)\" '".to_owned()),
        Just("<!--".to_owned()),
        Just("]]>&lt;&#60;".to_owned()),
        Just("\u{1b}[2J\u{9b}31m\0\u{202e}".to_owned()),
        Just("x".repeat(500)),
        Just("javascript:alert(1)".to_owned()),
    ]
}

fn number_strategy() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        0.0..1.0,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(-0.0),
    ]
}

fn index_strategy() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..12_usize,
        Just(usize::MAX),
        Just(usize::MAX - 1),
        any::<usize>()
    ]
}

fn metrics_strategy() -> impl Strategy<Value = Metrics> {
    let name = prop_oneof![
        Just("loss".to_owned()),
        Just("accuracy".to_owned()),
        text_strategy()
    ];
    vec((name, number_strategy()), 0..4).prop_map(Metrics::from_iter)
}

fn confusion_strategy() -> impl Strategy<Value = Vec<(usize, usize, u64)>> {
    vec((index_strategy(), index_strategy(), any::<u64>()), 0..6)
}

fn mistakes_strategy() -> impl Strategy<Value = Vec<Mistake>> {
    let mistake = (
        index_strategy(),
        index_strategy(),
        number_strategy(),
        proptest::option::of(text_strategy()),
    );
    let mistake = mistake.prop_map(|(class, likeliest, confidence, path)| Mistake {
        image: class,
        path,
        class,
        likeliest,
        confidence,
        thumbnail: Thumbnail::new([1, 2, 3], vec![1; 6]).unwrap(),
    });
    vec(mistake, 0..3)
}

/// Any event.
pub fn event_strategy() -> impl Strategy<Value = Event> {
    let (text, number, index) = (text_strategy, number_strategy, index_strategy);
    prop_oneof![
        (vec(text(), 11), vec(index(), 6), vec((number(), number()), 0..3)).prop_map(|(texts, counts, rates)| {
            Event::Started(Box::new(Started {
                at: texts[0].clone(),
                version: texts[1].clone(),
                command: texts[2..4].to_vec(),
                folder: Some(texts[5].clone()),
                machine: texts[4].clone(),
                processor: texts[5].clone(),
                device: texts[6].clone(),
                data: texts[7].clone(),
                classes: texts[8..10].to_vec(),
                model: texts[10].clone(),
                threads: counts[0],
                parameters: counts[1],
                epochs: counts[2],
                steps_per_epoch: counts[3],
                batch_size: counts[4],
                shape: [counts[5]; 3],
                config: serde_json::json!({ &texts[0]: texts[1], "a": { &texts[2]: [texts[3]] } }),
                rates,
                ..Started::default()
            }))
        }),
        (text(), number(), index(), index()).prop_map(|(at, seconds, step, epochs_done)| {
            Event::Resumed(Resumed { seconds, step, epochs_done, command: vec![], folder: Some(at.clone()), at, ..Resumed::default() })
        }),
        (number(), index(), index(), metrics_strategy())
            .prop_map(|(seconds, epoch, step, metrics)| Event::Step(Step { seconds, epoch, step, metrics })),
        (number(), index(), index(), vec(metrics_strategy(), 3), confusion_strategy(), mistakes_strategy()).prop_map(
            |(seconds, epoch, step, metrics, confusion, mistakes)| Event::Epoch(Box::new(Epoch {
                seconds,
                epoch,
                step,
                took: seconds,
                train: metrics[0].clone(),
                validation: metrics[1].clone(),
                average: Some(metrics[2].clone()),
                best: step % 2 == 0,
                ended_early: None, confusion,
                mistakes,
            }))
        ),
        (index(), vec(number(), 7)).prop_map(|(step, numbers)| Event::Speed(Speed {
            seconds: numbers[0],
            step,
            images: numbers[1],
            waiting: numbers[2],
            forward: numbers[3],
            backward: numbers[4],
            optimizer: numbers[5],
            rest: numbers[6],
        })),
        (any::<u64>(), vec(number(), 3)).prop_map(|(memory, numbers)| Event::System(System {
            seconds: numbers[0],
            cpu: numbers[1],
            gpu: Some(numbers[2]),
            memory,
            memory_total: memory,
            ..System::default()
        })),
        (number(), text()).prop_map(|(seconds, text)| {
            Event::Message(Message { seconds, level: Level::Warning, text })
        }),
        (number(), index(), metrics_strategy(), confusion_strategy()).prop_map(|(seconds, epoch, metrics, confusion)| {
            Event::Tested(Box::new(Tested { seconds, epoch, metrics, raw: None, confusion, mistakes: vec![] }))
        }),
        (number(), text()).prop_map(|(seconds, reason)| {
            Event::Ended(Ended { seconds, ending: Ending::Failed, hint: None, reason: Some(reason) })
        }),
    ]
}
