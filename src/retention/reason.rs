//! Why a snapshot is kept, in words.

use std::fmt;
use std::num::NonZeroU32;

use jiff::civil::Date;

/// Why a snapshot is kept. Its text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Retention is not configured.
    NoRule,
    /// Its stamp names no moment. What is not understood is not removed, and counts for nothing.
    Undated,
    /// The next pass compares with it.
    Newest,
    /// The last good copy of everything.
    NewestComplete,
    /// One of so many last ones.
    Last(NonZeroU32),
    /// The newest of a period.
    NewestOf(Period),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule => formatter.write_str("no rule is set"),
            Self::Undated => formatter.write_str("its name is not a date"),
            Self::Newest => formatter.write_str("newest"),
            Self::NewestComplete => formatter.write_str("newest complete"),
            Self::Last(count) => write!(formatter, "one of the last {count}"),
            Self::NewestOf(period) => write!(formatter, "newest of {period}"),
        }
    }
}

/// A piece of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// One day.
    Day(Date),
    /// Year and number of an ISO week: the year is that of its Thursday.
    Week(i16, i8),
    /// Year and month.
    Month(i16, i8),
    /// One year.
    Year(i16),
}

impl Period {
    pub(super) fn week(date: Date) -> Self {
        let week = date.iso_week_date();
        Self::Week(week.year(), week.week())
    }

    pub(super) fn month(date: Date) -> Self {
        Self::Month(date.year(), date.month())
    }

    pub(super) fn year(date: Date) -> Self {
        Self::Year(date.year())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => write!(formatter, "day {date}"),
            Self::Week(year, week) => write!(formatter, "week {year:04}-W{week:02}"),
            Self::Month(year, month) => write!(formatter, "month {year:04}-{month:02}"),
            Self::Year(year) => write!(formatter, "year {year:04}"),
        }
    }
}
