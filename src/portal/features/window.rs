//! Which rows one request asks for. Pure arithmetic on object ids.

/// However many rows a server claims to have: a window may be read in several pages.
const MOST_WINDOWS: u64 = 100_000;

/// A span of object ids, or some ids by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// `after < oid <= up_to`; `None` leaves a side open.
    Span {
        after: Option<i64>,
        up_to: Option<i64>,
    },
    /// Exactly these, in ascending order.
    Ids(Vec<i64>),
}

impl Window {
    pub(super) fn everything() -> Self {
        Self::Span {
            after: None,
            up_to: None,
        }
    }

    /// The SQL of a span.
    pub(super) fn condition(&self, field: &str) -> String {
        match self {
            Self::Span {
                after: None,
                up_to: None,
            }
            | Self::Ids(_) => "1=1".to_owned(),
            Self::Span {
                after: Some(after),
                up_to: None,
            } => format!("{field} > {after}"),
            Self::Span {
                after: None,
                up_to: Some(up_to),
            } => format!("{field} <= {up_to}"),
            Self::Span {
                after: Some(after),
                up_to: Some(up_to),
            } => {
                format!("{field} > {after} AND {field} <= {up_to}")
            }
        }
    }

    /// Whether an id may be answered.
    pub(super) fn holds(&self, id: i64) -> bool {
        match self {
            Self::Span { after, up_to } => {
                after.is_none_or(|after| id > after) && up_to.is_none_or(|up_to| id <= up_to)
            }
            Self::Ids(ids) => ids.binary_search(&id).is_ok(),
        }
    }

    /// What is left behind the last id of a page; `None` when no id can be left.
    pub(super) fn behind(&self, last: i64) -> Option<Self> {
        match self {
            Self::Span {
                up_to: Some(up_to), ..
            } if last >= *up_to => None,
            Self::Span { up_to, .. } => Some(Self::Span {
                after: Some(last),
                up_to: *up_to,
            }),
            Self::Ids(_) => None,
        }
    }

    /// Cuts `after < oid` into windows of about `size` rows, when `rows` of them lie up to `newest`. The last
    /// one stays open, so that rows added meanwhile are found. Ids with even gaps give even windows; a
    /// twentieth of slack keeps most of the others to one page.
    pub(super) fn cut(after: i64, newest: i64, rows: u64, size: usize) -> Vec<Self> {
        let size = u64::try_from(size).unwrap_or(u64::MAX).max(1);
        let count = rows.saturating_add(rows / 20).div_ceil(size);
        let count = count.clamp(1, MOST_WINDOWS);
        let span = newest.abs_diff(after);
        let width = i64::try_from(span.div_ceil(count).max(1)).unwrap_or(i64::MAX);
        let mut windows = Vec::new();
        let mut from = after;
        while let Some(to) = from.checked_add(width).filter(|to| *to < newest) {
            windows.push(Self::Span {
                after: Some(from),
                up_to: Some(to),
            });
            from = to;
        }
        windows.push(Self::Span {
            after: Some(from),
            up_to: None,
        });
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_windows_hold_each_id_exactly_once() {
        for (after, newest, rows, size) in [
            (0, 10, 10, 3),
            (-50, 50, 20, 7),
            (1_000, 1_001, 1, 1),
            (0, 1_000_000, 10, 4),
            (i64::MIN, i64::MAX, u64::MAX, usize::MAX),
            (5, 5, 0, 10),
            (0, i64::MAX, u64::MAX, 1),
            (i64::MIN, i64::MAX, u64::MAX, 1),
        ] {
            let windows = Window::cut(after, newest, rows, size);
            assert!(windows.len() <= 100_001, "{} windows", windows.len());
            for id in [
                after.saturating_add(1),
                newest,
                newest.saturating_sub(1),
                newest / 2 + after / 2,
            ] {
                let holders = windows.iter().filter(|window| window.holds(id)).count();
                assert_eq!(
                    holders,
                    usize::from(id > after),
                    "{id} in {after}..{newest}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_left_behind_the_upper_bound() {
        let window = Window::Span {
            after: Some(1),
            up_to: Some(9),
        };
        assert_eq!(window.behind(9), None);
        assert_eq!(
            window.behind(4),
            Some(Window::Span {
                after: Some(4),
                up_to: Some(9)
            })
        );
    }
}
