//! An index over live packets, and files looked through gzip and zstd.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use holdfast_capture as core;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::capture::{CaptureError, CaptureIndex};

#[pyclass]
struct LiveIndex {
    live: core::Live,
}

#[pymethods]
impl LiveIndex {
    #[new]
    #[pyo3(signature = (name, *, data_frames, data_octets, budget, gre_flows, port))]
    fn new(
        name: String,
        data_frames: usize,
        data_octets: usize,
        budget: usize,
        gre_flows: usize,
        port: u16,
    ) -> Self {
        let options = core::Options {
            data_frames,
            data_octets,
            budget,
            gre_flows,
            port,
        };
        Self {
            live: core::Live::new(name, options),
        }
    }

    fn add(&mut self, time_ns: i64, packet: &[u8], length: u32) {
        self.live.add(time_ns, packet, length);
    }

    fn snapshot(&self, py: Python<'_>, now_ns: i64, lost: u64) -> PyResult<CaptureIndex> {
        CaptureIndex::wrap(py, self.live.snapshot(now_ns, lost))
    }
}

#[pyclass(frozen)]
struct PlainFile {
    stream: Mutex<Box<dyn Read + Send>>,
}

#[pymethods]
impl PlainFile {
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        let stream = core::open_stream(&path)
            .map_err(|error| CaptureError::new_err((error.what, error.fix)))?;
        Ok(Self {
            stream: Mutex::new(stream),
        })
    }

    fn read<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut octets = vec![0; most];
        let got = py.detach(|| {
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                match stream.read(&mut octets) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => return result,
                }
            }
        });
        let got = got.map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &octets[..got]))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LiveIndex>()?;
    module.add_class::<PlainFile>()
}
