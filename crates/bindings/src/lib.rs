//! The private module `holdfast._native`: converts types and maps errors, nothing else.

use pyo3::prelude::*;

mod capture;
mod capture_values;
mod dataplane;
mod engine;
mod journal;
mod live;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    dataplane::register(module)?;
    engine::register(module)?;
    capture::register(module)?;
    live::register(module)?;
    journal::register(module)
}
