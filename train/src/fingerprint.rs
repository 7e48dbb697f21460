//! Which pictures a run was started with.

use data::PictureDataset;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// What tells the pictures of a run from others: how many there are, and of which classes in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    train: usize,
    validation: usize,
    test: usize,
    checksum: u32,
}

impl Fingerprint {
    pub(crate) fn of(plan: &Plan) -> Self {
        let test = PictureDataset::all(plan.data.test.clone());
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
        }
    }

    /// How these pictures differ from those of another time; none if they do not.
    pub(crate) fn difference(&self, before: &Self) -> Option<String> {
        let parts = [
            ("training", self.train, before.train),
            ("validation", self.validation, before.validation),
            ("test", self.test, before.test),
        ];
        let other = parts.into_iter().find(|(_, now, before)| now != before);
        match other {
            Some((part, now, before)) => Some(format!(
                "there were {before} {part} pictures, and are {now}"
            )),
            None if self != before => Some("their classes are others".to_owned()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_named() {
        let before = Fingerprint {
            train: 90,
            validation: 10,
            test: 20,
            checksum: 7,
        };
        assert_eq!(before.difference(&before), None);
        let fewer = Fingerprint {
            train: 80,
            ..before
        };
        assert_eq!(
            fewer.difference(&before).unwrap(),
            "there were 90 training pictures, and are 80"
        );
        let others = Fingerprint {
            checksum: 8,
            ..before
        };
        assert!(others.difference(&before).unwrap().contains("classes"));
    }
}
