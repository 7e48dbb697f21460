//! Identity of the images that a run was started with.

use data::ImageDataset;
use serde::{Deserialize, Serialize};

use super::Plan;

/// Identifies the images of a run: their number, their classes in order, and the content of their files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    train: usize,
    validation: usize,
    test: usize,
    checksum: u32,
    /// [`DataSet::content`](data::DataSet::content); `None` if an earlier version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

impl Fingerprint {
    pub(crate) fn of(plan: &Plan) -> Self {
        let test = ImageDataset::all(plan.data.test.clone());
        let mut checksum = crc32fast::Hasher::new();
        for name in &plan.data.class_names {
            checksum.update(name.as_bytes());
            checksum.update(&[0]);
        }
        for part in [&plan.train, &plan.validation, &test] {
            let labels = part.store().labels();
            for &index in part.indices() {
                checksum.update(&labels[index].to_le_bytes());
            }
        }
        Self {
            train: plan.train.len(),
            validation: plan.validation.len(),
            test: test.len(),
            checksum: checksum.finalize(),
            content: Some(plan.data.content.clone()),
        }
    }

    /// Describes how the numbers and classes of these images differ from earlier ones, or returns `None` if they do
    /// not.
    pub(crate) fn difference(&self, before: &Self) -> Option<String> {
        let parts = [
            ("training", self.train, before.train),
            ("validation", self.validation, before.validation),
            ("test", self.test, before.test),
        ];
        let other = parts.into_iter().find(|(_, now, before)| now != before);
        match other {
            Some((part, now, before)) => Some(format!(
                "there were {before} {part} images, and now there are {now}"
            )),
            None if self.checksum != before.checksum => Some("their classes differ".to_owned()),
            None => None,
        }
    }

    /// Returns whether the files have the same content as earlier, if that is known.
    pub(crate) fn has_same_content(&self, before: &Self) -> Option<bool> {
        let (now, before) = (self.content.as_ref()?, before.content.as_ref()?);
        Some(now == before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_data_is_described() {
        let before = Fingerprint {
            train: 90,
            validation: 10,
            test: 20,
            checksum: 7,
            content: Some("a".to_owned()),
        };
        assert_eq!(before.difference(&before), None);
        let fewer = Fingerprint {
            train: 80,
            ..before.clone()
        };
        assert_eq!(
            fewer.difference(&before).unwrap(),
            "there were 90 training images, and now there are 80"
        );
        let others = Fingerprint {
            checksum: 8,
            ..before.clone()
        };
        assert!(others.difference(&before).unwrap().contains("classes"));
        let changed = Fingerprint {
            content: Some("b".to_owned()),
            ..before.clone()
        };
        assert_eq!(changed.difference(&before), None);
        assert_eq!(changed.has_same_content(&before), Some(false));
        assert_eq!(before.has_same_content(&before), Some(true));
    }

    #[test]
    fn checkpoints_without_data_checksum_are_read() {
        let text = r#"{"train": 90, "validation": 10, "test": 20, "checksum": 7}"#;
        let before: Fingerprint = serde_json::from_str(text).unwrap();
        let now = Fingerprint {
            content: Some("a".to_owned()),
            ..before.clone()
        };
        assert_eq!(now.difference(&before), None);
        assert_eq!(now.has_same_content(&before), None);
    }
}
