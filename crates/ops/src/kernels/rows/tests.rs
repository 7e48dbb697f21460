use super::*;

#[test]
fn chunks_are_whole_pixels_and_cover_everything() {
    for level in SimdLevel::available() {
        for channels in [1, 3, 8, 16, 20, 30, 64, 70, 515] {
            for pixels in [0, 1, 7, 1000, 123_457] {
                let rows = Rows::new(level, pixels * channels, channels);
                assert!(rows.width().is_multiple_of(channels));
                let mut end = 0;
                for index in 0..rows.chunks() {
                    let chunk = rows.chunk(index);
                    assert_eq!(chunk.start, end);
                    assert!(chunk.len().is_multiple_of(channels));
                    end = chunk.end;
                }
                assert_eq!(end, pixels * channels);
            }
        }
    }
}
