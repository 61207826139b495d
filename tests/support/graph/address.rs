//! Which drive and which item a Graph URL names.

/// Whose drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    Me,
    Drive(String),
    /// A user, a group or a site: whoever it is, there is one drive.
    Organisation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    Drive,
    /// Names below the root, decoded.
    Path(Vec<String>),
    Id(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub owner: Owner,
    pub of: Of,
    /// What of the item: `children`, `content`, or nothing for itself.
    pub facet: String,
}

impl Address {
    /// `path` as sent: a colon that parts is bare, one in a name is encoded.
    pub fn parse(path: &str) -> Option<Self> {
        let (owner, rest) = owner(path.strip_prefix("/v1.0/")?)?;
        let (of, facet) = if rest.is_empty() {
            (Of::Drive, "")
        } else if let Some(rest) = rest.strip_prefix("/root:/") {
            let (path, facet) = rest.split_once(':').unwrap_or((rest, ""));
            let names: Option<_> = path.split('/').map(decoded).collect();
            (Of::Path(names?), facet)
        } else if let Some(facet) = rest.strip_prefix("/root") {
            (Of::Path(Vec::new()), facet)
        } else {
            let (id, facet) = cut(rest.strip_prefix("/items/")?);
            (Of::Id(decoded(id)?), facet)
        };
        let facet = match facet {
            "" => "",
            facet => facet.strip_prefix('/').filter(|facet| !facet.is_empty())?,
        };
        let facet = facet.to_owned();
        Some(Self { owner, of, facet })
    }
}

/// The owner, and what follows the drive.
fn owner(path: &str) -> Option<(Owner, &str)> {
    let (kind, rest) = path.split_once('/')?;
    let (owner, rest) = match kind {
        "me" => (Owner::Me, rest.strip_prefix("drive")?),
        "drives" => {
            let (id, rest) = cut(rest);
            (Owner::Drive(decoded(id)?), rest)
        }
        "users" | "groups" => (Owner::Organisation, cut(rest).1.strip_prefix("/drive")?),
        "sites" => {
            let rest = match rest.split_once(":/") {
                // not the colon of `/drive/root:/`
                Some((host, rest)) if !host.contains('/') => rest.split_once(':')?.1,
                _ => cut(rest).1,
            };
            (Owner::Organisation, rest.strip_prefix("/drive")?)
        }
        _ => return None,
    };
    (rest.is_empty() || rest.starts_with('/')).then_some((owner, rest))
}

/// A segment, and the rest with its slash.
fn cut(path: &str) -> (&str, &str) {
    path.split_at(path.find('/').unwrap_or(path.len()))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// As a personal drive writes its paths.
pub fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
    path.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
