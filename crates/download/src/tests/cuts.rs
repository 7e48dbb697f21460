//! Checks that the right file results no matter how often and where a download is cut off.

use proptest::prelude::*;

use super::server::{Reply, Server};
use super::{Setup, content};

/// How a server handles a request.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Good,
    WithoutRanges,
    WithoutTag,
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        Just(Manner::Good),
        Just(Manner::WithoutRanges),
        Just(Manner::WithoutTag)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn download_survives_random_cuts(
        length in 1_usize..200_000,
        leftover in prop::option::of(0.0..1.2),
        cuts in prop::collection::vec((manner(), 0.0..1.0), 0..6),
        stops in any::<bool>(),
    ) {
        let file = content(length);
        let of_length = move |share: f64| (share * length as f64) as usize;
        let count = cuts.len();
        let server = Server::with(&file, move |asked, file| {
                let Some((manner, cut)) = cuts.get(asked.index) else {
                    return Reply::good(asked, file, "\"1\"");
                };
                let reply = match (manner, asked.range) {
                    (Manner::Good, _) => Reply::good(asked, file, "\"1\""),
                    (Manner::WithoutTag, Some(offset)) if offset < length => {
                        Reply::rest(file, offset)
                    }
                    _ => Reply::whole(file),
                };
                reply.cut(of_length(*cut))
            });
        let mut place = Setup::new();
        place.patience.tries = 10;
        if let Some(share) = leftover {
            place.leave_part(&content(length * 2)[..of_length(share)], None);
        }
        if stops {
            // Several runs instead of one.
            place.patience.tries = 1;
        }
        let mut result = place.fetch(&server.mirrors(), &file);
        for _ in 0..count {
            if result.is_err() {
                result = place.fetch(&server.mirrors(), &file);
            }
        }
        prop_assert!(result.is_ok(), "{:?}", result);
        place.assert_holds(&file);
    }
}
