"""Several changesets, direct edits and publications in between, in any order: everything is there, or named.

The machine keeps a plain account of the one map and of each changeset beside the platform's, and compares.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.actions import department_of, ensure_role, ensure_user
from accounts.principals import principal_of_user
from layers.actions import FeatureEdit, give
from layers.actions.grants import grantee
from layers.changesets import drafting, reverting, settling
from layers.changesets.drafting import DraftEdit
from layers.changesets.errors import HasConflicts, NothingInIt
from layers.changesets.merging import EXISTENCE
from layers.changesets.publishing import publish
from layers.changesets.reviewing import take_step
from layers.changesets.settling import Decision
from layers.models import Changeset
from layers.moments import Moment
from tests.layers.conftest import square

FIELDS = ("code", "floors")
values = st.fixed_dictionaries({}, optional={"code": st.sampled_from("甲乙丙"), "floors": st.integers(1, 3)})
indexes = st.integers(0, 5)


@dataclass
class Row:
    """What a changeset does to a feature: where it started (values and stamp, None: not there), and what it makes."""

    base: dict | None
    stamp: int | None
    ours: dict | None
    version: int = 0


@dataclass
class Account:
    """A changeset as it should be."""

    number: int
    rows: dict[int, Row] = field(default_factory=dict)
    made: dict[int, tuple[dict | None, dict | None, int | None]] | None = None  # by its publication


def meet(row, theirs):
    """What comes of a row, and the parts that contradict: written down plainly."""
    base, ours = row.base, row.ours
    if theirs in (ours, base):
        return ours, set()
    if ours == base:
        return theirs, set()
    if None in (base, ours, theirs):
        return ours, {EXISTENCE}
    both = {name for name in FIELDS if base[name] != ours[name] != theirs[name] != base[name]}
    return {name: theirs[name] if ours[name] == base[name] else ours[name] for name in FIELDS}, both


class Editors(RuleBasedStateMachine):
    """Lin edits in changesets, Zhao reviews, a surveyor edits the one map."""

    land, layer, lin, zhao = None, "", None, None

    @initialize()
    def four_lots(self):
        self.now, self.version, self.stamps, self.clock = {}, {}, {}, 0
        self.open, self.done = [], []
        written = self.land.edit(
            self.layer,
            *(
                FeatureEdit("insert", geometry=square(20 * n), properties={"code": "甲", "floors": n})
                for n in (1, 2, 3)
            ),
        )
        for n, fid in enumerate(written.fids, 1):
            self._is(fid, {"code": "甲", "floors": n})

    def _is(self, fid, content):
        """The one map has this now."""
        self.clock += 1
        if content is not None:
            self.version[fid] = self.version.get(fid, 0) + 1
        self.stamps[fid] = self.clock if content is not None else None
        self.now[fid] = content

    def _living(self, index):
        living = sorted(fid for fid, content in self.now.items() if content is not None)
        return living[index % len(living)] if living else None

    def _chosen(self, index):
        return self.open[index % len(self.open)]

    def _seen(self, account):
        """The features that the map with the changeset shows, with their values and versions."""
        shown = {
            fid: (content, self.version[fid]) for fid, content in self.now.items() if content is not None
        }
        for fid, row in account.rows.items():
            shown.pop(fid, None)
            if row.ours is not None:
                shown[fid] = (row.ours, row.version)
        return shown

    @rule(index=indexes, given=values)
    def the_surveyor_edits_the_one_map(self, index, given):
        fid = self._living(index)
        if fid is None or not given:
            return
        self.land.update(self.layer, fid, self.version[fid], **given)
        self._is(fid, {**self.now[fid], **given})

    @rule(index=indexes)
    def the_surveyor_deletes(self, index):
        fid = self._living(index)
        if fid is not None:
            self.land.edit(self.layer, FeatureEdit("delete", fid, self.version[fid]))
            self._is(fid, None)

    @precondition(lambda self: len(self.open) < 3)
    @rule()
    def lin_begins(self):
        self.open.append(Account(drafting.create(self.lin, "更正").pk))

    @precondition(lambda self: self.open)
    @rule(which=indexes, index=indexes, given=values)
    def lin_edits_in_a_changeset(self, which, index, given):
        account = self._chosen(which)
        shown = self._seen(account)
        if not shown:
            return
        fid = sorted(shown)[index % len(shown)]
        content, version = shown[fid]
        put = drafting.put(
            account.number, self.lin, self.layer, [DraftEdit("update", fid, version, None, given)]
        )
        row = account.rows.setdefault(fid, Row(self.now.get(fid), self.stamps.get(fid), None))
        row.ours, row.version = {**content, **given}, put.versions[0]

    @precondition(lambda self: self.open)
    @rule(which=indexes, index=indexes)
    def lin_deletes_in_a_changeset(self, which, index):
        account = self._chosen(which)
        shown = self._seen(account)
        if not shown:
            return
        fid = sorted(shown)[index % len(shown)]
        drafting.put(account.number, self.lin, self.layer, [DraftEdit("delete", fid, shown[fid][1])])
        row = account.rows.setdefault(fid, Row(self.now.get(fid), self.stamps.get(fid), None))
        row.ours = None
        if row.stamp is None:
            del account.rows[fid]

    @precondition(lambda self: self.open)
    @rule(which=indexes, floors=st.integers(1, 3))
    def lin_draws_a_new_lot(self, which, floors):
        account, content = self._chosen(which), {"code": "乙", "floors": floors}
        put = drafting.put(
            account.number,
            self.lin,
            self.layer,
            [DraftEdit("insert", geometry=square(5), properties=content)],
        )
        account.rows[put.fids[0]] = Row(None, None, content, put.versions[0])

    @precondition(lambda self: self.open)
    @rule(which=indexes)
    def lin_merges(self, which):
        account = self._chosen(which)
        counter, moved, waiting = settling.merge(account.number, self.lin)
        contradicting = 0
        for fid, row in list(account.rows.items()):
            result, both = meet(row, self.now.get(fid))
            contradicting += bool(both)
            if not both and row.stamp != self.stamps.get(fid):
                self._moved(account, fid, row, result)
                moved -= 1
        assert (moved, waiting) == (0, contradicting)
        self._versions(account, counter)

    def _moved(self, account, fid, row, result):
        if result == self.now.get(fid):
            del account.rows[fid]
        else:
            row.base, row.stamp, row.ours = self.now.get(fid), self.stamps.get(fid), result

    def _versions(self, account, counter):
        """Merged rows have versions of their own: read them."""
        kept = Changeset.objects.get(pk=account.number)
        assert kept.counter == counter
        for fid, version in kept.features.values_list("fid", "version"):
            account.rows[fid].version = version

    @precondition(lambda self: self.open)
    @rule(which=indexes, take=st.sampled_from(["ours", "theirs"]))
    def lin_settles_the_conflicts(self, which, take):
        account = self._chosen(which)
        listed = settling.conflicts(Changeset.objects.get(pk=account.number), self.lin)
        named = {
            met.draft.fid: {self._name(one, part.part) for part in met.merged.conflicts}
            for one, met in listed
        }
        expected = {fid: meet(row, self.now.get(fid))[1] for fid, row in account.rows.items()}
        assert named == {fid: parts for fid, parts in expected.items() if parts}
        if not named:
            return
        decisions = []
        for _, met in listed:
            fid, theirs = met.draft.fid, self.now.get(met.draft.fid)
            seen = self.version[fid] if theirs is not None else None
            parts = named[fid]
            decisions += [Decision(self.layer, (fid, None), seen, part, take) for part in parts]
            row = account.rows[fid]
            if EXISTENCE in parts:
                result = row.ours if take == "ours" else theirs
            else:
                merged = meet(row, theirs)[0]
                result = {n: theirs[n] if n in parts and take == "theirs" else merged[n] for n in FIELDS}
            self._moved(account, fid, row, result)
        self._versions(account, settling.resolve(account.number, self.lin, decisions))

    @staticmethod
    def _name(scope, part):
        return next((one.field.name for one in scope.fields if one.field.column == part), part)

    @precondition(lambda self: self.open)
    @rule(which=indexes)
    def zhao_publishes(self, which):
        account = self._chosen(which)
        try:
            counter = take_step(account.number, self.lin, "submit").counter
        except NothingInIt:
            assert not account.rows
            return
        take_step(account.number, self.zhao, "approve", counter=counter)
        contradicting = {fid for fid, row in account.rows.items() if meet(row, self.now.get(fid))[1]}
        try:
            publish(account.number, self.zhao, reason="", counter=counter)
        except HasConflicts as refusal:
            assert {one["fid"] for one in refusal.facts["features"]} == contradicting
            take_step(account.number, self.zhao, "return", reason="冲突")
            return
        assert not contradicting
        account.made = {}
        for fid, row in account.rows.items():
            before, result = self.now.get(fid), meet(row, self.now.get(fid))[0]
            if result != before:
                self._is(fid, result)
                account.made[fid] = (before, result, self.stamps[fid])
        self.open.remove(account)
        self.done.append(account)

    @precondition(lambda self: self.done and len(self.open) < 3)
    @rule(which=indexes)
    def lin_takes_a_publication_back(self, which):
        account = self.done[which % len(self.done)]
        try:
            made = reverting.revert(account.number, self.lin, reason="")
        except NothingInIt:
            assert not account.made
            return
        rows = {fid: Row(result, stamp, before) for fid, (before, result, stamp) in account.made.items()}
        back = Account(made.pk, rows)
        self._versions(back, made.counter)
        self.open.append(back)

    @invariant()
    def the_one_map_and_every_changeset_are_as_told(self):
        if not hasattr(self, "now"):
            return
        assert self._read(Moment.today()) == {fid: one for fid, one in self.now.items() if one is not None}
        for account in self.open:
            today = Moment.today()
            moment = Moment(None, today.valid_from, today.valid_to, account.number)
            assert self._read(moment) == {fid: content for fid, (content, _) in self._seen(account).items()}

    def _read(self, moment):
        ours = self.version.keys() | {fid for one in self.open for fid in one.rows}
        listed = self.land.rows(self.layer, *FIELDS, moment=moment)
        return {fid: dict(zip(FIELDS, content, strict=True)) for fid, *content in listed if fid in ours}

    def teardown(self):
        for account in self.open:
            take_step(account.number, self.lin, "abandon")
        self.land.sound(self.layer)


@pytest.mark.slow
def test_everything_is_there_or_named_in_a_conflict(land):
    class Here(Editors):
        pass

    Here.land, Here.layer = land, land.lots(1)
    for name, rights in (("lin", ["view", "query", "edit"]), ("zhao", ["view", "query", "edit", "publish"])):
        role = ensure_role(f"cs_{name}", name, name)
        user = ensure_user(f"cs_{name}", "correct horse battery", department_of("data"), [role], name)
        setattr(Here, name, principal_of_user(user))
        give(grantee(f"role:cs_{name}"), rights, by="tests", layer=land.state(Here.layer))
    calm = settings(
        max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Here, settings=calm)
