use super::*;
use crate::noise::noise;

/// Letters that pack, in which many blocks end.
fn plain() -> Vec<u8> {
    noise(1, 400_000).into_iter().map(|byte| byte & byte >> 3 & 31).collect()
}

fn level(number: i8) -> Level {
    Level::new(number).unwrap()
}

fn noted(number: i8, plain: &dyn ReadAt) -> (Vec<u8>, Vec<Checkpoint>) {
    let mut made = Vec::new();
    let checkpoints = encode_noting(level(number), plain, NonZeroU64::new(50_000).unwrap(), &mut made).unwrap();
    (made, checkpoints)
}

/// Bytes that cannot be read from a place on.
struct Torn {
    bytes: Vec<u8>,
    from: u64,
}

impl ReadAt for Torn {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match offset + buffer.len() as u64 > self.from {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => self.bytes.read_at(buffer, offset),
        }
    }
}

/// Room for so many bytes.
struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_piece_is_from_one_checkpoint_to_the_next() {
    let plain = plain();
    let (stream, checkpoints) = noted(6, &plain);
    assert!(checkpoints.len() > 3);
    let piece = |from, stop| Piece { level: level(6), plain: &plain, from, stop };
    let [first, second] = [&checkpoints[0], &checkpoints[1]];
    assert_eq!(piece(None, None).length(), 400_000);
    assert_eq!(piece(None, Some(first.position())).length(), first.position());
    assert_eq!(piece(Some(first), Some(second.position())).length(), second.position() - first.position());
    assert_eq!(piece(Some(second), Some(first.position())).length(), 0, "backwards");
    assert_eq!(piece(Some(second), None).length(), 400_000 - second.position());
    // Pieces one behind the other are the stream.
    let mut joined = Vec::new();
    for (from, to) in [(None, Some(first)), (Some(first), Some(second)), (Some(second), None)] {
        joined.extend(piece(from, to.map(Checkpoint::position)).encode(to, Vec::new()).unwrap());
    }
    assert!(joined == stream);
    // One that stops nowhere comes to no checkpoint.
    let error = piece(None, None).encode(Some(first), Vec::new()).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (io::ErrorKind::InvalidData, "the encoder does not come to a checkpoint")
    );
    let error = piece(None, Some(first.position())).encode(None, Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn levels_without_checkpoints_are_made_in_one_piece() {
    let plain = plain();
    for number in [-2, 0, 1, 2, 3] {
        let (stream, checkpoints) = noted(number, &plain);
        assert_eq!(checkpoints, []);
        let mut made = Vec::new();
        encode(level(number), &plain, &[], &mut made).unwrap();
        assert!(made == stream, "{number}");
    }
}

#[test]
fn checkpoints_are_so_far_apart_as_is_asked() {
    let plain = plain();
    let (_, checkpoints) = noted(6, &plain);
    let positions: Vec<u64> = checkpoints.iter().map(Checkpoint::position).collect();
    assert!(positions[0] >= 50_000 && positions.windows(2).all(|pair| pair[1] - pair[0] >= 50_000), "{positions:?}");
    let mut made = Vec::new();
    let far = NonZeroU64::new(u64::MAX).unwrap();
    assert_eq!(encode_noting(level(6), &plain, far, &mut made).unwrap(), []);
}

#[test]
fn what_reading_and_writing_report_comes_back() {
    let (stream, checkpoints) = noted(6, &plain());
    for from in [0, 100_000, 399_000] {
        let torn = Torn { bytes: plain(), from };
        for checkpoints in [&[][..], &checkpoints] {
            let error = encode(level(6), &torn, checkpoints, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{from}");
        }
        let apart = NonZeroU64::new(50_000).unwrap();
        let error = encode_noting(level(6), &torn, apart, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{from}");
    }
    for room in [0, 100, stream.len() - 1] {
        for checkpoints in [&[][..], &checkpoints] {
            let error = encode(level(6), &plain(), checkpoints, &mut Room(room)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}");
        }
    }
    encode(level(6), &plain(), &checkpoints, &mut Room(stream.len())).unwrap();
}
