//! Codec, MPPE and window of the `holdfast-dataplane` crate for Python.

use holdfast_dataplane::gre::{self, Header};
use holdfast_dataplane::mppe::{KeyChain, Mode, Opened, Receiver, Sender, Strength, Work};
use holdfast_dataplane::rc4::Rc4;
use holdfast_dataplane::window::{Verdict, Window};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

type Parts<'py> = (u16, Option<u32>, Option<u32>, Bound<'py, PyBytes>);

#[pyfunction]
fn gre_parse<'py>(py: Python<'py>, octets: &[u8]) -> Option<Parts<'py>> {
    let parsed = gre::parse(octets)?;
    let Header {
        call_id,
        sequence,
        acknowledgement,
    } = parsed.header;
    Some((
        call_id,
        sequence,
        acknowledgement,
        PyBytes::new(py, &octets[parsed.start..parsed.end]),
    ))
}

#[pyfunction]
fn gre_build<'py>(
    py: Python<'py>,
    call_id: u16,
    sequence: Option<u32>,
    acknowledgement: Option<u32>,
    payload: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let length = u16::try_from(payload.len())
        .map_err(|_| PyValueError::new_err("payload longer than 65535 octets"))?;
    let header = Header {
        call_id,
        sequence,
        acknowledgement,
    };
    let mut octets = vec![0; gre::header_length(&header)];
    gre::write(&header, length, &mut octets);
    octets.extend_from_slice(payload);
    Ok(PyBytes::new(py, &octets))
}

/// Both directions of one MPPE key, as the engine does it.
#[pyclass]
struct MppeCipher {
    sender: Sender,
    receiver: Receiver,
}

pub(crate) fn key_chain(start_key: &[u8], bits: u32) -> PyResult<KeyChain> {
    let strength = Strength::from_bits(bits)
        .ok_or_else(|| PyValueError::new_err("bits must be 40, 56 or 128"))?;
    KeyChain::new(start_key, strength).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{bits} bit need a start key of {} octets",
            strength.key_length()
        ))
    })
}

#[pymethods]
impl MppeCipher {
    #[new]
    fn new(start_key: &[u8], bits: u32, stateless: bool) -> PyResult<Self> {
        let mode = if stateless {
            Mode::Stateless
        } else {
            Mode::Stateful
        };
        let chain = key_chain(start_key, bits)?;
        Ok(Self {
            sender: Sender::new(chain.clone(), mode),
            receiver: Receiver::new(chain, mode),
        })
    }

    fn encrypt<'py>(&mut self, py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
        let mut data = data.to_vec();
        let (header, work) = self.sender.seal(&mut data);
        if let Work::Apply(key) = work {
            Rc4::new(&key).apply(&mut data);
        }
        PyBytes::new(py, &[&header[..], &data].concat())
    }

    fn decrypt<'py>(&mut self, py: Python<'py>, packet: &[u8]) -> Option<Bound<'py, PyBytes>> {
        let (header, data) = packet.split_first_chunk::<2>()?;
        let mut data = data.to_vec();
        match self.receiver.open(*header, &mut data, u32::MAX) {
            Opened::Apply(key) => Rc4::new(&key).apply(&mut data),
            Opened::Done => {}
            Opened::Incoherent | Opened::Desynchronised { .. } => return None,
        }
        Some(PyBytes::new(py, &data))
    }

    fn reset(&mut self) {
        self.sender.reset();
    }
}

/// The receive window of one call.
#[pyclass]
#[derive(Default)]
struct GreWindow {
    window: Window,
}

#[pymethods]
impl GreWindow {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn accept(&mut self, sequence: u32) -> (&'static str, u32) {
        match self.window.accept(sequence) {
            Verdict::Next => ("next", 0),
            Verdict::Ahead(missing) => ("ahead", missing),
            Verdict::Late => ("late", 0),
            Verdict::Duplicate => ("duplicate", 0),
            Verdict::Stray => ("stray", 0),
        }
    }

    #[getter]
    fn highest(&self) -> Option<u32> {
        self.window.highest()
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(gre_parse, module)?)?;
    module.add_function(wrap_pyfunction!(gre_build, module)?)?;
    module.add_class::<MppeCipher>()?;
    module.add_class::<GreWindow>()
}
