import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpcdns.model.frozen_map import PARTS, Filling, FrozenMap

EDITS = st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers()), max_size=200)


@given(st.dictionaries(st.integers(0, 60), st.integers()), EDITS)
def test_it_behaves_like_a_dict(start: dict[int, int], edits: list[tuple[bool, int, int]]) -> None:
    """Every version equals a dict that went through the same edits, and no edit changes an older version."""
    frozen, plain = FrozenMap(start), dict(start)
    history = [(frozen, dict(plain))]
    for put, key, value in edits:
        if put:
            frozen = frozen.set(key, value)
            plain[key] = value
        elif key in plain:
            frozen = frozen.delete(key)
            del plain[key]
        else:
            with pytest.raises(KeyError):
                frozen.delete(key)
        history.append((frozen, dict(plain)))
    for version, expected in history:
        assert dict(version.items()) == expected
        assert version == expected
        assert sorted(version) == sorted(expected)
        assert len(version) == len(expected)
        assert bool(version) == bool(expected)
        for key in range(61):
            assert (key in version) == (key in expected)
            assert version.get(key) == expected.get(key)


def test_a_missing_key_is_a_key_error() -> None:
    version = FrozenMap({1: "one"}).delete(1)
    with pytest.raises(KeyError):
        version[1]
    assert repr(FrozenMap({1: "one"})) == "FrozenMap({1: 'one'})"


LARGE = FrozenMap((f"{number}", number) for number in range(20 * PARTS))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 25 * PARTS)), max_size=50))
def test_a_large_one_too(edits: list[tuple[bool, int]]) -> None:
    """As above, and two versions tell exactly the keys at which they differ."""
    version, plain = LARGE, dict(LARGE.scan())
    for put, number in edits:
        if put:
            version, plain[f"{number}"] = version.set(f"{number}", -1), -1
        elif f"{number}" in plain:
            version = version.delete(f"{number}")
            del plain[f"{number}"]
    assert version == plain
    assert (len(version), dict(version.scan()), set(version)) == (len(plain), plain, set(plain))
    assert all(version.finder()(key) == plain.get(key) for key in (f"{number}" for _, number in edits))
    expected = {f"{n}" for _, n in edits if plain.get(f"{n}") is not LARGE.get(f"{n}")}
    assert set(version.touched(LARGE)) == set(LARGE.touched(version)) == expected


@pytest.mark.parametrize("size", [0, 3, PARTS - 2, PARTS + 5, 3 * PARTS])
def test_many_edits_at_once(size: int) -> None:
    """As if they were made one by one; across the bound, too."""
    start = FrozenMap((number, number) for number in range(size))
    put, gone = {number: -1 for number in range(size - 2, size + 10) if number >= 0}, range(min(2, size - 2))
    edited = start.edited(put, gone)
    one_by_one = start
    for key, value in put.items():
        one_by_one = one_by_one.set(key, value)
    for key in gone:
        one_by_one = one_by_one.delete(key)
    assert (edited, len(edited)) == (one_by_one, len(one_by_one))
    assert len(start) == size
    with pytest.raises(KeyError):
        start.edited({}, [-1])


def test_growing_and_shrinking_across_the_bound() -> None:
    version: FrozenMap[int, int] = FrozenMap()
    for number in range(PARTS + 10):
        version = version.set(number, number)
    small = version
    for number in range(20):
        small = small.delete(number)
    whole = {number: number for number in range(20, PARTS + 10)}
    assert small == FrozenMap(whole) == whole == small
    assert set(small.touched(FrozenMap(whole))) == set(whole)  # nothing in common: any of them may differ
    assert list(FrozenMap(whole)) == list(whole)


def test_every_change_copies_one_part_at_most() -> None:
    """No change costs more than its neighbours: there is no base that is made anew now and then."""
    version: FrozenMap[str, int] = FrozenMap((f"{number}", number) for number in range(100_000))
    largest = max(map(len, version.pieces()))
    assert largest < 3 * 100_000 / PARTS
    for number in range(3000):
        changed = version.set(f"{number}", -1)
        pieces = zip(changed.pieces(), version.pieces(), strict=True)
        assert sum(part is not was for part, was in pieces) == 1
        version = changed
    assert len(version) == 100_000


@pytest.mark.parametrize("size", [0, 1, PARTS, PARTS + 1, 5 * PARTS])
def test_one_that_was_filled_is_the_same(size: int) -> None:
    """A key counts by what it had first, or last; a small map keeps its order."""
    items = {f"{number}": number for number in range(size)}
    filling: Filling[str, int] = Filling()
    for key, value in items.items():
        assert filling.get(key, -1) == -1
        assert filling.setdefault(key, value) == value
        assert filling.setdefault(key, -2) == value
    for key in list(items)[::7]:
        filling[key] = items[key] = -3
        assert filling.get(key, 0) == -3
    filled, plain = filling.frozen(), FrozenMap(items)
    assert filled == plain
    assert (list(filled), len(filled), filled.is_ordered) == (list(plain), size, plain.is_ordered)
    assert filled.set("more", 0) == plain.set("more", 0)
    assert len(filling.frozen()) == 0
