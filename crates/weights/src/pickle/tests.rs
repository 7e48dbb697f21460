use super::*;

fn pickle(bytes: &[u8]) -> Pickle<'_> {
    load(bytes, 0).unwrap()
}

fn problem(bytes: &[u8]) -> PickleProblem {
    load(bytes, 0).unwrap_err().problem
}

/// Formats a value in Python's notation, as far as it was kept.
fn show(graph: &Graph<'_>, value: Value) -> String {
    let list = |values: &[Value]| {
        let values: Vec<String> = values.iter().map(|&value| show(graph, value)).collect();
        values.join(", ")
    };
    match (value, graph.node(value)) {
        (Value::None, _) => "None".into(),
        (Value::Bool(value), _) => format!("{value}"),
        (Value::Int(value), _) => format!("{value}"),
        (Value::Float, _) => "float".into(),
        (_, Some(Node::Text(text))) => format!("'{text}'"),
        (_, Some(Node::Long(bytes))) => format!("long{}", bytes.len()),
        (_, Some(Node::Opaque(kind))) => format!("<{kind}>"),
        (_, Some(Node::Tuple(values))) => format!("({})", list(values)),
        (_, Some(Node::List(values))) => format!("[{}]", list(values)),
        (_, Some(Node::Set(values))) => format!("{{{}}}", list(values)),
        (_, Some(Node::Dict(items))) => {
            let items: Vec<String> = (items.iter())
                .map(|&(key, value)| format!("{}: {}", show(graph, key), show(graph, value)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        (_, Some(Node::Global { .. })) => {
            let (module, name) = graph.global(value).unwrap();
            format!("{module}.{name}")
        }
        (_, Some(Node::Object(object))) => format!(
            "{}{}[{}][{}]{{{}}}",
            show(graph, object.callable),
            show(graph, object.arguments),
            list(&object.states),
            list(&object.elements),
            object.items.len()
        ),
        (_, Some(Node::Persistent(identity))) => format!("@{}", show(graph, *identity)),
        (Value::Node(_), None) => unreachable!(),
    }
}

#[track_caller]
fn reads(bytes: &[u8], expected: &str) {
    let pickle = pickle(bytes);
    assert_eq!(show(&pickle.graph, pickle.root), expected);
    assert_eq!(pickle.end, bytes.len());
}

#[test]
fn numbers_of_all_protocols_are_read() {
    reads(b"\x80\x02N.", "None");
    reads(b"\x88.", "true");
    reads(b"\x89.", "false");
    reads(b"I01\n.", "true");
    reads(b"I00\n.", "false");
    reads(b"I-12\n.", "-12");
    reads(b"L12L\n.", "12");
    reads(b"L123456789012345678901234567890L\n.", "<a whole number>");
    reads(b"K\xff.", "255");
    reads(b"M\xff\xff.", "65535");
    reads(b"J\xff\xff\xff\xff.", "-1");
    reads(b"\x8a\x00.", "0");
    reads(b"\x8a\x01\xff.", "-1");
    reads(b"\x8a\x02\xff\x00.", "255");
    reads(
        b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.",
        "-9223372036854775808",
    );
    reads(b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.", "long9");
    reads(b"\x8b\x01\x00\x00\x00\x07.", "7");
    reads(b"G\x3f\xf0\x00\x00\x00\x00\x00\x00.", "float");
    reads(b"F1.5e3\n.", "float");
}

#[test]
fn text_and_bytes_of_all_protocols_are_read() {
    reads(b"S'it\\'s'\n.", "'it's'");
    reads(b"S\"a\"\n.", "'a'");
    reads(b"Va\\u00e9\n.", "'a\u{e9}'");
    reads(b"U\x02ab.", "'ab'");
    reads(b"T\x02\x00\x00\x00ab.", "'ab'");
    reads(b"X\x02\x00\x00\x00\xc3\xa9.", "'\u{e9}'");
    reads(b"\x8c\x01a.", "'a'");
    reads(b"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.", "'a'");
    reads(b"X\x01\x00\x00\x00\xff.", "'\u{fffd}'");
    reads(b"C\x01a.", "<bytes>");
    reads(b"B\x01\x00\x00\x00a.", "<bytes>");
    reads(b"\x8e\x01\x00\x00\x00\x00\x00\x00\x00a.", "<bytes>");
    reads(b"\x96\x01\x00\x00\x00\x00\x00\x00\x00a.", "<bytes>");
}

#[test]
fn containers_are_read() {
    reads(b").", "()");
    reads(b"K\x01\x85.", "(1)");
    reads(b"K\x01K\x02\x86.", "(1, 2)");
    reads(b"K\x01K\x02K\x03\x87.", "(1, 2, 3)");
    reads(b"(K\x01K\x02t.", "(1, 2)");
    reads(b"](K\x01K\x02eK\x03a.", "[1, 2, 3]");
    reads(b"(K\x01l.", "[1]");
    reads(b"\x8f(K\x01\x90.", "{1}");
    reads(b"(K\x01\x91.", "{1}");
    reads(b"}K\x01Ns(K\x02NK\x03Nu.", "{1: None, 2: None, 3: None}");
    reads(b"(K\x01Nd.", "{1: None}");
}

#[test]
fn stack_and_memo_operations_are_read() {
    reads(b"K\x01K\x020.", "1");
    reads(b"K\x01(0.", "1");
    reads(b"K\x01(K\x02K\x031.", "1");
    reads(b"K\x012\x86.", "(1, 1)");
    reads(b"K\x01p7\n0g7\n.", "1");
    reads(b"K\x01q\x050h\x05.", "1");
    reads(b"K\x01r\xff\xff\xff\xff0j\xff\xff\xff\xff.", "1");
    reads(b"K\x01\x94K\x02\x9400h\x00h\x01\x86.", "(1, 2)");
    reads(b"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x01.", "1");
}

#[test]
fn objects_are_recorded_not_constructed() {
    reads(b"cos\nsystem\n(U\x04exittR.", "os.system('exit')[][]{0}");
    reads(b"\x8c\x02os\x8c\x06system\x93.", "os.system");
    reads(b"ca\nB\n)\x81}b.", "a.B()[{}][]{0}");
    reads(b"ca\nB\n)}\x92.", "a.B()[{}][]{0}");
    reads(b"(K\x01ia\nB\n.", "a.B(1)[][]{0}");
    reads(b"(ca\nB\nK\x01o.", "a.B(1)[][]{0}");
    reads(b"ca\nB\n)RK\x01a.", "a.B()[][1]{0}");
    reads(b"ca\nB\n)R(K\x01K\x02u.", "a.B()[][]{1}");
    reads(b"\x82\x01.", "<a class or function>");
    reads(b"\x83\x01\x02.", "<a class or function>");
    reads(b"\x84\x01\x02\x03\x04.", "<a class or function>");
    reads(b"Pkey\n.", "@'key'");
    reads(b"K\x01\x85Q.", "@(1)");
}

#[test]
fn missing_operands_are_errors() {
    use PickleProblem as P;
    assert_eq!(
        problem(b""),
        P::CutOff {
            needed: 1,
            there: 0
        }
    );
    assert_eq!(problem(b"."), P::NoValue);
    assert_eq!(problem(b"0"), P::NoValue);
    assert_eq!(
        problem(b"N(2"),
        P::NoValue,
        "what lies below a mark is out of reach"
    );
    assert_eq!(problem(b"N(."), P::NoValue);
    assert_eq!(problem(b"t"), P::NoMark);
    assert_eq!(problem(b"N\x86"), P::NoValue);
    assert_eq!(problem(b"h\x00"), P::NotRemembered { index: 0 });
    assert_eq!(problem(b"}(Nu"), P::KeyWithoutValue);
    assert_eq!(problem(b"(o"), P::NoValue);
    assert_eq!(problem(b"Ix\n"), P::NoNumber);
    assert_eq!(problem(b"p-1\n"), P::NoNumber);
    assert_eq!(problem(b"I1"), P::NoEndOfLine);
    assert_eq!(problem(b"\xff"), P::UnknownOperation { code: 0xff });
    assert_eq!(problem(b"\x80\x06"), P::UnknownProtocol { protocol: 6 });
    assert_eq!(problem(b"\x97"), P::OutsideBuffer);
    assert_eq!(
        problem(b"X\xff\xff\xff\xffab"),
        P::CutOff {
            needed: 0xffff_ffff,
            there: 2
        }
    );
    let kinds = [
        b"NNa".as_slice(),
        b"NNNs",
        b"NNb",
        b"}Na",
        b"]NNs",
        b"]}b",
        b"NN\x93",
    ];
    for bytes in kinds {
        assert!(matches!(problem(bytes), P::WrongKind { .. }), "{bytes:?}");
    }
}

#[test]
fn errors_state_offset() {
    let error = load(b"xxNN\xff", 2).unwrap_err();
    assert_eq!(error.position, 4);
}

#[test]
fn cyclic_values_are_read() {
    let pickle = pickle(b"]q\x00h\x00a.");
    assert_eq!(pickle.graph.sequence(pickle.root).unwrap(), [pickle.root]);
}

#[test]
fn deep_nesting_does_not_overflow_stack() {
    let mut bytes = vec![b']'; 1_000_000];
    bytes.extend(vec![b'a'; 999_999]);
    bytes.push(b'.');
    let pickle = pickle(&bytes);
    assert_eq!(pickle.graph.len(), 1_000_000);
}

#[test]
fn operation_count_is_limited() {
    let bytes = vec![b'N'; machine::MAX_OPERATIONS + 1];
    let limit = machine::MAX_OPERATIONS;
    assert_eq!(problem(&bytes), PickleProblem::TooLong { limit });
}

#[test]
fn all_dict_kinds_have_items() {
    let items = |bytes| {
        let pickle = pickle(bytes);
        pickle.graph.items(pickle.root).map(|items| items.len())
    };
    assert_eq!(items(b"}K\x01Ns."), Some(1));
    assert_eq!(items(b"ccollections\nOrderedDict\n)R."), Some(0));
    assert_eq!(items(b"ccollections\nOrderedDict\n)RK\x01Ns."), Some(1));
    assert_eq!(
        items(b"ccollections\nOrderedDict\n](]K\x01aNae\x85R."),
        Some(1)
    );
    assert_eq!(items(b"cmine\nDict\n)\x81K\x01Ns."), Some(1));
    assert_eq!(items(b"cmine\nThing\n)\x81."), None);
    assert_eq!(items(b"]."), None);
}
