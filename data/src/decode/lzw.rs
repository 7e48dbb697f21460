//! LZW data, as in GIF and TIFF files.

use weezl::{LzwError, LzwStatus, decode::Decoder};

/// Decodes data until the input or the output buffer is used up, and returns the number of bytes
/// decoded.
pub(super) fn fill(
    decoder: &mut Decoder,
    mut data: &[u8],
    room: &mut [u8],
) -> Result<usize, LzwError> {
    let mut filled = 0;
    while filled < room.len() {
        let result = decoder.decode_bytes(data, &mut room[filled..]);
        filled += result.consumed_out;
        data = &data[result.consumed_in..];
        match result.status? {
            LzwStatus::Ok if result.consumed_in + result.consumed_out > 0 => {}
            _ => break,
        }
    }
    Ok(filled)
}
