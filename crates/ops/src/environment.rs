//! Environment variables that control the kernels.

use thiserror::Error;

#[cfg(feature = "flex")]
use crate::kernels::{SIMD_VARIABLE, SimdLevel};

/// An environment variable has an invalid value, or one that this machine does not support.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the environment variable {variable} is `{value}`, but must be {known}")]
pub struct EnvironmentError {
    /// Name of the variable.
    pub variable: &'static str,
    /// Value of the variable.
    pub value: String,
    /// Valid values.
    pub known: String,
}

/// Checks that `RESNET_SIMD` names vectors that this CPU supports, and that `RESNET_KERNELS` is
/// `on` or `off`, where they are set. The kernels themselves ignore invalid values. Without
/// kernels, nothing is checked.
///
/// # Errors
///
/// Returns an error if a value is unknown, or if this CPU does not support the vectors.
pub fn check_environment() -> Result<(), EnvironmentError> {
    #[cfg(feature = "flex")]
    {
        let levels: Vec<_> = SimdLevel::available()
            .into_iter()
            .map(SimdLevel::name)
            .collect();
        check(SIMD_VARIABLE, value(SIMD_VARIABLE), &levels, " on this CPU")?;
        let variable = crate::KERNELS_VARIABLE;
        check(variable, value(variable), &["on", "off"], "")?;
    }
    Ok(())
}

/// Returns the vectors that the kernels use, such as `avx2`; `None` without kernels.
pub fn simd() -> Option<&'static str> {
    #[cfg(feature = "flex")]
    return Some(SimdLevel::best().name());
    #[cfg(not(feature = "flex"))]
    None
}

/// Returns the instructions that networks of 8-bit integers use, such as `avx2`; `None` without kernels.
pub fn int8_simd() -> Option<&'static str> {
    #[cfg(feature = "flex")]
    return Some(crate::kernels::int8::Int8Level::best().name());
    #[cfg(not(feature = "flex"))]
    None
}

/// Returns the value of a variable; an empty one counts as unset.
#[cfg(feature = "flex")]
fn value(variable: &str) -> Option<String> {
    let value = std::env::var_os(variable)?;
    (!value.is_empty()).then(|| value.to_string_lossy().into_owned())
}

#[cfg(feature = "flex")]
fn check(
    variable: &'static str,
    value: Option<String>,
    known: &[&str],
    place: &str,
) -> Result<(), EnvironmentError> {
    match value {
        Some(value) if !known.contains(&value.as_str()) => Err(EnvironmentError {
            variable,
            value,
            known: format!("{}{place}", known.join(" or ")),
        }),
        _ => Ok(()),
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn unknown_value_error_lists_known_values() {
        let check = |value: &str| check("SIMD", Some(value.to_owned()), &["portable", "avx2"], "");
        check("avx2").unwrap();
        for value in ["avx512", "AVX2", " avx2", "none"] {
            assert_eq!(
                check(value).unwrap_err().to_string(),
                format!("the environment variable SIMD is `{value}`, but must be portable or avx2")
            );
        }
    }
}
