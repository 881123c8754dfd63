//! Bytes in which nothing matches.

/// `count` letters of which no three in a row come twice: the Lyndon words of one and three of 40 letters, in order (a sequence of de Bruijn).
pub(crate) fn fresh(count: usize) -> Vec<u8> {
    let mut letters = Vec::with_capacity(64_000);
    for a in 0..40_u8 {
        letters.push(b'0' + a);
        for b in a..40 {
            for c in a + 1..40 {
                letters.extend([b'0' + a, b'0' + b, b'0' + c]);
            }
        }
    }
    letters.truncate(count);
    assert_eq!(letters.len(), count);
    letters
}
