//! Small files that any viewer opens: a PDF of one page, a PNG, a JPEG's outline.

use std::fmt::Write as _;
use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, Crc, write::ZlibEncoder};

/// A valid PDF of one page with one line of text.
pub fn pdf(line: &str) -> Bytes {
    let content = format!("BT /F1 24 Tf 72 720 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let (mut text, mut table) = ("%PDF-1.4\n".to_owned(), "0000000000 65535 f \n".to_owned());
    for (number, object) in (1..).zip(&objects) {
        writeln!(table, "{:010} 00000 n ", text.len()).expect("text grows");
        writeln!(text, "{number} 0 obj\n{object}\nendobj").expect("text grows");
    }
    let start = text.len();
    let size = objects.len() + 1;
    format!("{text}xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").into()
}

/// A valid PNG of one colour.
pub fn png(width: u32, height: u32, colour: [u8; 3]) -> Bytes {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    let line = [vec![0], colour.repeat(width as usize)].concat();
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    packer
        .write_all(&line.repeat(height as usize))
        .expect("writing to memory");
    let pixels = packer.finish().expect("writing to memory");
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", Vec::new())] {
        file.extend(chunk(*kind, &data));
    }
    file.into()
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(data);
    let length = u32::try_from(data.len()).expect("a small picture");
    [
        &length.to_be_bytes(),
        kind.as_slice(),
        data,
        &sum.sum().to_be_bytes(),
    ]
    .concat()
}

/// Bytes between a JPEG's first and last marker; the same seed gives the same picture.
pub fn jpeg(seed: u8, length: usize) -> Bytes {
    let head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x48\x00\x48\x00\x00";
    let noise = (0..=250_u8).cycle().take(length).map(|byte| byte ^ seed);
    head.iter()
        .copied()
        .chain(noise)
        .chain([0xff, 0xd9])
        .collect()
}
