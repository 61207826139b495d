//! What is decided about an item, for items, copies and edit dates that nobody thought of.

use std::collections::BTreeMap;
use std::time::Duration;

use agol_backup::decide::{
    Action, Observed, Plan, Policy, Reason, decide, may_be_read, needs_a_look, select,
};
use agol_backup::item::Item;
use agol_backup::snapshot::{Change, Entry, Failure, Origin, Snapshot, Stamp, State};
use jiff::Timestamp;
use proptest::prelude::*;

const NOW: i64 = 1_795_399_200; // 2026-11-23
const SETTINGS: [&str; 2] = ["auto:geojson:attachments", "query:esrijson:attachments"];
const KINDS: [&str; 3] = ["Feature Service", "Web Map", "PDF"];

/// What a pass knows when it decides.
#[derive(Clone, Debug)]
struct World {
    items: Vec<Item>,
    newest: Option<Snapshot>,
    observed: BTreeMap<String, Observed>,
    full_every: u64,
}

impl World {
    fn policy(&self) -> Policy<'_> {
        Policy {
            now: moment(0),
            full_every: Duration::from_secs(self.full_every),
            settings: SETTINGS[0],
            types: &[],
            exclude_tag: "no-backup",
            shard: None,
        }
    }

    fn plan(&self) -> Plan {
        decide(
            self.items.clone(),
            self.newest.as_ref().map_or(&[], |newest| &newest.items),
            &self.observed,
            &self.policy(),
        )
    }

    fn earlier(&self, item: &Item) -> Option<&Entry> {
        self.newest
            .as_ref()?
            .items
            .iter()
            .find(|entry| entry.id == item.id)
    }

    /// Every condition under which a copy still holds, written down once more.
    fn still_holds(&self, item: &Item) -> bool {
        let Some(entry) = self.earlier(item) else {
            return false;
        };
        let Some(change) = entry.change.as_ref() else {
            return false;
        };
        let age = NOW - change.read_at.as_second();
        let young = age >= 0 && u64::try_from(age).expect("an age") < self.full_every;
        let rows_agree = || {
            let told = self.observed.get(&item.id);
            told.is_some_and(|told| told.tells_all && told.dates == change.layers)
        };
        matches!(entry.state, State::Stored | State::Unchanged)
            && entry.record.is_some()
            && change.modified == item.modified
            && change.settings == SETTINGS[0]
            && young
            && (item.kind != "Feature Service" || rows_agree())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_item_gets_one_action_in_the_order_of_ids(world in worlds()) {
        let plan = world.plan();
        let mut ids: Vec<&str> = world.items.iter().map(|item| item.id.as_str()).collect();
        ids.sort_unstable();
        let planned: Vec<&str> = plan.actions.iter().map(|(item, _)| item.id.as_str()).collect();
        prop_assert_eq!(planned, ids);
        let (read, keep, skip) = plan.counts();
        prop_assert_eq!(read + keep + skip, world.items.len());
    }

    #[test]
    fn a_copy_is_kept_when_everything_agrees_and_only_then(world in worlds()) {
        for (item, action) in world.plan().actions {
            let expected = !is_left_out(&item) && world.still_holds(&item);
            prop_assert_eq!(matches!(action, Action::Keep(_)), expected, "{:?}", action);
        }
    }

    #[test]
    fn what_is_kept_is_the_earlier_copy_and_is_called_unchanged(world in worlds()) {
        for (item, action) in world.plan().actions {
            let Action::Keep(entry) = action else { continue };
            let earlier = world.earlier(&item).expect("an earlier entry").clone();
            prop_assert!(entry.record.is_some());
            let expected = Entry { state: State::Unchanged, error: None, reason: None, ..earlier };
            prop_assert_eq!(text(&entry), text(&expected));
        }
    }

    #[test]
    fn an_item_that_failed_is_read_until_it_does_not(world in worlds()) {
        for (item, action) in world.plan().actions {
            let failed = world.earlier(&item).is_some_and(|entry| matches!(entry.state, State::Kept | State::Missing));
            prop_assert!(!failed || is_left_out(&item) || matches!(action, Action::Read { .. }), "{:?}", action);
        }
    }

    #[test]
    fn only_a_tag_or_an_impossible_id_skips_an_item_and_the_reason_says_which(world in worlds()) {
        for (item, action) in world.plan().actions {
            match action {
                Action::Skip(reason) if item.has_valid_id() => {
                    prop_assert!(item.has_tag("no-backup") && reason.contains("no-backup"));
                }
                Action::Skip(reason) => prop_assert!(reason.contains("id")),
                _ => prop_assert!(!is_left_out(&item)),
            }
        }
    }

    #[test]
    fn a_reading_is_given_the_earlier_copy_when_there_is_one(world in worlds()) {
        for (item, action) in world.plan().actions {
            let Action::Read { earlier, reason } = action else { continue };
            let copy = world.earlier(&item).filter(|entry| entry.record.is_some());
            prop_assert_eq!(earlier.as_deref().map(text), copy.map(text));
            prop_assert!(copy.is_some() || matches!(reason, Reason::New));
        }
    }

    /// Else an old copy, or one made for another wish, would live on layer by layer.
    #[test]
    fn parts_are_reused_only_of_a_young_copy_made_for_the_same_wish(world in worlds()) {
        for (_, action) in world.plan().actions {
            let Action::Read { reason, earlier } = action else { continue };
            if reason.allows_reuse() {
                let change = earlier.and_then(|entry| entry.change).expect("marks of a copy");
                let age = NOW - change.read_at.as_second();
                prop_assert_eq!(change.settings, SETTINGS[0]);
                prop_assert!(age >= 0 && age.unsigned_abs() < world.full_every);
            }
        }
    }

    #[test]
    fn nothing_depends_on_any_order(world in worlds(), seed in any::<u64>()) {
        let mut otherwise = world.clone();
        let mix = |hash: u64, byte| hash.wrapping_mul(31).rotate_left(7) ^ u64::from(byte);
        let order = |id: &str| id.bytes().fold(seed | 1, mix);
        otherwise.items.sort_by_key(|item| order(&item.id));
        if let Some(newest) = &mut otherwise.newest {
            newest.items.sort_by_key(|entry| order(&entry.id));
        }
        prop_assert_eq!(texts(&otherwise.plan()), texts(&world.plan()));
    }

    #[test]
    fn no_item_bears_on_the_decision_about_another(world in worlds()) {
        let together = texts(&world.plan());
        let mut apart = Vec::new();
        for item in &world.items {
            let mut alone = world.clone();
            alone.items = vec![item.clone()];
            alone.observed.retain(|id, _| *id == item.id);
            if let Some(newest) = &mut alone.newest {
                newest.items.retain(|entry| entry.id == item.id);
            }
            apart.extend(texts(&alone.plan()));
        }
        apart.sort();
        prop_assert_eq!(together, apart);
    }

    #[test]
    fn without_a_snapshot_everything_is_new(world in worlds()) {
        let first = World { newest: None, ..world };
        for (item, action) in first.plan().actions {
            let new = matches!(action, Action::Read { reason: Reason::New, earlier: None });
            prop_assert!(new || is_left_out(&item), "{:?}", action);
        }
    }

    #[test]
    fn more_patience_with_old_copies_never_reads_more(world in worlds(), more in 0..100_000_u64) {
        let mut patient = world.clone();
        patient.full_every += more;
        let kept = |plan: &Plan| plan.counts().1;
        prop_assert!(kept(&patient.plan()) >= kept(&world.plan()));
    }

    /// A look costs requests: it is spared where it changes nothing, and its absence never passes for agreement.
    #[test]
    fn a_look_at_a_service_is_asked_for_when_and_only_when_it_can_decide(world in worlds()) {
        let blind = World { observed: BTreeMap::new(), ..world.clone() };
        let mut agreeing = world.clone();
        agreeing.observed = world.items.iter().map(|item| {
            let change = world.earlier(item).and_then(|entry| entry.change.clone());
            let dates = change.map(|change| change.layers).unwrap_or_default();
            (item.id.clone(), Observed { dates, tells_all: true })
        }).collect();
        let both = blind.plan().actions.into_iter().zip(agreeing.plan().actions);
        for ((item, unseen), (_, seen)) in both {
            if !item.has_valid_id() {
                continue; // it never had a copy that a look could confirm
            }
            let differs = format!("{unseen:?}") != format!("{seen:?}");
            let asks = needs_a_look(&item, world.earlier(&item), &world.policy());
            prop_assert_eq!(asks, differs, "{:?} {:?}", unseen, seen);
        }
    }

    /// Who looks for copies of stopped passes may leave out only what is not read in any case.
    #[test]
    fn no_item_is_read_that_could_not_be_foreseen_to_be(world in worlds()) {
        for (item, action) in world.plan().actions {
            let foreseen = may_be_read(&item, world.earlier(&item), &world.policy());
            prop_assert!(foreseen || !matches!(action, Action::Read { .. }), "{:?}", action);
            prop_assert!(!foreseen || !matches!(action, Action::Skip(_)), "{:?}", action);
        }
    }

    #[test]
    fn a_selection_by_type_is_exact_and_loses_nothing(
        world in worlds(),
        wanted in prop::collection::vec(0..3_usize, 0..3),
    ) {
        let types: Vec<String> = wanted.iter().map(|kind| KINDS[*kind].to_owned()).collect();
        let policy = Policy { types: &types, ..world.policy() };
        let selected = select(world.items.clone(), &policy).items;
        let ids: Vec<&str> = selected.iter().map(|item| item.id.as_str()).collect();
        let asked_for = |item: &&Item| types.is_empty() || types.contains(&item.kind);
        let expected: Vec<&str> = world.items.iter().filter(asked_for).map(|item| item.id.as_str()).collect();
        prop_assert_eq!(ids, expected);
    }
}

fn is_left_out(item: &Item) -> bool {
    !item.has_valid_id() || item.has_tag("no-backup")
}

/// Vocabulary has no equality; its text tells every member.
fn text(entry: &Entry) -> String {
    format!("{entry:?}")
}

fn texts(plan: &Plan) -> Vec<String> {
    let one = |(item, action): &(Item, Action)| format!("{} {action:?}", item.id);
    plan.actions.iter().map(one).collect()
}

fn moment(before_now: i64) -> Timestamp {
    Timestamp::from_second(NOW - before_now).expect("a moment")
}

/// Twelve possible items, one of them with an id that is none; few values each, so that agreement is common.
fn worlds() -> impl Strategy<Value = World> {
    let full_every = prop_oneof![Just(0_u64), Just(500), 1..2_000_u64];
    let one = |number: u32| {
        (
            prop::option::weighted(0.8, item(number)),
            prop::option::weighted(0.8, entry(number)),
            prop::option::weighted(0.8, observed()),
        )
    };
    let all: Vec<_> = (0..12).map(one).collect();
    (all, full_every, prop::bool::weighted(0.9)).prop_map(|(all, full_every, with_snapshot)| {
        let mut world = World {
            items: Vec::new(),
            newest: None,
            observed: BTreeMap::new(),
            full_every,
        };
        let mut entries = Vec::new();
        for (number, (item, entry, observed)) in (0..).zip(all) {
            world.items.extend(item);
            entries.extend(entry);
            world
                .observed
                .extend(observed.map(|observed| (id(number), observed)));
        }
        world.newest = with_snapshot.then(|| snapshot(entries));
        world
    })
}

fn id(number: u32) -> String {
    match number {
        11 => "../../etc/passwd".to_owned(),
        _ => format!(
            "{:032x}",
            u128::from(number) * 0x0123_4567_89ab_cdef_0123_4567
        ),
    }
}

fn item(number: u32) -> impl Strategy<Value = Item> {
    let tag =
        prop_oneof![4 => Just(None), 1 => Just(Some("no-backup")), 1 => Just(Some("No-Backup"))];
    (0..3_usize, 0..2_i64, tag).prop_map(move |(kind, modified, tag)| Item {
        id: id(number),
        kind: KINDS[kind].to_owned(),
        modified,
        tags: tag.into_iter().map(ToOwned::to_owned).collect(),
        ..Item::default()
    })
}

/// As passes write them: no record without a copy, an error with every failure.
fn entry(number: u32) -> impl Strategy<Value = Entry> {
    let state = prop_oneof![
        4 => Just(State::Stored),
        4 => Just(State::Unchanged),
        1 => Just(State::Kept),
        1 => Just(State::Missing),
        1 => Just(State::Skipped),
    ];
    (state, prop::option::weighted(0.9, change())).prop_map(move |(state, change)| {
        let has_copy = matches!(state, State::Stored | State::Unchanged | State::Kept);
        let failed = matches!(state, State::Kept | State::Missing);
        Entry {
            id: id(number),
            title: format!("item {number}"),
            kind: KINDS[0].to_owned(),
            owner: "gis".to_owned(),
            state,
            change: change.filter(|_| has_copy),
            record: has_copy.then(|| format!("items/{number}/record.json")),
            record_sha256: has_copy.then(|| "0".repeat(64)),
            files: 1,
            bytes: 2,
            rows: 3,
            notes: 0,
            error: failed.then(|| Failure {
                stage: "rows".to_owned(),
                message: "gone".to_owned(),
            }),
            reason: (state == State::Skipped).then(|| "it has the tag".to_owned()),
        }
    })
}

fn change() -> impl Strategy<Value = Change> {
    let age = prop_oneof![1 => -5..5_i64, 1 => 499..502_i64, 6 => 0..1_000_i64, 1 => 0..4_000_i64];
    let settings = prop_oneof![6 => Just(0_usize), 1 => Just(1)];
    (0..2_i64, dates(), age, settings).prop_map(|(modified, layers, age, settings)| Change {
        modified,
        layers,
        read_at: moment(age),
        settings: SETTINGS[settings].to_owned(),
    })
}

fn observed() -> impl Strategy<Value = Observed> {
    (dates(), prop::bool::weighted(0.8))
        .prop_map(|(dates, tells_all)| Observed { dates, tells_all })
}

fn dates() -> impl Strategy<Value = BTreeMap<u32, i64>> {
    prop_oneof![
        Just(BTreeMap::from([(0, 7)])),
        prop::collection::btree_map(0..2_u32, 7..9_i64, 0..3),
    ]
}

fn snapshot(items: Vec<Entry>) -> Snapshot {
    Snapshot {
        format: agol_backup::snapshot::FORMAT,
        stamp: Stamp::of(moment(86_400)),
        program: agol_backup::PROGRAM.to_owned(),
        started_at: moment(86_400),
        finished_at: moment(86_000),
        portal: Origin {
            url: "https://www.arcgis.com".to_owned(),
            org_id: None,
            username: None,
        },
        complete: items.iter().all(|entry| entry.error.is_none()),
        items,
    }
}
