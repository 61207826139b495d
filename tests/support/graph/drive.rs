//! The drive: a tree of items whose names compare without case.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::reply::Reply;
use super::state::now;

#[derive(Clone, Debug)]
pub struct Content {
    pub len: u64,
    pub sha256: String,
    /// Nothing where only length and hash are kept.
    pub bytes: Option<Bytes>,
}

impl Content {
    pub fn new(bytes: Bytes, discard: bool) -> Self {
        Self {
            len: bytes.len() as u64,
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: (!discard).then_some(bytes),
        }
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to memory");
        text
    })
}

#[derive(Clone, Debug)]
pub enum Kind {
    Folder,
    File(Content),
    /// A `OneNote` notebook: neither file nor folder.
    Package,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub number: usize,
    /// From the root, without a leading slash, as first written. Empty for the root.
    pub path: String,
    pub kind: Kind,
    pub modified: String,
    pub version: usize,
}

impl Item {
    pub fn name(&self) -> &str {
        match self.path.rsplit('/').next() {
            None | Some("") => "root",
            Some(name) => name,
        }
    }

    /// Of the root: nothing.
    pub fn parent(&self) -> Option<&str> {
        match self.path.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None => (!self.path.is_empty()).then_some(""),
        }
    }
}

/// What to do where the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    Replace,
    Fail,
    Rename,
}

impl Conflict {
    pub fn parse(text: &str) -> Result<Self, Reply> {
        match text {
            "replace" => Ok(Self::Replace),
            "fail" => Ok(Self::Fail),
            "rename" => Ok(Self::Rename),
            _ => Err(Reply::invalid("", "The conflictBehavior is not known.")),
        }
    }
}

#[derive(Debug)]
pub struct Drive {
    items: BTreeMap<String, Item>,
    made: usize,
    /// Entries of the recycle bin: a folder is one, whatever is in it.
    pub recycled: usize,
}

impl Drive {
    pub fn new() -> Self {
        let mut drive = Self {
            items: BTreeMap::new(),
            made: 100,
            recycled: 0,
        };
        drive.insert("", Kind::Folder);
        drive
    }

    fn insert(&mut self, path: &str, kind: Kind) -> Item {
        self.made += 1;
        let item = Item {
            number: self.made,
            path: path.to_owned(),
            kind,
            modified: now(),
            version: 1,
        };
        self.items.insert(key(path), item.clone());
        item
    }

    pub fn get(&self, path: &str) -> Option<&Item> {
        self.items.get(&key(path))
    }

    pub fn numbered(&self, number: usize) -> Option<&Item> {
        self.items.values().find(|item| item.number == number)
    }

    pub fn all(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// Everything below, at any depth.
    pub fn below(&self, path: &str) -> impl Iterator<Item = &Item> {
        let within = match key(path) {
            root if root.is_empty() => root,
            key => key + "/",
        };
        self.items
            .range(within.clone()..)
            .take_while(move |(key, _)| key.starts_with(&within))
            .map(|(_, item)| item)
            .filter(|item| !item.path.is_empty())
    }

    pub fn children(&self, path: &str) -> Vec<&Item> {
        let parent = key(path);
        let is_child = |item: &&Item| item.parent().map(key).as_ref() == Some(&parent);
        self.below(path).filter(is_child).collect()
    }

    /// The item, and whether it is new. Parents appear by themselves.
    pub fn write(&mut self, path: &str, kind: Kind, on: Conflict) -> Result<(Item, bool), Reply> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.folder(parent)?;
        let wanted = joined(&parent, name);
        let Some(taken) = self.items.get_mut(&key(&wanted)) else {
            return Ok((self.insert(&wanted, kind), true));
        };
        match (on, &taken.kind, &kind) {
            (Conflict::Rename, ..) => {
                let free = self.free(&parent, name);
                Ok((self.insert(&free, kind), true))
            }
            (Conflict::Replace, Kind::File(_), Kind::File(_)) => {
                taken.kind = kind;
                taken.version += 1;
                taken.modified = now();
                Ok((taken.clone(), false))
            }
            (Conflict::Replace, Kind::Folder, Kind::Folder) => Ok((taken.clone(), false)),
            _ => Err(Reply::name_taken()),
        }
    }

    /// The folder's path as first written; it is made if it is not there.
    fn folder(&mut self, path: &str) -> Result<String, Reply> {
        let mut made = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let next = joined(&made, name);
            made = match self.get(&next) {
                None => self.insert(&next, Kind::Folder).path,
                Some(item) if matches!(item.kind, Kind::Folder) => item.path.clone(),
                Some(_) => return Err(Reply::invalid("invalidPath", "A parent is no folder.")),
            };
        }
        Ok(made)
    }

    /// `a.txt` is taken: `a 1.txt`, `a 2.txt`.
    fn free(&self, parent: &str, name: &str) -> String {
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (name, String::new()),
        };
        (1..=self.items.len())
            .map(|number| joined(parent, &format!("{stem} {number}{extension}")))
            .find(|path| self.get(path).is_none())
            .unwrap_or_default()
    }

    /// Goes to the recycle bin with everything in it.
    pub fn recycle(&mut self, path: &str) {
        let gone: Vec<_> = self.below(path).map(|item| key(&item.path)).collect();
        for key in gone {
            self.items.remove(&key);
        }
        self.items.remove(&key(path));
        self.recycled += 1;
    }
}

fn key(path: &str) -> String {
    path.to_lowercase()
}

pub fn joined(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        parent => format!("{parent}/{name}"),
    }
}
