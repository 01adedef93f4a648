//! Where octets come from: a file or a stream, plain, gzip or zstd, behind one bounded window.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::CaptureError;

const CHUNK: usize = 1 << 20;
/// Captures compress by 2 to 20; an archive past this ratio after `EXPANSION_GRACE` octets is a bomb.
const EXPANSION_LIMIT: u64 = 250;
const EXPANSION_GRACE: u64 = 256 << 20;
/// The most memory a zstd frame may ask for.
const ZSTD_WINDOW: u64 = 64 << 20;

/// An open input before anyone knows its format.
pub(crate) struct Source {
    pub(crate) octets: Box<dyn Read + Send>,
    pub(crate) taken: Arc<AtomicU64>,
    pub(crate) size: Option<u64>,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, CaptureError> {
        if path.is_dir() {
            return Err(CaptureError::new(
                "this is a directory, not a file",
                "Name a file inside it.",
            ));
        }
        let file =
            File::open(path).map_err(|error| CaptureError::new(open_sentence(&error), ""))?;
        let size = file
            .metadata()
            .ok()
            .filter(|data| data.is_file())
            .map(|data| data.len());
        Self::from_stream(Box::new(file), size)
    }

    /// Wrap any stream, looking through gzip and zstd.
    pub(crate) fn from_stream(
        stream: Box<dyn Read + Send>,
        size: Option<u64>,
    ) -> Result<Self, CaptureError> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut counted = Counted {
            inner: stream,
            taken: taken.clone(),
        };
        let mut magic = [0u8; 4];
        let got = read_up_to(&mut counted, &mut magic)
            .map_err(|error| CaptureError::new(format!("it cannot be read: {error}"), ""))?;
        let whole = io::Cursor::new(magic[..got].to_vec()).chain(counted);
        let octets: Box<dyn Read + Send> = match magic {
            [0x1f, 0x8b, ..] => guard(
                MultiGzDecoder::new(BufReader::with_capacity(CHUNK, whole)),
                &taken,
            ),
            [0x28, 0xb5, 0x2f, 0xfd] => guard(
                ZstdFrames::new(BufReader::with_capacity(CHUNK, whole)),
                &taken,
            ),
            _ => Box::new(whole),
        };
        Ok(Self {
            octets,
            taken,
            size,
        })
    }
}

/// Open a file for reading, gzip and zstd looked through. The reader fails where an archive expands beyond reason.
///
/// # Errors
/// A sentence when it cannot be opened.
pub fn open_stream(path: &Path) -> Result<Box<dyn Read + Send>, CaptureError> {
    Ok(Source::open(path)?.octets)
}

fn open_sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "this user may not read it".into(),
        _ => format!("it cannot be opened: {error}"),
    }
}

fn read_up_to(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match source.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

struct Counted {
    inner: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.taken.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

fn guard(inner: impl Read + Send + 'static, taken: &Arc<AtomicU64>) -> Box<dyn Read + Send> {
    Box::new(Guarded {
        inner,
        given: 0,
        taken: taken.clone(),
    })
}

/// Stops an archive that expands beyond reason.
struct Guarded<R> {
    inner: R,
    given: u64,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.taken.load(Ordering::Relaxed).max(1);
        if self.given > EXPANSION_GRACE && self.given / taken > EXPANSION_LIMIT {
            return Err(io::Error::other(format!(
                "the archive expands more than {EXPANSION_LIMIT} times, as no capture does; reading stopped"
            )));
        }
        let got = self.inner.read(buffer)?;
        self.given += got as u64;
        Ok(got)
    }
}

/// All frames of a zstd stream one after the other, skippable frames skipped.
struct ZstdFrames<R> {
    source: R,
    decoder: FrameDecoder,
    ended: bool,
}

impl<R: io::BufRead> ZstdFrames<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW);
        Self {
            source,
            decoder,
            ended: false,
        }
    }

    fn next_frame(&mut self) -> io::Result<()> {
        if self.source.fill_buf()?.is_empty() {
            self.ended = true;
            return Ok(());
        }
        match self.decoder.reset(&mut self.source) {
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                io::copy(
                    &mut (&mut self.source).take(u64::from(length)),
                    &mut io::sink(),
                )?;
                Ok(())
            }
            other => other.map_err(io::Error::other),
        }
    }
}

impl<R: io::BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.next_frame()?;
            } else {
                let step = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder
                    .decode_blocks(&mut self.source, step)
                    .map_err(io::Error::other)?;
            }
        }
        Ok(0)
    }
}

/// A sliding view of a stream that holds at least what was asked for, or all that is left.
pub(crate) struct Window {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
    /// Why the stream stopped early, if it did.
    pub(crate) failure: Option<String>,
}

impl Window {
    pub(crate) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            failure: None,
        }
    }

    /// Make at least `wanted` octets visible if the stream has them; returns how many are visible.
    pub(crate) fn fill(&mut self, wanted: usize) -> usize {
        while self.end - self.start < wanted && !self.ended {
            self.make_room(wanted);
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(got) => self.end += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error.to_string());
                    self.ended = true;
                }
            }
        }
        self.end - self.start
    }

    fn make_room(&mut self, wanted: usize) {
        if self.start > 0 && self.buffer.len() - self.start < wanted.max(CHUNK / 4) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.start + wanted {
            self.buffer.resize(self.start + wanted, 0);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end + CHUNK / 4, 0);
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// How far into the (expanded) stream the window begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }
}
