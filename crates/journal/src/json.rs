//! JSON values as the log writes them: no spaces, UTF-8 as it is, numbers that JSON does not know as null.

/// Append a text with its quotes.
pub fn text(out: &mut Vec<u8>, value: &str) {
    put(out, value);
}

/// Append a whole number.
pub fn integer(out: &mut Vec<u8>, value: i64) {
    put(out, &value);
}

/// Append a number; infinities and what is no number become null.
pub fn float(out: &mut Vec<u8>, value: f64) {
    put(out, &value);
}

/// Append yes or no.
pub fn boolean(out: &mut Vec<u8>, value: bool) {
    put(out, &value);
}

/// Append nothing.
pub fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

fn put<Value: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &Value) {
    // Neither these values nor a Vec can refuse.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_stay_on_one_line() {
        let shown = written(|out| text(out, "zoë \"x\\\n\u{1}\u{7f}\u{2028}"));
        assert_eq!(shown, "\"zoë \\\"x\\\\\\n\\u0001\u{7f}\u{2028}\"");
    }

    #[test]
    fn numbers() {
        assert_eq!(
            written(|out| integer(out, i64::MIN)),
            "-9223372036854775808"
        );
        assert_eq!(written(|out| float(out, 5.5)), "5.5");
        assert_eq!(written(|out| float(out, 2.0)), "2.0");
        assert_eq!(written(|out| float(out, f64::NAN)), "null");
        assert_eq!(written(|out| float(out, f64::NEG_INFINITY)), "null");
        assert_eq!(written(|out| boolean(out, true)), "true");
        assert_eq!(written(null), "null");
    }
}
