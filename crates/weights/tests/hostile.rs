//! Files made to do harm. All of them end in an error, in little memory, and run nothing.

mod common;

use common::{file, tensor};
use weights::{ContentError, LayoutProblem, PickleProblem, WeightsFile};

/// A dict with one tensor in storage 0.
fn one(elements: &str, offset: &str, sizes: &str, strides: &str) -> Vec<u8> {
    format!("}}Vw\n{}s.", tensor(elements, offset, sizes, strides)).into_bytes()
}

#[track_caller]
fn error(pickle: &[u8], storages: &[&[u8]]) -> ContentError {
    WeightsFile::from_bytes(&file(pickle, storages)).unwrap_err()
}

#[track_caller]
fn layout(pickle: &[u8]) -> LayoutProblem {
    match error(pickle, &[&[0; 24]]) {
        ContentError::Layout { tensor, problem } if tensor == "w" => problem,
        error => panic!("{error}"),
    }
}

#[test]
fn base_tensor_of_tests_is_read() {
    let pickle = one("I6\n", "I0\n", "(I2\nI3\nt", "(I3\nI1\nt");
    let file = WeightsFile::from_bytes(&file(&pickle, &[&[0; 24]])).unwrap();
    assert_eq!(file.state_dict.get("w").unwrap().shape(), [2, 3]);
}

#[test]
fn invalid_layouts_are_rejected() {
    use LayoutProblem as P;
    let six = "I6\n";
    let pickle = one(six, "I0\n", "(I-1\nt", "(I1\nt");
    assert_eq!(layout(&pickle), P::Negative { found: -1 });
    let pickle = one(six, "I0\n", "(I2\nt", "(I-1\nt");
    assert_eq!(layout(&pickle), P::Negative { found: -1 });
    let pickle = one(six, "I-5\n", "(I2\nt", "(I1\nt");
    assert_eq!(layout(&pickle), P::Negative { found: -5 });
    let huge = "(I9223372036854775807\nI9223372036854775807\nt";
    assert_eq!(layout(&one(six, "I0\n", huge, "(I0\nI0\nt")), P::Overflow);
    assert_eq!(layout(&one(six, "I0\n", "(I3\nI3\nt", huge)), P::Overflow);
    let pickle = one(six, "I1\n", "(I6\nt", "(I1\nt");
    let (needed, stored) = (7, 6);
    assert_eq!(layout(&pickle), P::BeyondStorage { needed, stored });
    let pickle = one(six, "I0\n", "(I2\nI3\nt", "(I3\nt");
    let (sizes, strides) = (2, 1);
    assert_eq!(layout(&pickle), P::Rank { sizes, strides });
    let pickle = one(six, "I0\n", "(I1048576\nI1048576\nt", "(I0\nI0\nt");
    assert!(matches!(layout(&pickle), P::Expanded { .. }));
    let pickle = one(six, "I0\n", "(L99999999999999999999L\nt", "(I1\nt");
    let found = error(&pickle, &[&[0; 24]]);
    assert!(matches!(found, ContentError::UnsupportedTensor { .. }));
}

#[test]
fn inconsistent_storages_are_rejected() {
    let sizes = ("I0\n", "(I2\nt", "(I1\nt");
    let of = |elements| one(elements, sizes.0, sizes.1, sizes.2);
    let size =
        |pickle: &[u8]| matches!(error(pickle, &[&[0; 24]]), ContentError::StorageSize { .. });
    assert!(size(&of("I7\n")));
    assert!(size(&of("I5\n")));
    assert!(size(&of("I9223372036854775807\n")));
    let described = error(&of("I-6\n"), &[&[0; 24]]);
    assert!(matches!(described, ContentError::StorageDescription { key } if key == "0"));
    let missing = error(&of("I6\n"), &[]);
    assert!(matches!(missing, ContentError::MissingStorage { key } if key == "0"));
    for identity in ["N", "(t", "(I1\nt", "(Vstorage\nt", "(Vstorage\nNNNNt"] {
        let error = error(format!("}}Vw\n{identity}Qs.").as_bytes(), &[]);
        assert!(
            matches!(error, ContentError::StorageDescription { .. }),
            "{error}"
        );
    }
}

#[test]
fn duplicate_names_are_rejected() {
    let tensor = tensor("I1\n", "I0\n", "(t", "(t");
    let pickle = format!("}}Vw\n{tensor}sVw\n{tensor}s.");
    let error = error(pickle.as_bytes(), &[&[0; 4]]);
    assert!(matches!(error, ContentError::DuplicateName { name } if name == "w"));
}

#[test]
fn tensor_names_must_be_text_or_numbers() {
    let tensor = tensor("I1\n", "I0\n", "(t", "(t");
    let pickle = format!("}}I5\n{tensor}s.");
    let read = WeightsFile::from_bytes(&file(pickle.as_bytes(), &[&[0; 4]])).unwrap();
    assert!(read.state_dict.get("5").is_some());
    let pickle = format!("}}N{tensor}s.");
    let error = error(pickle.as_bytes(), &[&[0; 4]]);
    assert!(matches!(error, ContentError::NameNotText { found: "None" }));
}

#[test]
fn pickles_run_no_code() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let tensor = tensor("I1\n", "I0\n", "(t", "(t");
    let mark_text = mark.display();
    let pickle = format!(
        "}}Vcommand\ncos\nsystem\n(Vtouch {mark_text}\ntRs\
         Veval\nc__builtin__\neval\n(Vopen('{mark_text}', 'w')\ntRs\
         Vw\n{tensor}s."
    );
    let file = WeightsFile::from_bytes(&file(pickle.as_bytes(), &[&1.5f32.to_le_bytes()])).unwrap();
    assert_eq!(file.state_dict.tensor("w").unwrap().values(), [1.5]);
    let names = file.others.iter().map(|other| other.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["command", "eval"]);
    assert!(!mark.exists());
}

#[test]
fn counts_beyond_end_are_rejected() {
    for pickle in [
        b"X\xff\xff\xff\xff".as_slice(),
        b"B\xff\xff\xff\xff",
        b"T\xff\xff\xff\xff",
        b"\x8b\xff\xff\xff\xff",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x96\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        match error(pickle, &[]) {
            ContentError::Pickle { problem, .. } => {
                assert!(matches!(problem, PickleProblem::CutOff { .. }), "{problem}");
            }
            error => panic!("{error}"),
        }
    }
}

#[test]
fn cyclic_values_do_not_hang() {
    // A dict in itself, under a known key too; a list in itself; a tensor of itself.
    for pickle in [
        b"}q\x00Vmodel\nh\x00s.".as_slice(),
        b"}q\x00Vx\nh\x00s.",
        b"]q\x00h\x00a.",
        b"}Vw\nctorch._utils\n_rebuild_parameter\n(]q\x00h\x00aI01\nNtRs.",
    ] {
        assert!(WeightsFile::from_bytes(&file(pickle, &[])).is_err());
    }
    // A state dict that also holds itself and its parent reads.
    let tensor = tensor("I1\n", "I0\n", "(t", "(t");
    let pickle = format!("}}p0\nVmodel\n}}p1\nVw\n{tensor}sVself\ng1\nsVup\ng0\nss.");
    let file = WeightsFile::from_bytes(&file(pickle.as_bytes(), &[&[0; 4]])).unwrap();
    assert_eq!(file.key.as_deref(), Some("model"));
    assert!(file.others.iter().all(|other| other.tensors == 0));
}

#[test]
fn nested_parameters_are_rejected() {
    let mut pickle = b"}Vw\n".to_vec();
    pickle.extend(b"ctorch._utils\n_rebuild_parameter\n(".repeat(100_000));
    pickle.extend(b"N");
    pickle.extend(b"tR".repeat(100_000));
    pickle.extend(b"s.");
    let found = error(&pickle, &[]);
    assert!(matches!(found, ContentError::UnsupportedTensor { .. }));
}

/// Each of these takes hours if something is looked at once for each time that it is named.
#[test]
fn many_names_of_one_storage_are_limited() {
    let large = format!("}}p0\n({}u", "I1\nN".repeat(200_000));
    for value in [
        // A dict.
        "g0\n".to_owned(),
        // Objects whose attributes it is.
        "cmine\nThing\n)Rg0\nb".to_owned(),
        // A parameter in it.
        "ctorch._utils\n_rebuild_parameter\n(g0\ntR".to_owned(),
    ] {
        let mut pickle = format!("{large}0}}(");
        for name in 0..200_000 {
            pickle += &format!("V{name}\n{value}");
        }
        pickle += "u.";
        assert!(WeightsFile::from_bytes(&file(pickle.as_bytes(), &[])).is_err());
    }

    // A storage whose key is a megabyte.
    let pickle = format!("V{}\np0\n0](", "x".repeat(1 << 20));
    let storage = "(Vstorage\nctorch\nFloatStorage\ng0\nVcpu\nI1\ntQ".repeat(100_000);
    let error = error(format!("{pickle}{storage}e.").as_bytes(), &[]);
    assert!(matches!(error, ContentError::StorageDescription { .. }));
}

/// A dict with ten thousand names for a tensor.
fn ten_thousand(tensor: &str) -> Vec<u8> {
    let names = (0..10_000).map(|name| format!("V{name}\ng0\ns"));
    let names = names.collect::<String>();
    format!("}}Vfirst\n{tensor}p0\ns{names}.").into_bytes()
}

/// Everything that could take much memory, one after the other in one process.
#[test]
fn peak_memory_is_limited() {
    let before = peak_kilobytes();

    // Lists in lists, a million deep.
    let mut pickle = b"]".repeat(1_000_000);
    pickle.extend(b"a".repeat(999_999));
    pickle.push(b'.');
    let found = error(&pickle, &[]);
    assert!(matches!(found, ContentError::NoStateDict { .. }));
    // Beside a state dict, where tensors are looked for in all of it.
    let tensor_pickle = tensor("I1\n", "I0\n", "(t", "(t");
    let mut deep = format!("}}Vw\n{tensor_pickle}sVdeep\n").into_bytes();
    deep.extend(&pickle[..pickle.len() - 1]);
    deep.extend(b"s.");
    let read = WeightsFile::from_bytes(&file(&deep, &[&[0; 4]])).unwrap();
    assert_eq!(read.others[0].tensors, 0);

    // Tuples of the same tuple twice, 60 deep: 2^60 values if they were copied.
    let mut pickle = format!("}}Vw\n{tensor_pickle}sVbomb\n)").into_bytes();
    pickle.extend(b"2\x86".repeat(60));
    pickle.extend(b"s.");
    assert!(WeightsFile::from_bytes(&file(&pickle, &[&[0; 4]])).is_ok());

    // A stack that grows to a million values, is emptied, and then cut into many small tuples.
    let mut pickle = b"(".to_vec();
    pickle.extend(b"N".repeat(1_000_000));
    pickle.push(b'1');
    pickle.extend(b"(Nt0".repeat(100_000));
    pickle.extend(b"N.");
    assert!(WeightsFile::from_bytes(&file(&pickle, &[])).is_err());

    // Numbers of memory places far apart.
    assert!(
        WeightsFile::from_bytes(&file(b"Nr\xff\xff\xff\xffp18446744073709551615\n.", &[])).is_err()
    );

    // Ten thousand tensors that each are the whole of one storage of 400 kB, 4 GB in all.
    let storage = vec![0; 400_000];
    let tensor_pickle = tensor("I100000\n", "I0\n", "(I100000\nt", "(I1\nt");
    let found = error(&ten_thousand(&tensor_pickle), &[&storage]);
    assert!(matches!(found, ContentError::TooLarge { .. }));

    // As many tensors that each repeat one element just below the limit.
    let tensor_pickle = tensor("I1\n", "I0\n", "(I65536\nt", "(I0\nt");
    let found = error(&ten_thousand(&tensor_pickle), &[&[0; 4]]);
    assert!(matches!(found, ContentError::TooLarge { .. }));

    // A name of a megabyte, used a hundred thousand times beside a state dict.
    let mut pickle = format!("}}p0\n0V{}\np1\n0g0\n", "x".repeat(1 << 20));
    pickle += &format!("Vw\n{}s", tensor("I1\n", "I0\n", "(t", "(t"));
    pickle += &"g1\nNs".repeat(100_000);
    pickle += ".";
    assert!(WeightsFile::from_bytes(&file(pickle.as_bytes(), &[&[0; 4]])).is_ok());

    // Headers of safetensors that promise what is not there.
    for header in [
        r#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#,
        r#"{"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}"#,
    ] {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        assert!(matches!(
            WeightsFile::from_bytes(&bytes),
            Err(ContentError::CutOff { .. })
        ));
    }
    let nested = format!("{}{}", r#"{"a":"#, "[".repeat(1_000_000));
    let mut bytes = (nested.len() as u64).to_le_bytes().to_vec();
    bytes.extend(nested.as_bytes());
    assert!(WeightsFile::from_bytes(&bytes).is_err());

    // Other tests of this file run beside this one, and need far less.
    if let (Some(before), Some(after)) = (before, peak_kilobytes()) {
        assert!(after - before < 400_000, "{before} kB, then {after} kB");
    }
}

/// The most memory that this process has had, where the system tells.
fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
