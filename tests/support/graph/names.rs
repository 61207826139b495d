//! Which names `OneDrive` and `SharePoint` refuse.

use super::reply::Reply;

const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 400;

/// The segments of a path below the root; none is the root itself.
pub fn check(path: &[String]) -> Result<(), Reply> {
    for name in path {
        check_name(name)?;
    }
    let length = path
        .iter()
        .map(|name| name.chars().count() + 1)
        .sum::<usize>();
    if length.saturating_sub(1) > LONGEST_PATH {
        return Err(Reply::invalid("pathIsTooLong", "The path is too long."));
    }
    Ok(())
}

pub fn check_name(name: &str) -> Result<(), Reply> {
    if name.chars().count() > LONGEST_NAME {
        return Err(Reply::invalid("pathIsTooLong", "The name is too long."));
    }
    if is_forbidden(name) {
        let message = "The provided name cannot contain this, or is reserved.";
        return Err(Reply::invalid("invalidPath", message));
    }
    Ok(())
}

fn is_forbidden(name: &str) -> bool {
    let forbidden = |letter: char| "\"*:<>?/\\|".contains(letter) || letter.is_control();
    let lower = name.to_lowercase();
    let numbered = |device: &str| {
        lower
            .strip_prefix(device)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.is_empty()
        || name.contains(forbidden)
        || name.starts_with(' ')
        || name.ends_with([' ', '.'])
        || ["con", "prn", "aux", "nul", ".lock", "desktop.ini"].contains(&lower.as_str())
        || numbered("com")
        || numbered("lpt")
        || lower.contains("_vti_")
        || name.starts_with("~$")
}
