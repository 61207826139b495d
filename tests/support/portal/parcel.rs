//! A ZIP file of stored entries, as container exports come.

use bytes::Bytes;
use flate2::Crc;

/// Packs named texts without compression.
pub fn zip(files: &[(String, String)]) -> Bytes {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let offset = size(body.len());
        let common = common_header(name, text);
        body.extend(
            [
                b"PK\x03\x04".as_slice(),
                &20_u16.to_le_bytes(),
                &common,
                name.as_bytes(),
                text.as_bytes(),
            ]
            .concat(),
        );
        let made_by = 20_u16.to_le_bytes();
        directory.extend(
            [
                b"PK\x01\x02".as_slice(),
                &made_by,
                &made_by,
                &common,
                &[0; 10],
            ]
            .concat(),
        );
        directory.extend([offset.to_le_bytes().as_slice(), name.as_bytes()].concat());
    }
    let count = u16::try_from(files.len()).expect("few files").to_le_bytes();
    let (length, start) = (size(directory.len()), size(body.len()));
    body.extend(directory);
    body.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count].concat());
    body.extend(
        [
            length.to_le_bytes().as_slice(),
            &start.to_le_bytes(),
            &[0, 0],
        ]
        .concat(),
    );
    body.into()
}

/// From the flags to the extra field's length: the same in both headers.
fn common_header(name: &str, text: &str) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(text.as_bytes());
    let (names, texts) = (
        u16::try_from(name.len()).expect("a short name"),
        size(text.len()),
    );
    let flags = [0, 8, 0, 0, 0, 0, 33, 0]; // UTF-8 names, stored, 1 January 1980
    [
        flags.as_slice(),
        &sum.sum().to_le_bytes(),
        &texts.to_le_bytes(),
        &texts.to_le_bytes(),
        &names.to_le_bytes(),
        &[0, 0],
    ]
    .concat()
}

fn size(length: usize) -> u32 {
    u32::try_from(length).expect("less than 4 GB")
}
