"""Look-ups in lists: right after any change, and without reading a whole list for each of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from lxml import etree

from drmkit import cpix
from drmkit.cpix.collections import ContentKeys
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import filling

SYSTEMS = (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.COMMON)


def kid_of(number: int) -> KeyId:
    """A key ID for each number."""
    return KeyId(number.to_bytes(16, "big"))


def document(size: int) -> cpix.Document:
    """A document with that many keys, each with three DRM systems, a rule and a period."""
    builder = cpix.Builder(version="2.4")
    for number in range(size):
        kid = kid_of(number)
        builder.content_key(kid=kid, id=f"k{number}")
        builder.period(id=f"p{number}", index=number)
        builder.usage_rule(kid=kid, periods=[f"p{number}"])
        for system in SYSTEMS:
            builder.drm_system(kid=kid, system_id=system)
    return cpix.parse(builder.build().to_xml())


class Counted(ContentKeys):
    """Content keys that count how often the whole list is read."""

    reads = 0

    def elements(self) -> Iterator[etree._Element]:
        """Read the list, and count that."""
        self.reads += 1
        return super().elements()


def test_changes_of_values_leave_the_index_as_it_is() -> None:
    """Filling in a document key by key reads each list once, so that its cost grows with its size and no faster."""
    filled = document(50)
    keys = Counted(filled)
    for number in range(50):
        key = keys.get(kid_of(number))
        assert key is not None
        key.key = bytes(range(number, number + 16))
        key.scheme = "cenc"
        for system in filled.drm_systems.for_key(kid_of(number)):
            system.name = "a name"
        assert keys[number] == key
    assert keys.reads == 2  # once for the index, once for the positions


def test_items_that_are_removed_are_not_looked_for_again() -> None:
    """Removing keys one by one by their IDs reads the list once."""
    shrinking = document(50)
    keys = Counted(shrinking)
    for number in range(50):
        key = keys.get(kid_of(number))
        assert key is not None
        keys.remove(key)
        assert keys.get(kid_of(number)) is None
    assert keys.reads == 1
    assert len(shrinking.content_keys) == 0


@pytest.mark.parametrize("seed", range(20))
def test_look_ups_agree_with_a_look_through_the_whole_list(seed: int) -> None:
    """After any mix of changes every look-up finds what stands in the list, in its order."""
    chance = random.Random(seed)
    changing = document(6)
    for _ in range(25):
        change(changing, chance)
        lists = changing.content_keys, changing.drm_systems, changing.usage_rules
        for kid in map(kid_of, range(10)):
            keys, systems, rules = ([item for item in found if item.kid == kid] for found in lists)
            assert changing.content_keys.get(kid) == (keys[0] if keys else None)
            assert changing.drm_systems.for_key(kid) == systems
            assert changing.usage_rules.for_key(kid) == rules
        for number in range(10):
            periods = [period for period in changing.periods if period.id == f"p{number}"]
            assert changing.periods.get(f"p{number}") == (periods[0] if periods else None)
        assert [changing.drm_systems[at] for at in range(len(changing.drm_systems))] == list(changing.drm_systems)


def change(document: cpix.Document, chance: random.Random) -> None:
    """Make one change: of a value, of what an item is found by, of the number of items, or past the properties."""
    found = (document.content_keys, document.drm_systems, document.usage_rules, document.periods)
    chosen = chance.choice(found)
    items = list(chosen)
    if not items:
        return
    item = chance.choice(items)
    kind = chance.randrange(6)
    if kind == 0:
        chosen.remove(item)  # type: ignore[arg-type]  # the item is of this list
    elif kind == 1:
        item.id = f"p{chance.randrange(10)}" if chosen is document.periods else None
    elif kind in (2, 3) and not isinstance(item, cpix.ContentKeyPeriod):
        item.kid = kid_of(chance.randrange(10))
    elif kind == 4 and isinstance(item, cpix.DRMSystem):
        item.pssh = b"x"
    elif kind == 5:
        item.element.addnext(etree.fromstring(etree.tostring(item.element, with_tail=False)))
        document.touch()


def test_signaling_that_is_added_is_found() -> None:
    """Entries that filling adds for a key are in the list at once."""
    bare = cpix.Builder(version="2.4").content_key(kid=kid_of(1), key=bytes(range(16)), scheme="cenc").build()
    assert bare.drm_systems.for_key(kid_of(1)) == []
    filling.fill(bare, systems=SYSTEMS)
    assert [system.system_id for system in bare.drm_systems.for_key(kid_of(1))] == [s.system_id for s in SYSTEMS]


def test_a_builder_that_extends_a_document_is_seen_in_it() -> None:
    """What a builder adds to a document is found once it is built, also where it was looked for before."""
    grown = document(1)
    assert grown.content_keys.get(kid_of(7)) is None
    cpix.Builder.extending(grown).content_key(kid=kid_of(7)).build()
    assert grown.content_keys.get(kid_of(7)) == grown.content_keys[1]


def test_signatures_that_go_are_gone() -> None:
    """A signature that is removed is found no longer, and those that stay are."""
    signed = cpix.parse(
        b'<CPIX xmlns="urn:dashif:org:cpix" xmlns:d="http://www.w3.org/2000/09/xmldsig#">'
        b'<d:Signature><d:SignedInfo><d:Reference URI="#a"/></d:SignedInfo></d:Signature>'
        b'<d:Signature><d:SignedInfo><d:Reference URI="#b"/></d:SignedInfo></d:Signature></CPIX>'
    )
    first, second = signed.signatures
    assert signed.signatures.get("#a") == first
    signed.signatures.remove(first)
    assert signed.signatures.get("#a") is None
    assert signed.signatures.get("#b") == second == signed.signatures[0]
    assert signed.signed_ids == {"b"}
