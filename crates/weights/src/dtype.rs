//! Element types and their conversion to `f32` or `i64`.

use half::{bf16, f16};

use crate::error::ContentError;
use crate::layout::Layout;
use crate::tensor::{Entry, Tensor};

/// Type of a tensor's elements in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dtype {
    Float16,
    Bfloat16,
    Float32,
    Float64,
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    /// A known type that can be skipped, but not read.
    Unread {
        name: &'static str,
        bytes: u64,
    },
}

const COMPLEX64: Dtype = Dtype::Unread {
    name: "complex64",
    bytes: 8,
};
const COMPLEX128: Dtype = Dtype::Unread {
    name: "complex128",
    bytes: 16,
};

impl Dtype {
    /// Returns the element type of a PyTorch storage class.
    pub(crate) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "HalfStorage" => Self::Float16,
            "BFloat16Storage" => Self::Bfloat16,
            "FloatStorage" => Self::Float32,
            "DoubleStorage" => Self::Float64,
            "BoolStorage" => Self::Bool,
            "CharStorage" => Self::Int8,
            "ShortStorage" => Self::Int16,
            "IntStorage" => Self::Int32,
            "LongStorage" => Self::Int64,
            "ByteStorage" => Self::Uint8,
            "ComplexFloatStorage" => COMPLEX64,
            "ComplexDoubleStorage" => COMPLEX128,
            "QInt8Storage" => Self::Unread {
                name: "qint8",
                bytes: 1,
            },
            "QUInt8Storage" => Self::Unread {
                name: "quint8",
                bytes: 1,
            },
            "QInt32Storage" => Self::Unread {
                name: "qint32",
                bytes: 4,
            },
            "QUInt4x2Storage" => Self::Unread {
                name: "quint4x2",
                bytes: 1,
            },
            "QUInt2x4Storage" => Self::Unread {
                name: "quint2x4",
                bytes: 1,
            },
            _ => return None,
        })
    }

    /// Returns the type that PyTorch calls `torch.NAME`.
    pub(crate) fn of_torch(name: &str) -> Option<Self> {
        Some(match name {
            "float16" | "half" => Self::Float16,
            "bfloat16" => Self::Bfloat16,
            "float32" | "float" => Self::Float32,
            "float64" | "double" => Self::Float64,
            "bool" => Self::Bool,
            "int8" => Self::Int8,
            "int16" | "short" => Self::Int16,
            "int32" | "int" => Self::Int32,
            "int64" | "long" => Self::Int64,
            "uint8" => Self::Uint8,
            "uint16" => Self::Uint16,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            _ => return None,
        })
    }

    /// Returns the type that safetensors calls `name`.
    pub(crate) fn of_safetensors(name: &str) -> Option<Self> {
        Some(match name {
            "F16" => Self::Float16,
            "BF16" => Self::Bfloat16,
            "F32" => Self::Float32,
            "F64" => Self::Float64,
            "BOOL" => Self::Bool,
            "I8" => Self::Int8,
            "I16" => Self::Int16,
            "I32" => Self::Int32,
            "I64" => Self::Int64,
            "U8" => Self::Uint8,
            "U16" => Self::Uint16,
            "U32" => Self::Uint32,
            "U64" => Self::Uint64,
            _ => return None,
        })
    }

    /// Returns whether the elements are floats that can be read.
    pub(crate) fn is_float(self) -> bool {
        matches!(
            self,
            Self::Float16 | Self::Bfloat16 | Self::Float32 | Self::Float64
        )
    }

    /// Returns the size of an element in bytes.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::Bool | Self::Int8 | Self::Uint8 => 1,
            Self::Float16 | Self::Bfloat16 | Self::Int16 | Self::Uint16 => 2,
            Self::Float32 | Self::Int32 | Self::Uint32 => 4,
            Self::Float64 | Self::Int64 | Self::Uint64 => 8,
            Self::Unread { bytes, .. } => bytes,
        }
    }

    /// Returns the size of an element in memory after reading, in bytes.
    pub(crate) fn bytes_when_read(self) -> u64 {
        match self {
            Self::Float16 | Self::Bfloat16 | Self::Float32 | Self::Float64 => 4,
            _ => 8,
        }
    }
}

/// Byte order of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

/// Reads the tensor `name` from the storage that `layout` was validated against.
pub(crate) fn read(
    name: &str,
    dtype: Dtype,
    order: ByteOrder,
    layout: Layout,
    bytes: &[u8],
) -> Result<Entry, ContentError> {
    // Bytes are reversed to little-endian order before conversion.
    macro_rules! gathered {
        ($convert:expr) => {
            layout.gather(bytes, |mut bytes| {
                if order == ByteOrder::Big {
                    bytes.reverse();
                }
                $convert(bytes)
            })
        };
    }
    let entry = match dtype {
        Dtype::Float16 => floats(
            gathered!(|bytes| f16::from_le_bytes(bytes).to_f32()),
            layout,
        ),
        Dtype::Bfloat16 => floats(
            gathered!(|bytes| bf16::from_le_bytes(bytes).to_f32()),
            layout,
        ),
        Dtype::Float32 => floats(gathered!(f32::from_le_bytes), layout),
        Dtype::Float64 => floats(gathered!(|bytes| f64::from_le_bytes(bytes) as f32), layout),
        Dtype::Bool => integers(gathered!(|bytes: [u8; 1]| i64::from(bytes != [0])), layout),
        Dtype::Int8 => integers(gathered!(|bytes| i8::from_le_bytes(bytes).into()), layout),
        Dtype::Int16 => integers(gathered!(|bytes| i16::from_le_bytes(bytes).into()), layout),
        Dtype::Int32 => integers(gathered!(|bytes| i32::from_le_bytes(bytes).into()), layout),
        Dtype::Int64 => integers(gathered!(i64::from_le_bytes), layout),
        Dtype::Uint8 => integers(gathered!(|bytes| u8::from_le_bytes(bytes).into()), layout),
        Dtype::Uint16 => integers(gathered!(|bytes| u16::from_le_bytes(bytes).into()), layout),
        Dtype::Uint32 => integers(gathered!(|bytes| u32::from_le_bytes(bytes).into()), layout),
        Dtype::Uint64 => {
            // Read as signed bits first: numbers that are too large become negative.
            let values: Vec<i64> = gathered!(i64::from_le_bytes);
            if values.iter().any(|&value| value < 0) {
                return Err(ContentError::NumberRange {
                    tensor: name.to_owned(),
                });
            }
            integers(values, layout)
        }
        Dtype::Unread { name: dtype, .. } => {
            return Err(ContentError::UnsupportedDtype {
                tensor: name.to_owned(),
                dtype: dtype.to_owned(),
            });
        }
    };
    Ok(entry)
}

fn floats(values: Vec<f32>, layout: Layout) -> Entry {
    Entry::Float(tensor(values, layout))
}

fn integers(values: Vec<i64>, layout: Layout) -> Entry {
    Entry::Integer(tensor(values, layout))
}

fn tensor<T>(values: Vec<T>, layout: Layout) -> Tensor<T> {
    Tensor::new(layout.into_shape(), values).expect("a layout gathers as many as its shape has")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dtype: Dtype, order: ByteOrder, bytes: &[u8]) -> Result<Entry, ContentError> {
        let elements = (bytes.len() as u64 / dtype.bytes()) as i64;
        let layout = Layout::new(&[elements], &[1], 0, elements as usize).unwrap();
        read("t", dtype, order, layout, bytes)
    }

    fn float(dtype: Dtype, order: ByteOrder, bytes: &[u8]) -> Vec<f32> {
        match entry(dtype, order, bytes).unwrap() {
            Entry::Float(tensor) => tensor.into_parts().1,
            Entry::Integer(tensor) => panic!("{tensor:?}"),
        }
    }

    fn integer(dtype: Dtype, bytes: &[u8]) -> Vec<i64> {
        match entry(dtype, ByteOrder::Little, bytes).unwrap() {
            Entry::Integer(tensor) => tensor.into_parts().1,
            Entry::Float(tensor) => panic!("{tensor:?}"),
        }
    }

    #[test]
    fn all_float_types_convert() {
        let little = ByteOrder::Little;
        assert_eq!(
            float(Dtype::Float16, little, &[0x00, 0xc1, 0x01, 0x00]),
            [-2.5, 2f32.powi(-24)]
        );
        assert_eq!(float(Dtype::Bfloat16, little, &[0x20, 0xc0]), [-2.5]);
        assert_eq!(
            float(Dtype::Float32, little, &(-2.5f32).to_le_bytes()),
            [-2.5]
        );
        assert_eq!(
            float(Dtype::Float32, ByteOrder::Big, &(-2.5f32).to_be_bytes()),
            [-2.5]
        );
        assert_eq!(
            float(Dtype::Float64, little, &0.1f64.to_le_bytes()),
            [0.1f32]
        );
        assert_eq!(
            float(Dtype::Float64, little, &1e300f64.to_le_bytes()),
            [f32::INFINITY]
        );
    }

    #[test]
    fn all_integer_types_convert() {
        assert_eq!(integer(Dtype::Bool, &[0, 1, 255]), [0, 1, 1]);
        assert_eq!(integer(Dtype::Int8, &[0xff]), [-1]);
        assert_eq!(integer(Dtype::Uint8, &[0xff]), [255]);
        assert_eq!(integer(Dtype::Int16, &[0xfe, 0xff]), [-2]);
        assert_eq!(integer(Dtype::Uint16, &[0xfe, 0xff]), [65534]);
        assert_eq!(integer(Dtype::Int32, &[0xfe, 0xff, 0xff, 0xff]), [-2]);
        assert_eq!(
            integer(Dtype::Uint32, &[0xfe, 0xff, 0xff, 0xff]),
            [4_294_967_294]
        );
        assert_eq!(integer(Dtype::Int64, &i64::MIN.to_le_bytes()), [i64::MIN]);
        assert_eq!(integer(Dtype::Uint64, &7u64.to_le_bytes()), [7]);
    }

    #[test]
    fn unrepresentable_values_are_rejected() {
        let large = entry(Dtype::Uint64, ByteOrder::Little, &u64::MAX.to_le_bytes());
        assert!(matches!(large, Err(ContentError::NumberRange { tensor }) if tensor == "t"));
        let complex = entry(COMPLEX64, ByteOrder::Little, &[0; 8]);
        assert!(
            matches!(complex, Err(ContentError::UnsupportedDtype { dtype, .. }) if dtype == "complex64")
        );
    }

    #[test]
    fn float32_keeps_every_bit() {
        let signalling = 0x7f80_0001u32;
        let values = float(Dtype::Float32, ByteOrder::Little, &signalling.to_le_bytes());
        assert_eq!(values[0].to_bits(), signalling);
    }
}
