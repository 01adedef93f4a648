//! Python face of the `holdfast-journal` crate: texts of facts, and lines of the chain.

use holdfast_journal::chain::{Lines, CHAIN};
use holdfast_journal::json;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Lists within lists that are followed; a fact has none.
const DEEPEST: usize = 4;
/// Octets of a usual line.
const USUAL: usize = 1024;

struct Field {
    name: Py<PyString>,
    text: String,
    key: Vec<u8>,
}

/// What the lines of one kind of fact have in common.
#[pyclass(frozen)]
struct EventShape {
    head: Vec<u8>,
    fields: Vec<Field>,
}

#[pymethods]
impl EventShape {
    #[new]
    fn new(head: &[u8], names: Vec<Bound<'_, PyString>>) -> PyResult<Self> {
        let field = |name: &Bound<'_, PyString>| -> PyResult<Field> {
            let text = name.to_str()?.to_owned();
            let mut key = Vec::new();
            write_key(&mut key, &text);
            Ok(Field {
                name: name.clone().unbind(),
                text,
                key,
            })
        };
        let fields = names.iter().map(field).collect::<PyResult<Vec<_>>>()?;
        if fields.len() > 64 || fields.iter().any(|field| is_reserved(&field.text)) {
            return Err(PyValueError::new_err("such fields are not written here"));
        }
        Ok(Self {
            head: head.to_vec(),
            fields,
        })
    }

    fn text<'py>(
        &self,
        py: Python<'py>,
        stamp: &str,
        event: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Ok(context) = context.cast::<PyDict>() else {
            return Ok(None);
        };
        let mut out = Vec::with_capacity(USUAL);
        out.extend_from_slice(b"{\"ts\":");
        json::text(&mut out, stamp);
        out.extend_from_slice(&self.head);
        if !self.write(&mut out, event, context)? {
            return Ok(None);
        }
        out.push(b'}');
        Ok(Some(PyBytes::new(py, &out)))
    }
}

impl EventShape {
    /// Append envelope and fields; return false when something in them is not for us.
    fn write(
        &self,
        out: &mut Vec<u8>,
        event: &Bound<'_, PyAny>,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<bool> {
        let mut written = 0u64;
        for (key, value) in context.iter() {
            let Some(key) = as_text(&key) else {
                return Ok(false);
            };
            if is_reserved(key) {
                return Ok(false);
            }
            if is_empty(&value) {
                continue;
            }
            // A fact knows best, and its word stands where the envelope had its own.
            let own = self.fields.iter().position(|field| field.text == key);
            let fits = if let Some(index) = own {
                written |= 1 << index;
                self.write_field(out, index, event)?
            } else {
                write_key(out, key);
                write_value(out, &value, 0)
            };
            if !fits {
                return Ok(false);
            }
        }
        for index in 0..self.fields.len() {
            if written & (1 << index) == 0 && !self.write_field(out, index, event)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write_field(
        &self,
        out: &mut Vec<u8>,
        index: usize,
        event: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let field = &self.fields[index];
        let value = event.getattr(field.name.bind(event.py()))?;
        out.extend_from_slice(&field.key);
        Ok(write_value(out, &value, 0))
    }
}

fn is_reserved(key: &str) -> bool {
    matches!(key, "ts" | "event" | "severity" | "v")
}

fn write_key(out: &mut Vec<u8>, key: &str) {
    out.push(b',');
    json::text(out, key);
    out.push(b':');
}

/// The text of a `str`; None for anything else, and for half a surrogate pair.
fn as_text<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast::<PyString>().ok()?.to_str().ok()
}

fn is_empty(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value
            .cast::<PyString>()
            .is_ok_and(|text| text.len().is_ok_and(|n| n == 0))
}

/// Append a plain value; return false for any other, which the readable reference must judge.
fn write_value(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize) -> bool {
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_str().map(|text| json::text(out, text)).is_ok();
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        json::boolean(out, flag.is_true());
        return true;
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return number
            .extract()
            .map(|number| json::integer(out, number))
            .is_ok();
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        json::float(out, number.value());
        return true;
    }
    if value.is_none() {
        json::null(out);
        return true;
    }
    if let Ok(values) = value.cast_exact::<PyTuple>() {
        return write_list(out, values.iter(), depth);
    }
    if let Ok(values) = value.cast_exact::<PyList>() {
        return write_list(out, values.iter(), depth);
    }
    false
}

fn write_list<'py>(
    out: &mut Vec<u8>,
    values: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
) -> bool {
    if depth == DEEPEST {
        return false;
    }
    out.push(b'[');
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if !write_value(out, &value, depth + 1) {
            return false;
        }
    }
    out.push(b']');
    true
}

#[pyfunction]
fn chain_lines<'py>(
    py: Python<'py>,
    texts: Vec<PyBackedBytes>,
    seq: u64,
    previous: [u8; CHAIN],
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let slices: Vec<&[u8]> = texts.iter().map(|text| &text[..]).collect();
    let lines = Lines {
        texts: &slices,
        seq,
    };
    let length = lines
        .length()
        .ok_or_else(|| PyOverflowError::new_err("the numbers of lines run out"))?;
    let mut chain = previous;
    let octets = PyBytes::new_with(py, length, |out| {
        chain = py.detach(|| lines.write(previous, out));
        Ok(())
    })?;
    Ok((octets, PyBytes::new(py, &chain)))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<EventShape>()?;
    module.add_function(wrap_pyfunction!(chain_lines, module)?)
}
