//! Several captures as one, in the order of time.

use std::io::Read;
use std::path::PathBuf;

use crate::reader::{CaptureReader, Record};
use crate::CaptureError;

/// Something to read.
pub enum Input {
    /// A file.
    File(PathBuf),
    /// A stream, with the name to call it by.
    Stream(String, Box<dyn Read + Send>),
}

impl Input {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stream(name, _) => name.clone(),
        }
    }

    pub(crate) fn open(self) -> Result<CaptureReader, CaptureError> {
        match self {
            Self::File(path) => CaptureReader::open(&path),
            Self::Stream(_, stream) => CaptureReader::from_stream(stream),
        }
    }
}

/// Hands out the frames of all readers, the earliest next frame first. A file that is not in order itself keeps
/// its own order.
pub(crate) struct Merge {
    pub(crate) readers: Vec<Option<CaptureReader>>,
    single: Option<usize>,
}

impl Merge {
    pub(crate) fn new(readers: Vec<Option<CaptureReader>>) -> Self {
        let mut open = readers
            .iter()
            .enumerate()
            .filter(|(_, reader)| reader.is_some())
            .map(|(index, _)| index);
        let single = match (open.next(), open.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        Self { readers, single }
    }

    pub(crate) fn next_record(&mut self) -> Option<(u16, Record<'_>)> {
        let index = match self.single {
            Some(only) => only,
            None => self.earliest()?,
        };
        let record = self.readers[index].as_mut()?.next_record()?;
        Some((index as u16, record))
    }

    fn earliest(&mut self) -> Option<usize> {
        let times = self.readers.iter_mut().enumerate();
        let times = times.filter_map(|(index, reader)| Some((reader.as_mut()?.peek()?, index)));
        times.min().map(|(_, index)| index)
    }

    /// Octets taken from all inputs so far, and their whole size when it is known.
    pub(crate) fn progress(&self) -> (u64, Option<u64>) {
        let all = self.readers.iter().flatten().map(CaptureReader::progress);
        all.fold((0, Some(0)), |(done, size), (more, whole)| {
            (
                done + more,
                size.zip(whole).map(|(size, whole)| size + whole),
            )
        })
    }
}
