//! Python face of the `holdfast-capture` crate: one function, and the index that it makes.

use std::path::PathBuf;

use holdfast_capture as core;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::capture_values::{
    control_flow, counts, endpoint, frames, gre_flow, place, tuple, CaptureCounts, CaptureFile,
    ControlFlow, FragmentCount, GreFlow, GreFrame, IcmpNotice, PppLinkFlow, RadiusPacket, Segment,
};

create_exception!(
    _native,
    CaptureError,
    PyException,
    "No input could be read; args are (what is wrong, what to do)."
);

#[pyclass(frozen)]
pub(crate) struct CaptureIndex {
    index: core::Index,
    #[pyo3(get)]
    files: Py<PyTuple>,
}

impl CaptureIndex {
    pub(crate) fn wrap(py: Python<'_>, mut index: core::Index) -> PyResult<Self> {
        let files = std::mem::take(&mut index.files);
        let files = tuple(
            py,
            files.into_iter().map(|file| Ok(CaptureFile::from(file))),
        )?;
        Ok(Self { index, files })
    }
}

#[pymethods]
impl CaptureIndex {
    #[getter]
    fn counts(&self) -> CaptureCounts {
        counts(&self.index)
    }

    #[getter]
    fn stopped(&self) -> bool {
        self.index.stopped
    }

    #[getter]
    fn control_count(&self) -> usize {
        self.index.control.len()
    }

    #[getter]
    fn gre_count(&self) -> usize {
        self.index.gre.len()
    }

    fn control(&self, py: Python<'_>, most: usize) -> PyResult<Py<PyTuple>> {
        let flows = self.index.control.iter().take(most);
        tuple(py, flows.map(|flow| control_flow(py, flow)))
    }

    fn gre(&self, py: Python<'_>, most: usize) -> PyResult<Py<PyTuple>> {
        let flows = self.index.gre.iter().take(most);
        tuple(py, flows.map(|flow| gre_flow(py, flow)))
    }

    fn icmp(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        tuple(
            py,
            self.index
                .icmp
                .iter()
                .map(|notice| Ok(IcmpNotice::from(notice))),
        )
    }

    fn fragments(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let counts = self.index.fragments.iter();
        tuple(py, counts.map(|count| Ok(FragmentCount::from(count))))
    }

    fn radius(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let packets = self.index.radius.iter().flat_map(core::Sample::iter);
        tuple(
            py,
            packets.map(|packet| {
                Ok(RadiusPacket {
                    place: place(packet.place),
                    source: endpoint(packet.source),
                    destination: endpoint(packet.destination),
                    octets: PyBytes::new(py, &packet.octets).unbind(),
                })
            }),
        )
    }

    fn link_ppp(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        tuple(
            py,
            self.index.ppp.iter().map(|flow| {
                Ok(PppLinkFlow {
                    outbound: flow.outbound,
                    packets: flow.packets,
                    frames: frames(py, &flow.frames)?,
                })
            }),
        )
    }
}

fn input(name: String) -> core::Input {
    if name == "-" {
        core::Input::Stream("standard input".into(), Box::new(std::io::stdin()))
    } else {
        core::Input::File(PathBuf::from(name))
    }
}

/// Ask Python whether to go on: Ctrl-C and a progress function that returns False both stop the pass.
fn go_on(progress: Option<&Py<PyAny>>, done: u64, size: Option<u64>) -> PyResult<bool> {
    Python::attach(|py| {
        if py.check_signals().is_err() {
            return Ok(false);
        }
        match progress {
            Some(function) => function.call1(py, (done, size))?.extract::<bool>(py),
            None => Ok(true),
        }
    })
}

#[pyfunction]
#[pyo3(signature = (names, *, data_frames, data_octets, budget, port, progress = None))]
fn read_captures(
    py: Python<'_>,
    names: Vec<String>,
    data_frames: usize,
    data_octets: usize,
    budget: usize,
    port: u16,
    progress: Option<Py<PyAny>>,
) -> PyResult<CaptureIndex> {
    let options = core::Options {
        data_frames,
        data_octets,
        budget,
        port,
        ..core::Options::default()
    };
    let mut failure = None;
    let read = py.detach(|| {
        let mut ask = |done, size| {
            go_on(progress.as_ref(), done, size).unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        };
        core::index(names.into_iter().map(input).collect(), options, &mut ask)
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let index = read.map_err(|error| CaptureError::new_err((error.what, error.fix)))?;
    CaptureIndex::wrap(py, index)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CaptureError", module.py().get_type::<CaptureError>())?;
    module.add_class::<CaptureFile>()?;
    module.add_class::<Segment>()?;
    module.add_class::<ControlFlow>()?;
    module.add_class::<GreFrame>()?;
    module.add_class::<GreFlow>()?;
    module.add_class::<IcmpNotice>()?;
    module.add_class::<RadiusPacket>()?;
    module.add_class::<PppLinkFlow>()?;
    module.add_class::<FragmentCount>()?;
    module.add_class::<CaptureCounts>()?;
    module.add_class::<CaptureIndex>()?;
    module.add_function(wrap_pyfunction!(read_captures, module)?)
}
