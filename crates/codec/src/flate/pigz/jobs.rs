//! Where blocks end: after a given length, or where the content says so (`--rsyncable`).

/// Bits of the rolling hash, so that one byte in 4096 ends a piece.
const HASH_MASK: u16 = 0xfff;

/// The hash behind the last byte of a piece, and before the first byte of all.
const HIT: u16 = HASH_MASK >> 1;

/// Bytes that one thread compresses, in one or more pieces.
pub(super) struct Job {
    length: usize,
    /// Where pieces end before the job does.
    cuts: Vec<usize>,
}

impl Job {
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Where each piece ends.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        self.cuts.iter().copied().chain(std::iter::once(self.length))
    }
}

/// Makes jobs of a stream that comes piece by piece.
pub(super) struct Planner {
    block: usize,
    scan: Option<Scan>,
}

/// How far the content was hashed.
struct Scan {
    hash: u16,
    /// Bytes behind the last job that are hashed and in which no piece ends.
    ahead: usize,
    /// Where in the stream the next job starts, as a remainder of the block's length.
    phase: usize,
}

impl Planner {
    pub(super) fn new(block: usize, is_rsyncable: bool) -> Self {
        Self { block, scan: is_rsyncable.then_some(Scan { hash: HIT, ahead: 0, phase: 0 }) }
    }

    /// The jobs that are certain in `bytes`, which follow the last job; all that are left when `is_end`, at least one.
    pub(super) fn plan(&mut self, bytes: &[u8], is_end: bool) -> Vec<Job> {
        let mut jobs = Vec::new();
        let mut rest = bytes;
        while rest.len() > self.block || (is_end && (!rest.is_empty() || jobs.is_empty())) {
            let length = rest.len().min(self.block);
            let job = match &mut self.scan {
                Some(scan) => scan.job(rest, self.block),
                None => Job { length, cuts: Vec::new() },
            };
            rest = &rest[job.length..];
            jobs.push(job);
        }
        jobs
    }
}

impl Scan {
    /// pigz reads whole blocks, and looks for pieces in what is left of one and as much of the next as makes a block's length.
    /// It moves to the next job what is behind the last piece, but not when that is all it has read.
    fn job(&mut self, rest: &[u8], block: usize) -> Job {
        let limit = rest.len().min(block);
        let mut cuts = self.cuts(&rest[..limit]);
        let read = (block - self.phase).min(rest.len());
        let length = match cuts.last() {
            None => limit,
            Some(last) if *last > read || rest.len() > read => *last,
            Some(_) => read,
        };
        if cuts.last() == Some(&length) {
            cuts.pop();
        }
        self.ahead = limit - length;
        self.phase = (self.phase + length) % block;
        Job { length, cuts }
    }

    fn cuts(&mut self, bytes: &[u8]) -> Vec<usize> {
        let mut cuts = Vec::new();
        for (at, byte) in bytes.iter().enumerate().skip(self.ahead) {
            self.hash = (self.hash << 1 ^ u16::from(*byte)) & HASH_MASK;
            if self.hash == HIT {
                cuts.push(at + 1);
            }
        }
        cuts
    }
}

#[cfg(test)]
mod tests;
