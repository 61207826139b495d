//! The name in a `Content-Disposition` header, RFC 6266. Only its last path part, and only to learn what kind of
//! file it is: no file is ever called by it.

use percent_encoding::percent_decode_str;

/// `attachment; filename="x.pdf"; filename*=UTF-8''x.pdf`: the second form is the exact one.
pub(super) fn file_name(disposition: &str) -> Option<String> {
    let parameters: Vec<(String, String)> = parameters(disposition).collect();
    let named = |name: &str| {
        let found = parameters.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    };
    let name = match named("filename*").and_then(extended) {
        Some(exact) => exact,
        None => named("filename")?.to_owned(),
    };
    let last = name.rsplit(['/', '\\']).next();
    last.filter(|last| !last.is_empty()).map(ToOwned::to_owned)
}

/// `UTF-8''na%C3%AFve.txt`. The other charset that is allowed agrees in the letters of an extension.
fn extended(value: &str) -> Option<String> {
    let (_charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    Some(percent_decode_str(encoded).decode_utf8_lossy().into_owned())
}

/// Names in small letters, and values without their quotes. A semicolon within quotes separates nothing.
fn parameters(header: &str) -> impl Iterator<Item = (String, String)> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for letter in header.chars() {
        match letter {
            _ if escaped => {
                part.push(letter);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(letter),
        }
    }
    parts.push(part);
    parts.into_iter().filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_form_and_leads_nowhere() {
        for (header, name) in [
            ("attachment; filename=\"report.pdf\"", Some("report.pdf")),
            ("attachment;FileName=report.pdf;size=12", Some("report.pdf")),
            ("inline; filename=\"a; b.pdf\"", Some("a; b.pdf")),
            (r#"attachment; filename="a \"b\".pdf""#, Some("a \"b\".pdf")),
            ("attachment; filename=\"../../x.sh\"", Some("x.sh")),
            (r#"attachment; filename="C:\\temp\\x.sh""#, Some("x.sh")),
            (
                "attachment; filename=\"fallback.bin\"; filename*=UTF-8''na%C3%AFve%20file.txt",
                Some("naïve file.txt"),
            ),
            (
                "attachment; filename*=UTF-8'en'..%2F..%2Fevil.pdf",
                Some("evil.pdf"),
            ),
            (
                "attachment; filename*=nonsense; filename=x.zip",
                Some("x.zip"),
            ),
            ("attachment; filename=\"unclosed.pdf", Some("unclosed.pdf")),
            ("attachment; filename=\"a/\"", None),
            ("attachment; filename=", None),
            ("attachment", None),
            ("", None),
        ] {
            assert_eq!(file_name(header).as_deref(), name, "{header}");
        }
    }
}
