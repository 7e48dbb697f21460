//! Contents of a record: figures, texts, images, sessions.

use prost::Message as _;

use super::images::SummaryImage;
use super::messages::{
    DataClass, DataType, Dimension, Metadata, PluginData, Session, Shape, Tensor, Value,
};

/// Returns a figure, or `None` if it is not finite.
///
/// Uses the older of two formats, which TensorBoard converts to the newer one when reading: it
/// takes half the space, and other readers of such files support it too.
/// takes half the space, and other readers of such files know it too.
pub(super) fn scalar(tag: impl Into<String>, figure: f64) -> Option<Value> {
    let figure = figure as f32;
    figure.is_finite().then(|| Value {
        tag: tag.into(),
        simple_value: Some(figure),
        ..Value::default()
    })
}

/// Returns a text in Markdown.
pub(super) fn text(tag: &str, text: String) -> Value {
    let tensor = strings(vec![text.into_bytes()], None);
    tensor_value(tag, "text", vec![], DataClass::Tensor, tensor)
}

/// Returns images that are shown side by side.
pub(super) fn images(tag: &str, description: &str, images: Vec<SummaryImage>) -> Option<Value> {
    let first = images.first()?;
    let mut parts = vec![
        first.width.to_string().into(),
        first.height.to_string().into(),
    ];
    parts.extend(images.into_iter().map(|image| image.png));
    let length = parts.len() as i64;
    let tensor = strings(parts, Some(length));
    let mut value = tensor_value(tag, "images", vec![], DataClass::BlobSequence, tensor);
    if let Some(metadata) = &mut value.metadata {
        metadata.summary_description = description.to_owned();
    }
    Some(value)
}

/// Returns a run for the hparams plugin; the tensor is empty.
pub(super) fn session(session: &Session) -> Value {
    let tag = match session.start.is_some() {
        true => "_hparams_/session_start_info",
        false => "_hparams_/session_end_info",
    };
    let nothing = Tensor {
        dtype: DataType::Float.into(),
        tensor_shape: Some(shape(Some(0))),
        string_val: vec![],
    };
    tensor_value(
        tag,
        "hparams",
        session.encode_to_vec(),
        DataClass::Tensor,
        nothing,
    )
}

fn tensor_value(
    tag: &str,
    plugin: &str,
    content: Vec<u8>,
    class: DataClass,
    tensor: Tensor,
) -> Value {
    Value {
        tag: tag.to_owned(),
        simple_value: None,
        tensor: Some(tensor),
        metadata: Some(Metadata {
            plugin_data: Some(PluginData {
                plugin_name: plugin.to_owned(),
                content,
            }),
            summary_description: String::new(),
            data_class: class.into(),
        }),
    }
}

fn strings(strings: Vec<Vec<u8>>, length: Option<i64>) -> Tensor {
    Tensor {
        dtype: DataType::String.into(),
        tensor_shape: Some(shape(length)),
        string_val: strings,
    }
}

/// Returns the shape of a list, or of a single value.
fn shape(length: Option<i64>) -> Shape {
    let dim = length.map(|size| Dimension { size });
    Shape {
        dim: dim.into_iter().collect(),
    }
}
