use weights::{ContentError, LayoutProblem, WeightsFile};

use crate::{bytes, error};

#[test]
fn whole_module_is_rejected_with_hint() {
    for (name, expected) in [
        ("whole_module.pth", None),
        ("module_inside.pth", Some("model")),
    ] {
        let error = error(name);
        match &error {
            ContentError::WholeModule { class, key } => {
                assert_eq!(class, "__main__.Tiny");
                assert_eq!(key.as_deref(), expected);
            }
            error => panic!("{name}: {error}"),
        }
        assert!(error.hint().unwrap().contains("state_dict()"));
    }
    let error = WeightsFile::from_bytes_under(&bytes("module_inside.pth"), "model").unwrap_err();
    assert!(matches!(error, ContentError::WholeModule { .. }));
}

#[test]
fn torchscript_program_is_rejected() {
    assert!(matches!(error("script.pt"), ContentError::TorchScript));
}

#[test]
fn files_without_state_dict_report_content() {
    assert!(
        error("single_tensor.pth")
            .to_string()
            .contains("a single tensor")
    );
    assert!(
        error("no_tensors.pth")
            .to_string()
            .contains("a dict of epoch, lr")
    );
}

#[test]
fn unsupported_tensors_are_named() {
    for (name, expected) in [("complex.pth", "z"), ("float8.pth", "w")] {
        match error(name) {
            ContentError::UnsupportedDtype { tensor, dtype } => {
                assert_eq!(tensor, expected);
                assert!(
                    dtype.contains("complex64") || dtype.contains("loat8_e4m3fn"),
                    "{dtype}"
                );
            }
            error => panic!("{name}: {error}"),
        }
    }
    match error("sparse.pth") {
        ContentError::UnsupportedTensor { tensor, function } => {
            assert_eq!(
                (tensor.as_str(), function.as_str()),
                ("s", "_rebuild_sparse_tensor")
            );
        }
        error => panic!("{error}"),
    }
    match error("huge_expanded.pth") {
        ContentError::Layout { tensor, problem } => {
            assert_eq!(tensor, "w");
            assert_eq!(
                problem,
                LayoutProblem::Expanded {
                    elements: 1 << 40,
                    stored: 1
                }
            );
        }
        error => panic!("{error}"),
    }
}

#[test]
fn compressed_archives_are_rejected() {
    assert!(matches!(
        error("compressed.pth"),
        ContentError::Compressed { .. }
    ));
}
