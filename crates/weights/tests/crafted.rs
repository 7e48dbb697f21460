//! Files as early versions of PyTorch and other computers write them.

mod common;

use common::{archive, file, tensor};
use weights::{ContentError, Entry, Format, Tensor, WeightsFile};

#[track_caller]
fn values(file: &[u8], name: &str) -> Vec<f32> {
    let file = WeightsFile::from_bytes(file).unwrap_or_else(|error| panic!("{error}"));
    match file.state_dict.get(name) {
        Some(Entry::Float(tensor)) => tensor.values().to_vec(),
        entry => panic!("{entry:?}"),
    }
}

fn numbers(count: u8) -> Vec<u8> {
    (0..count)
        .flat_map(|number| f32::from(number).to_le_bytes())
        .collect()
}

#[test]
fn big_endian_storages_are_read() {
    let pickle = format!("}}Vw\n{}s.", tensor("I2\n", "I0\n", "(I2\nt", "(I1\nt"));
    let storage = [1.5f32, -2.0].map(f32::to_be_bytes).concat();
    let of_order = |order: &[u8]| {
        archive(&[
            ("a/data.pkl", pickle.as_bytes()),
            ("a/byteorder", order),
            ("a/data/0", &storage),
        ])
    };
    assert_eq!(values(&of_order(b"big"), "w"), [1.5, -2.0]);
    assert_ne!(values(&of_order(b"little"), "w"), [1.5, -2.0]);
    let error = WeightsFile::from_bytes(&of_order(b"middle")).unwrap_err();
    assert!(matches!(error, ContentError::ByteOrder { found } if found == "middle"));
}

#[test]
fn other_archives_are_rejected() {
    let pickle = b"}.".as_slice();
    for entries in [
        vec![("readme.txt", b"hello".as_slice())],
        vec![("data.pkl", pickle)],
        vec![("a/b/data.pkl", pickle)],
        vec![("a/data.pkl", pickle), ("b/data.pkl", pickle)],
    ] {
        let error = WeightsFile::from_bytes(&archive(&entries)).unwrap_err();
        assert!(matches!(error, ContentError::NotTorch { .. }), "{error}");
    }
}

#[test]
fn torch_size_shapes_are_read() {
    let sizes = "ctorch\nSize\n((I1\nI2\nttR";
    let pickle = format!("}}Vw\n{}s.", tensor("I2\n", "I0\n", sizes, "(I2\nI1\nt"));
    assert_eq!(
        values(&file(pickle.as_bytes(), &[&numbers(2)]), "w"),
        [0.0, 1.0]
    );
}

#[test]
fn python_2_ordered_dicts_are_read() {
    let tensor = tensor("I1\n", "I0\n", "(t", "(t");
    let pickle = format!("ccollections\nOrderedDict\n((l(lVw\na{tensor}aatR.");
    assert_eq!(values(&file(pickle.as_bytes(), &[&numbers(1)]), "w"), [0.0]);
}

/// A file of the format before PyTorch 1.6: what was saved, the list of keys, and the storages.
fn legacy(saved: &str, keys: &str, storages: &[u8]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    file.extend(b"\x80\x02M\xe9\x03.");
    file.extend(b"\x80\x02}.");
    file.extend(saved.as_bytes());
    file.extend(keys.as_bytes());
    file.extend(storages);
    file
}

/// A float32 tensor of 2 elements in the storage `key` of 6, as the first version wrote it.
fn early(key: &str, part: &str) -> String {
    format!(
        "ctorch._utils\n_rebuild_tensor\n(\
         (Vstorage\nctorch.cuda\nFloatStorage\nV{key}\nVcuda:0\nI6\n{part}tQ\
         I0\n(I2\nt(I1\nttR"
    )
}

fn storage(count: i64, bytes: &[u8]) -> Vec<u8> {
    [&count.to_le_bytes(), bytes].concat()
}

fn legacy_error(saved: &str, keys: &str, storages: &[u8]) -> ContentError {
    WeightsFile::from_bytes(&legacy(saved, keys, storages)).unwrap_err()
}

#[test]
fn storage_views_are_read() {
    let saved = format!(
        "}}Vw\n{}sVpart\n{}s.",
        early("12", "N"),
        early("12", "(V13\nI3\nI2\nt")
    );
    let file = legacy(&saved, "(V12\nl.", &storage(6, &numbers(6)));
    assert_eq!(
        WeightsFile::from_bytes(&file).unwrap().format,
        Format::TorchLegacy
    );
    assert_eq!(values(&file, "w"), [0.0, 1.0]);
    assert_eq!(values(&file, "part"), [3.0, 4.0]);

    for part in ["(V13\nI5\nI2\nt", "(V13\nI9223372036854775807\nI2\nt"] {
        let saved = format!("}}Vw\n{}s.", early("12", part));
        let error = legacy_error(&saved, "(V12\nl.", &storage(6, &numbers(6)));
        assert!(matches!(error, ContentError::StorageSize { .. }), "{error}");
    }
}

#[test]
fn inconsistent_legacy_files_are_rejected() {
    let saved = format!("}}Vw\n{}s.", early("12", "N"));
    let six = storage(6, &numbers(6));
    let keys = "(V12\nl.";
    let missing = legacy_error(&saved, "(l.", &[]);
    assert!(
        matches!(missing, ContentError::MissingStorage { .. }),
        "{missing}"
    );
    let unused = legacy_error(
        &saved,
        "(V12\nV13\nl.",
        &[six.clone(), six.clone()].concat(),
    );
    assert!(matches!(unused, ContentError::Legacy { .. }), "{unused}");
    let twice = legacy_error(
        &saved,
        "(V12\nV12\nl.",
        &[six.clone(), six.clone()].concat(),
    );
    assert!(matches!(twice, ContentError::Legacy { .. }), "{twice}");
    let none = legacy_error(&saved, "N.", &six);
    assert!(matches!(none, ContentError::Legacy { .. }), "{none}");
    let negative = legacy_error(&saved, keys, &storage(-1, &numbers(6)));
    assert!(
        matches!(negative, ContentError::Legacy { .. }),
        "{negative}"
    );
    let huge = legacy_error(&saved, keys, &storage(i64::MAX, &numbers(6)));
    assert!(matches!(huge, ContentError::CutOff { .. }), "{huge}");
    let small = legacy_error(&saved, keys, &storage(5, &numbers(5)));
    assert!(matches!(small, ContentError::StorageSize { .. }), "{small}");
    let unknown = saved.replace("FloatStorage", "FancyStorage");
    let unknown = legacy_error(&unknown, keys, &six);
    assert!(
        matches!(unknown, ContentError::StorageDescription { .. }),
        "{unknown}"
    );
    let other = WeightsFile::from_bytes(b"\x80\x02}.").unwrap_err();
    assert!(
        matches!(other, ContentError::UnknownFormat { .. }),
        "{other}"
    );
}

#[test]
fn legacy_module_with_source_is_rejected() {
    let saved = b"(Vmodule\ncmodels\nNet\nVnet.py\nVclass Net: pass\ntQ)\x81\
        }V_parameters\n}sV_modules\n}sb.";
    let file = [legacy("", "", &[]), saved.to_vec(), b"(l.".to_vec()].concat();
    let error = WeightsFile::from_bytes(&file).unwrap_err();
    assert!(matches!(error, ContentError::WholeModule { class, .. } if class == "models.Net"));
}

#[test]
fn scalar_with_shape_of_ones_is_read() {
    let pickle = format!(
        "}}Vw\n{}s.",
        tensor("I1\n", "I0\n", "(I1\nI1\nt", "(I5\nI7\nt")
    );
    let read = WeightsFile::from_bytes(&file(pickle.as_bytes(), &[&numbers(1)])).unwrap();
    let expected = Entry::Float(Tensor::new(vec![1, 1], vec![0.0]).unwrap());
    assert_eq!(read.state_dict.get("w"), Some(&expected));
}

/// As of a tensor that `torch.imag` of a conjugate gives.
#[test]
fn negated_views_are_read() {
    let plain = tensor("I3\n", "I0\n", "(I3\nt", "(I1\nt");
    for (flags, expected) in [
        ("}Vneg\nI01\ns", [-0.0, -1.0, -2.0]),
        ("}Vneg\nI00\ns", [0.0, 1.0, 2.0]),
    ] {
        let negated = plain.replace("I00\nNtR", &format!("I00\nN{flags}tR"));
        let pickle = format!("}}Vw\n{negated}s.");
        assert_eq!(
            values(&file(pickle.as_bytes(), &[&numbers(3)]), "w"),
            expected
        );
    }
}
