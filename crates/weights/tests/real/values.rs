use weights::{Entry, Format, Tensor};

use crate::{floats, integers, names, number, read, tiny};

#[test]
fn state_dict_reads_in_every_format() {
    for (name, format) in [
        ("plain.pth", Format::TorchZip),
        ("protocol3.pth", Format::TorchZip),
        ("protocol4.pth", Format::TorchZip),
        ("protocol5.pth", Format::TorchZip),
        ("zip64.pth", Format::TorchZip),
        ("plain_legacy.pth", Format::TorchLegacy),
    ] {
        let file = read(name);
        assert_eq!(file.format, format, "{name}");
        assert_eq!(file.key, None, "{name}");
        assert_eq!(file.state_dict, tiny(), "{name}");
        assert_eq!(names(&file.state_dict), names(&tiny()), "{name}: the order");
        assert_eq!(file.others, [], "{name}");
    }
}

#[test]
fn safetensors_of_pytorch_are_read() {
    let file = read("plain.safetensors");
    assert_eq!(file.format, Format::Safetensors);
    assert_eq!(file.state_dict, tiny());
    assert_eq!(file.metadata["format"], "pt");
}

#[test]
fn all_element_types_are_read() {
    for name in ["dtypes.pth", "dtypes_legacy.pth", "dtypes.safetensors"] {
        let state_dict = read(name).state_dict;
        assert_eq!(state_dict.len(), 10, "{name}");
        for (seed, tensor) in [(1, "f16"), (2, "bf16"), (3, "f32"), (4, "f64")] {
            assert_eq!(
                state_dict.get(tensor),
                Some(&floats(seed, &[2, 3])),
                "{name}: {tensor}"
            );
        }
        for (seed, tensor) in [(5, "i8"), (6, "i16"), (7, "i32"), (8, "i64")] {
            assert_eq!(
                state_dict.get(tensor),
                Some(&integers(seed, &[3], 0)),
                "{name}: {tensor}"
            );
        }
        assert_eq!(state_dict.get("u8"), Some(&integers(9, &[3], 20)), "{name}");
        let bools = Entry::Integer(Tensor::new(vec![3], vec![1, 0, 1]).unwrap());
        assert_eq!(state_dict.get("bool"), Some(&bools), "{name}");
    }
    let state_dict = read("unsigned.pth").state_dict;
    for (seed, tensor) in [(1, "u16"), (2, "u32"), (3, "u64")] {
        assert_eq!(
            state_dict.get(tensor),
            Some(&integers(seed, &[3], 20)),
            "{tensor}"
        );
    }
}

#[test]
fn shared_storage_views_are_read() {
    for name in ["views.pth", "views_legacy.pth"] {
        let file = read(name);
        assert_eq!(file.state_dict.len(), 11, "{name}");
        let check = |tensor: &str, shape: &[usize], expected: &dyn Fn(&[usize]) -> f32| {
            let tensor_read = file.state_dict.tensor(tensor).unwrap();
            assert_eq!(tensor_read.shape(), shape, "{name}: {tensor}");
            for (place, &value) in tensor_read.values().iter().enumerate() {
                // The index in each dimension.
                let mut rest = place;
                let mut index = vec![0; shape.len()];
                for dimension in (0..shape.len()).rev() {
                    index[dimension] = rest % shape[dimension];
                    rest /= shape[dimension];
                }
                assert_eq!(value, expected(&index), "{name}: {tensor} {index:?}");
            }
        };
        let base = |row: usize, column: usize| number(1, row * 6 + column);
        check("base", &[4, 6], &|i| base(i[0], i[1]));
        check("transposed", &[6, 4], &|i| base(i[1], i[0]));
        check("sliced", &[2, 3], &|i| base(i[0] + 1, i[1] + 2));
        check("stepped", &[2, 2], &|i| base(2 * i[0], 3 * i[1]));
        check("row", &[6], &|i| base(2, i[0]));
        check("inner", &[], &|_| base(1, 2));
        check("permuted", &[4, 2, 3], &|i| {
            number(2, i[1] * 12 + i[2] * 4 + i[0])
        });
        check("channels_last", &[2, 3, 2, 2], &|i| {
            number(3, ((i[0] * 3 + i[1]) * 2 + i[2]) * 2 + i[3])
        });
        check("expanded", &[5, 3], &|_| number(4, 0));
        check("scalar", &[], &|_| number(5, 0));
        check("empty", &[0, 3], &|_| unreachable!());
    }
}

#[test]
fn parameters_are_read_as_tensors() {
    let state_dict = read("parameters.pth").state_dict;
    assert_eq!(state_dict.get("weight"), Some(&floats(1, &[2, 3])));
    assert_eq!(state_dict.get("frozen"), Some(&floats(2, &[2])));
    assert_eq!(state_dict.get("buffer"), Some(&floats(3, &[2])));
    let state_dict = read("marked_parameter.pth").state_dict;
    assert_eq!(state_dict.get("weight"), Some(&floats(1, &[2, 3])));
}

#[test]
fn file_without_checksums_is_read() {
    assert_eq!(
        read("no_checksums.pth").state_dict.get("a"),
        Some(&floats(1, &[2]))
    );
}
